"""A node that begins before anybody asks how it ended."""

from __future__ import annotations

import threading

from headrace.orchestration.engine.early_node import EarlyNode
from headrace.store.results import NodeResult, NodeState


def test_it_has_begun_before_its_result_is_asked_for():
    begun, may_end = threading.Event(), threading.Event()

    def execute() -> NodeResult:
        begun.set()
        may_end.wait(10)
        return NodeResult("A", NodeState.DONE)

    early = EarlyNode("A", execute)
    assert begun.wait(10)
    may_end.set()
    assert (early.node_id, early.result().state) == ("A", NodeState.DONE)
