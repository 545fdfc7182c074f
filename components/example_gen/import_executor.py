"""The executor of ImportExampleGen."""

from __future__ import annotations

from headrace.components.example_gen.executor import ExampleGenExecutor
from headrace.runtime.context import ExecutionContext
from headrace.sources.source import Source
from headrace.sources.tfrecord.tfrecord_source import RecordSource


class Executor(ExampleGenExecutor):
    """Reads the files of RecordSource."""

    def source(self, context: ExecutionContext) -> Source:
        """Return the source."""
        return RecordSource()
