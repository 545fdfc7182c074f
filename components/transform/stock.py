"""TFX's own Transform, for what Headrace does not run itself.

It is slower and complete: TF 1 graphs, payloads other than tf.Example, analyzers that are Beam transforms,
mutual information, statistics over slices.
"""

from __future__ import annotations

import contextlib
import glob
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base import base_beam_executor

from headrace.components.transform.layout import with_all_representations
from headrace.components.transform.request import TransformRequest
from headrace.components.transform.tft_library import environment_kept, tft_beam
from headrace.runtime.context import ExecutionContext

with environment_kept():
    from tfx.components.transform import executor as stock_executor


class _StockExecutor(stock_executor.Executor):
    """Stock Transform with Headrace's pipelines and the functions that Headrace has loaded."""

    def __init__(
        self, tmp_path: str, request: TransformRequest, make_pipeline: Callable[[], beam.Pipeline]
    ) -> None:
        super().__init__(base_beam_executor.BaseBeamExecutor.Context(tmp_dir=tmp_path, unique_id="stock"))
        self._request = request
        self._make_pipeline = make_pipeline

    def _make_beam_pipeline(self) -> beam.Pipeline:
        return self._make_pipeline()

    def _GetPreprocessingFn(self, *_: Any) -> Callable[..., Any]:  # noqa: N802 - TFX's name
        return self._request.preprocessing_fn

    def _GetStatsOptionsUpdaterFn(self, *_: Any) -> Callable[..., Any] | None:  # noqa: N802
        return self._request.stats_options_updater_fn


class _Processor(stock_executor.TransformProcessor):
    """Reads every feature of a schema that says of some of them alone how they become tensors."""

    def _CreateTFXIO(self, dataset: Any, schema: schema_pb2.Schema) -> Any:  # noqa: N802 - TFX's name
        # Without any, sequence examples are read as raw records: that must stay as it is.
        is_partial = bool(schema.tensor_representation_group)
        return super()._CreateTFXIO(dataset, with_all_representations(schema) if is_partial else schema)


@contextlib.contextmanager
def _own_processor() -> Iterator[None]:
    original = stock_executor.TransformProcessor
    stock_executor.TransformProcessor = _Processor
    try:
        yield
    finally:
        stock_executor.TransformProcessor = original


@contextlib.contextmanager
def without_deep_copy() -> Iterator[None]:
    """Keep TFT from copying Beam's transforms in analyses of several phases.

    TFT 1.16 builds the copies with the constructor of an older Beam: with Beam 2.74 every `preprocessing_fn`
    whose analyzers depend on each other fails there. The copies only save runners from keeping data.
    """
    original = getattr(tft_beam.Context, "get_use_deep_copy_optimization", None)
    if original is None:
        yield
        return
    tft_beam.Context.get_use_deep_copy_optimization = staticmethod(lambda: False)
    try:
        yield
    finally:
        tft_beam.Context.get_use_deep_copy_optimization = original


@contextlib.contextmanager
def _escaped_patterns() -> Iterator[None]:
    """Let TFX find files in folders that have [ ] * ? in their path: it takes them for a part of a pattern."""
    original = stock_executor.io_utils.all_files_pattern
    stock_executor.io_utils.all_files_pattern = lambda folder: original(glob.escape(folder))
    try:
        yield
    finally:
        stock_executor.io_utils.all_files_pattern = original


def run(
    context: ExecutionContext, request: TransformRequest, make_pipeline: Callable[[], beam.Pipeline]
) -> None:
    """Run the whole execution as stock TFX does."""
    executor = _StockExecutor(context.tmp_path, request, make_pipeline)
    with without_deep_copy(), _escaped_patterns(), _own_processor():
        executor.Do(dict(context.inputs), dict(context.outputs), dict(context.parameters))
