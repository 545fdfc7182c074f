"""The executor of ParquetExampleGen."""

from __future__ import annotations

from headrace.components.example_gen.executor import ExampleGenExecutor
from headrace.runtime.context import ExecutionContext
from headrace.sources.parquet.parquet_source import ParquetSource
from headrace.sources.source import Source


class Executor(ExampleGenExecutor):
    """Reads the files of ParquetSource."""

    def source(self, context: ExecutionContext) -> Source:
        """Return the source."""
        return ParquetSource()
