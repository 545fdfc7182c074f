"""The executor of CsvExampleGen."""

from __future__ import annotations

from headrace.components.example_gen.executor import ExampleGenExecutor, own_options
from headrace.runtime.context import ExecutionContext
from headrace.sources.csv.csv_source import CsvSource
from headrace.sources.source import Source

_OPTIONS = ("delimiter", "encoding", "column_names", "decimal", "thousands")


class Executor(ExampleGenExecutor):
    """Reads the files of CsvSource."""

    def source(self, context: ExecutionContext) -> Source:
        """Return the source, with the options of the component that say how its files are written."""
        options = own_options(context)
        return CsvSource(**{key: options[key] for key in _OPTIONS if key in options})
