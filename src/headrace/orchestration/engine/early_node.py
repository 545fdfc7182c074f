"""The first node to run, begun while Beam still loads: it need not wait for what orchestrates the others and it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from headrace.store.results import NodeResult


class EarlyNode:
    """A node that runs in a thread of its own until a slot asks how it ended.

    Slots take nodes in the plan's order, and this is the first: so no more nodes run at once than there are slots.

    Args:
        node_id: The node.
        execute: Runs it to its end; raises nothing.
    """

    def __init__(self, node_id: str, execute: Callable[[], NodeResult]) -> None:
        self.node_id = node_id
        self._execute = execute
        self._result: NodeResult | None = None
        self._thread = threading.Thread(target=self._run, name=node_id)
        self._thread.start()

    def _run(self) -> None:
        self._result = self._execute()

    def result(self) -> NodeResult:
        """Wait for its end and return it."""
        self._thread.join()
        assert self._result is not None
        return self._result
