"""Which nodes may start, which never will, and why."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.authoring.light import authoring
from headrace.errors import UnknownNodeError
from headrace.orchestration.plan.plan import Plan, PlannedNode
from headrace.orchestration.plan.selection import select
from headrace.store.results import NodeResult, NodeState

with authoring():
    from tfx.proto.orchestration import pipeline_pb2


def node(node_id: str, *upstream: str) -> PlannedNode:
    return PlannedNode(node_id, pipeline_pb2.PipelineNode(), upstream)


def done(node_id: str) -> NodeResult:
    return NodeResult(node_id, NodeState.DONE)


def failed(node_id: str) -> NodeResult:
    return NodeResult(node_id, NodeState.FAILED)


def states(plan: Plan) -> dict[str, NodeState]:
    return {result.node_id: result.state for result in plan.results()}


def take(plan: Plan) -> str | None:
    ready = plan.next_ready(wait=False)
    return ready.node_id if ready else None


def test_a_node_starts_when_all_its_upstream_nodes_are_done():
    plan = Plan([node("a"), node("b", "a"), node("c", "a", "b")])

    assert take(plan) == "a"
    assert take(plan) is None
    plan.finish(done("a"))
    assert take(plan) == "b"
    assert take(plan) is None
    plan.finish(done("b"))
    assert take(plan) == "c"


def test_a_failure_stops_only_what_depends_on_it():
    plan = Plan([node("a"), node("b", "a"), node("c", "b"), node("d")])

    assert take(plan) == "a"
    plan.finish(failed("a"))

    assert take(plan) == "d"
    assert [(r.node_id, r.state, r.reason) for r in plan.results()[1:3]] == [
        ("b", NodeState.SKIPPED, "upstream a failed"),
        ("c", NodeState.SKIPPED, "upstream a failed"),
    ]


def test_fail_fast_stops_everything_that_has_not_started():
    plan = Plan([node("a"), node("b")], fail_fast=True)

    assert take(plan) == "a"
    plan.finish(failed("a"))

    assert take(plan) is None
    assert plan.result("b") == NodeResult("b", NodeState.CANCELLED, reason="a failed")


def test_cancelling_wakes_a_slot_that_waits():
    plan = Plan([node("a"), node("b", "a")])
    assert take(plan) == "a"
    taken: list[PlannedNode | None] = []
    slot = threading.Thread(target=lambda: taken.append(plan.next_ready()))
    slot.start()

    plan.cancel("stopped by Ctrl-C")
    plan.finish(NodeResult("a", NodeState.CANCELLED))
    slot.join(timeout=10)

    assert taken == [None]
    assert plan.result("b") == NodeResult("b", NodeState.CANCELLED, reason="stopped by Ctrl-C")


def test_each_settled_node_is_told_once():
    told: list[str] = []
    plan = Plan([node("a"), node("b", "a"), node("c", "b")], on_finish=lambda r: told.append(r.node_id))

    take(plan)
    plan.finish(failed("a"))

    assert told == ["a", "b", "c"]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_any_graph_ends_with_a_result_for_every_node(seed: int, size: int):
    """However results come in, the plan ends, and no node starts before its upstream nodes are done."""
    chooser = random.Random(seed)
    nodes = [node(str(i), *(str(j) for j in range(i) if chooser.random() < 0.4)) for i in range(size)]
    plan = Plan(nodes)
    running: list[str] = []
    while not plan.is_finished:
        while (name := take(plan)) is not None:
            for upstream in plan.nodes[name].upstream:
                assert states(plan)[upstream] is NodeState.DONE
            running.append(name)
        assert running, "the plan is stuck"
        name = running.pop(chooser.randrange(len(running)))
        plan.finish(failed(name) if chooser.random() < 0.2 else done(name))
    assert not running
    for result in plan.results():
        if result.state is NodeState.SKIPPED:
            assert any(states(plan)[u] is not NodeState.DONE for u in plan.nodes[result.node_id].upstream)


DIAMOND = [node("a"), node("b", "a"), node("c", "a"), node("d", "b", "c"), node("e")]


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        ({}, "abcde"),
        ({"from_nodes": ["b"]}, "bd"),
        ({"to_nodes": ["b"]}, "ab"),
        ({"from_nodes": ["a"], "to_nodes": ["c"]}, "ac"),
        ({"only": ["c"]}, "c"),
        ({"only": ["e"], "from_nodes": ["d"]}, "de"),
    ],
)
def test_partial_runs_select_what_lies_between(arguments: dict[str, list[str]], selected: str):
    assert "".join(n.node_id for n in select(DIAMOND, **arguments) if n.is_selected) == selected


def test_an_unknown_node_says_which_there_are():
    with pytest.raises(UnknownNodeError) as caught:
        select([node("Trainer"), node("Pusher")], only=["Trianer"])

    assert str(caught.value) == (
        "there is no node 'Trianer'. The pipeline has 'Pusher', 'Trainer'.\n"
        "  Fix: did you mean 'Trainer'? Correct the node's name."
    )


def test_a_skip_after_a_failure_is_passed_on_through_optional_inputs():
    """A node may do without what a condition left out, not without what failed."""
    taker = pipeline_pb2.PipelineNode()
    taker.inputs.inputs["schema"].channels.add().producer_node_query.id = "b"
    plan = Plan([node("a"), node("b", "a"), PlannedNode("c", taker, ("b",))])

    take(plan)
    plan.finish(failed("a"))

    assert plan.result("c") == NodeResult("c", NodeState.SKIPPED, reason="upstream a failed")
