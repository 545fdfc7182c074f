"""The executor of the ExampleGens whose parameters name their source."""

from __future__ import annotations

from headrace.components.example_gen.executor import ExampleGenExecutor
from headrace.errors import DefinitionError
from headrace.runtime.context import ExecutionContext
from headrace.sources import source as sources
from headrace.sources.source import Source


class Executor(ExampleGenExecutor):
    """Reads what the source finds that the exec property `source` names."""

    def source(self, context: ExecutionContext) -> Source:
        """Return it.

        Raises:
            DefinitionError: If none is named, or what is named is none.
        """
        source = sources.named_in(context.parameters)
        if source is None:
            raise DefinitionError(f"{context.node_id}: exec property '{sources.SOURCE_KEY}' names no source.")
        return source
