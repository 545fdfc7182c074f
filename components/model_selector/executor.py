"""Executor of ModelSelector: reads the evaluations, chooses, and copies the model."""

from __future__ import annotations

import os
from typing import Any

from tfx.utils import path_utils

from headrace import files
from headrace.components.model_selector import choosing
from headrace.components.model_selector.component import BLESSING, EVALUATION, MODEL, key_of
from headrace.errors import InputResolutionError
from headrace.formats import blessings, selections
from headrace.formats.evaluations.metrics import read_metrics
from headrace.formats.selections import Candidate
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor


class Executor(BaseExecutor):
    """Chooses a model; see `headrace.components.model_selector.component.ModelSelector`."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `model`, `selection` and, where blessings are given, `blessing`.

        Raises:
            DefinitionError: If no candidate has the metric in the slice.
            DataError: If it is NaN in all.
            MalformedFileError: If an evaluation is damaged.
        """
        names = context.json_parameter("candidates")
        context.progress.report(f"comparing {len(names)} models")
        asked = choosing.Asked(
            by=context.parameter("by"),
            slice_name=context.parameter("slice"),
            better=context.parameter("better"),
            tie=context.parameter("tie"),
            node_id=context.node_id,
        )
        evaluated = {name: read_metrics(context.input(key_of(EVALUATION, name)).uri) for name in names}
        candidates = {name: _candidate(context, name) for name in names}
        selection = choosing.choose(asked, candidates, evaluated)
        chosen = context.input(key_of(MODEL, selection.chosen))
        context.progress.report("copying the model")
        model = context.output("model")
        files.copy_folder(chosen.uri, model.uri)
        for name, value in chosen.mlmd_artifact.custom_properties.items():
            # What is known of the model; what Headrace records of its files is that of the copy.
            if not name.startswith("headrace_") and value.WhichOneof("value") == "string_value":
                model.set_string_custom_property(name, value.string_value)
        selections.write(context.output("selection"), selection)
        _bless(context, selection.chosen)
        text = selections.summary(selection)
        context.summarize("selection", text)
        context.summarize("model", selection.chosen)


def _candidate(context: ExecutionContext, name: str) -> Candidate:
    model = context.input(key_of(MODEL, name))
    path = str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))
    if not os.path.isdir(path):
        raise InputResolutionError(
            f"{context.node_id}: candidate '{name}' has no model at {path}.",
            "run the node that makes it again.",
        )
    blessing = context.optional_input(key_of(BLESSING, name))
    return Candidate(
        name=name,
        value=None,
        num_bytes=sum(files.file_sizes(path).values()),
        is_blessed=None if blessing is None else blessings.read(blessing).is_blessed,
        model_id=model.id,
    )


def _bless(context: ExecutionContext, chosen: str) -> None:
    """Hand on what was decided of the model, for what pushes or resolves it."""
    given: Any = context.optional_input(key_of(BLESSING, chosen))
    is_blessed = None if given is None else blessings.read(given).is_blessed
    blessing = context.output("blessing")
    if is_blessed is None:
        os.makedirs(blessing.uri, exist_ok=True)
        return
    model = context.output("model")
    blessings.write_model_blessing(blessing, is_blessed, (model.uri, model.id), component_id=context.node_id)
    context.summarize("blessing", f"{blessings.in_words(is_blessed)}, as {chosen} was")
