"""Executor of the Evaluator component."""

from __future__ import annotations

import functools

from headrace.internals import UnknownForm
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor

# Why TFX's own executor does the work; empty where Headrace's does.
NEEDS_STOCK = ""
try:
    from headrace.components.evaluator import execution
except UnknownForm as unknown:
    NEEDS_STOCK = str(unknown)


class Executor(BeamExecutor):
    """Evaluates the model, writes TFMA's result files, and blesses the model or not."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `evaluation` and `blessing`; see `Evaluator`."""
        if NEEDS_STOCK:
            # Loads TFX's component, which is never needed else.
            from headrace.components.evaluator import stock

            context.ran_stock(NEEDS_STOCK)
            stock.run(context, self.beam_pipeline)
            return
        execution.run(context, functools.partial(self.beam_pipeline, spread_over=context.side_processes))
