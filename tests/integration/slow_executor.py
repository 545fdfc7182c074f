"""An executor on Headrace's base that says which implementation ran."""

from __future__ import annotations

import nodes

from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor


class SlowExecutor(Executor):
    """Writes a text; leaves the work to TFX where a reason is given."""

    def execute(self, context: ExecutionContext) -> None:
        if reason := context.parameter("reason"):
            context.ran_stock(reason)
        nodes.write(context.output("out").uri, "made")
