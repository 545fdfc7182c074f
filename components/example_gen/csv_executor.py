"""The executor of CsvExampleGen."""

from __future__ import annotations

from headrace.components.example_gen.executor import ExampleGenExecutor
from headrace.runtime.context import ExecutionContext
from headrace.sources.csv.csv_source import CsvSource
from headrace.sources.source import Source


class Executor(ExampleGenExecutor):
    """Reads the files of CsvSource."""

    def source(self, context: ExecutionContext) -> Source:
        """Return the source."""
        return CsvSource()
