"""The executor of FunctionExampleGen: its parameters may name files, which the cache then looks at."""

from __future__ import annotations

from headrace.components.example_gen import source_executor


class Executor(source_executor.Executor):
    """Reads what the user's function yields."""
