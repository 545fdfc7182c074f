"""TFX's own Evaluator, for a TFMA whose internal modules are others than those that Headrace builds on."""

from __future__ import annotations

from collections.abc import Callable

import apache_beam as beam
from tfx.components.evaluator import executor as stock_executor
from tfx.dsl.components.base import base_beam_executor

from headrace.runtime.context import ExecutionContext


class _StockExecutor(stock_executor.Executor):
    """Stock Evaluator with Headrace's pipelines."""

    def __init__(self, tmp_path: str, make_pipeline: Callable[[], beam.Pipeline]) -> None:
        super().__init__(base_beam_executor.BaseBeamExecutor.Context(tmp_dir=tmp_path, unique_id="stock"))
        self._make_pipeline = make_pipeline

    def _make_beam_pipeline(self) -> beam.Pipeline:
        return self._make_pipeline()


def run(context: ExecutionContext, make_pipeline: Callable[[], beam.Pipeline]) -> None:
    """Run the whole execution as stock TFX does; its outputs have no summary and no verdict of Headrace's."""
    executor = _StockExecutor(context.tmp_path, make_pipeline)
    executor.Do(dict(context.inputs), dict(context.outputs), dict(context.parameters))
