"""Runs Transform: trace the user's function once, analyze, save the model, apply it."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Sequence

from headrace.components.transform import request
from headrace.components.transform.request import NeedsStock
from headrace.components.transform.tft_library import tft
from headrace.files import names_in
from headrace.formats import tensorflow_paths
from headrace.internals import UnknownForm
from headrace.runtime.context import SUMMARY_PROPERTY, ExecutionContext
from headrace.runtime.executor import BeamExecutor

_log = logging.getLogger(__name__)

# Why TFX's own implementation does all of the work; empty where Headrace's does what it can.
NEEDS_STOCK = ""
try:
    from headrace.components.transform.execution import Execution
except UnknownForm as unknown:
    NEEDS_STOCK = str(unknown)

tensorflow_paths.accept_any_folder()


class Executor(BeamExecutor):
    """Executor of `Transform`; what it does not run itself goes to TFX's own implementation."""

    def execute(self, context: ExecutionContext) -> None:
        num_rows: dict[str, int] = {}
        notes: list[str] = []
        with request.user_packages(context):
            asked = request.resolve(context)
            os.makedirs(context.output("transform_graph").uri, exist_ok=True)
            make_pipeline = functools.partial(self.beam_pipeline, spread_over=context.side_processes)
            try:
                if NEEDS_STOCK:
                    raise NeedsStock(NEEDS_STOCK)
                execution = Execution(context, asked, make_pipeline)
                execution.run()
                num_rows = execution.num_rows
                notes = execution.notes
            except NeedsStock as needed:
                self._run_stock(context, asked, needed)
            request.publish_splits(context, asked)
        for note in notes:
            _log.warning("%s: %s.", context.node_id, note)
        _summarize(context, num_rows, notes)

    def _run_stock(
        self, context: ExecutionContext, asked: request.TransformRequest, needed: NeedsStock
    ) -> None:
        # Loads all of TFX's Transform, which most runs never need.
        from headrace.components.transform import stock

        context.ran_stock(str(needed))
        context.progress.report(f"running TFX's own implementation ({needed})")
        stock.run(context, asked, self.beam_pipeline)


def _summarize(context: ExecutionContext, num_rows: dict[str, int], notes: Sequence[str]) -> None:
    """Say what was made: features and vocabularies of the graph, rows of the examples."""
    output = tft.TFTransformOutput(context.output("transform_graph").uri)
    num_features = len(output.transformed_feature_spec())
    folder = os.path.join(output.transform_savedmodel_dir, "assets")
    num_vocabularies = len(names_in(folder)) if os.path.isdir(folder) else 0
    parts = [counted(num_features, "feature", "features")]
    if num_vocabularies:
        parts.append(counted(num_vocabularies, "vocabulary", "vocabularies"))
    rows = ", ".join(f"{split} {counted(count, 'row', 'rows')}" for split, count in num_rows.items())
    context.summarize("transform_graph", "; ".join([", ".join(parts), *notes]))
    if rows and context.optional_output("transformed_examples") is not None:
        for artifact in context.outputs["transformed_examples"]:
            artifact.set_string_custom_property(SUMMARY_PROPERTY, rows)


def counted(count: int, one: str, many: str) -> str:
    """Return a number with its noun, such as `"1 row"`."""
    return f"{count:,} {one if count == 1 else many}"
