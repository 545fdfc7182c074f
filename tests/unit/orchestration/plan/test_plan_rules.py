"""Which nodes run after a failure, which can do without an input, and what a run that stops still does."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.authoring.node_options import NodeOptions
from headrace.orchestration.capacity import Capacity
from headrace.orchestration.plan.plan import Plan, PlannedNode
from headrace.orchestration.plan.selection import select
from headrace.store.results import NodeResult, NodeState

with authoring():
    from tfx.proto.orchestration import pipeline_pb2

_Options = pipeline_pb2.NodeExecutionOptions


def node(
    node_id: str,
    *upstream: str,
    is_optional: bool = False,
    strategy: int = 0,
    lifetime_start: str = "",
    inputs: dict[str, tuple[str, int]] | None = None,
    **fields: Any,
) -> PlannedNode:
    """A node; `inputs` gives for each key the node it comes from, and how many artifacts it needs."""
    ir = pipeline_pb2.PipelineNode()
    ir.execution_options.node_success_optional = is_optional
    ir.execution_options.strategy = strategy
    ir.execution_options.resource_lifetime.lifetime_start = lifetime_start
    for key, (producer, min_count) in (inputs or {}).items():
        spec = ir.inputs.inputs[key]
        spec.min_count = min_count
        spec.channels.add().producer_node_query.id = producer
    return PlannedNode(node_id, ir, upstream, **fields)


def run(plan: Plan, **states: NodeState) -> dict[str, str]:
    """Run a plan to its end, nodes ending as given, else as done; return how each ended."""
    while (ready := plan.next_ready(wait=False)) is not None:
        plan.finish(NodeResult(ready.node_id, states.get(ready.node_id, NodeState.DONE)))
    return {result.node_id: result.state.value for result in plan.results()}


def reason(plan: Plan, node_id: str) -> str:
    result = plan.result(node_id)
    assert result is not None
    return result.reason


def test_an_exit_handler_runs_in_a_cancelled_run():
    """Whatever ended the run, it is told of it."""
    plan = Plan([node("a"), node("bye", "a", is_exit_handler=True)])
    plan.cancel("stopped by Ctrl-C")

    assert run(plan) == {"a": "cancelled", "bye": "done"}


def test_the_first_reason_to_cancel_is_the_one_that_is_told():
    plan = Plan([node("a")])
    plan.cancel("stopped by Ctrl-C")
    plan.cancel("the store cannot be written")
    run(plan)

    assert reason(plan, "a") == "stopped by Ctrl-C"


@pytest.mark.parametrize(
    ("strategy", "after_failure"),
    [
        (_Options.ALL_UPSTREAM_NODES_SUCCEEDED, "skipped"),
        (_Options.ALL_UPSTREAM_NODES_COMPLETED, "done"),
        (_Options.LAZILY_ALL_UPSTREAM_NODES_COMPLETED, "done"),
        (_Options.LIFETIME_END_WHEN_SUBGRAPH_CANNOT_PROGRESS, "done"),
    ],
)
def test_the_strategy_says_whether_a_node_runs_after_a_failure(strategy: int, after_failure: str):
    plan = Plan([node("a"), node("b", "a", strategy=strategy)])

    assert run(plan, a=NodeState.FAILED) == {"a": "failed", "b": after_failure}


@pytest.mark.parametrize(
    ("start", "end"), [(NodeState.DONE, "done"), (NodeState.CACHED, "done"), (NodeState.FAILED, "skipped")]
)
def test_the_end_of_a_lifetime_depends_on_its_start_alone(start: NodeState, end: str):
    """Also in an inner pipeline, whose nodes have its name before theirs."""
    options = {"strategy": _Options.LIFETIME_END_WHEN_SUBGRAPH_CANNOT_PROGRESS, "lifetime_start": "open"}
    plan = Plan(
        [
            node("outer.inner.open"),
            node("outer.inner.use", "outer.inner.open"),
            node("outer.inner.close", "outer.inner.use", **options),
        ]
    )

    states = run(plan, **{"outer.inner.open": start, "outer.inner.use": NodeState.FAILED})

    assert states["outer.inner.close"] == end


@pytest.mark.parametrize(
    ("inputs", "end"),
    [
        ({"x": ("a", 0)}, "done"),
        ({"x": ("a", 1)}, "skipped"),
        ({"x": ("a", 0), "y": ("a", 1)}, "skipped"),
        ({}, "skipped"),
    ],
)
def test_a_node_runs_without_an_input_only_where_all_it_takes_may_be_missing(
    inputs: dict[str, tuple[str, int]], end: str
):
    """One input that may stay empty does not excuse another that may not."""
    plan = Plan([node("a"), node("b", "a", inputs=inputs)])

    assert run(plan, a=NodeState.SKIPPED)["b"] == end


def test_what_was_skipped_because_of_a_failure_is_not_done_without():
    """An optional input is for what was not to be made, not for what could not be made."""
    plan = Plan([node("a"), node("b", "a"), node("c", "b", inputs={"x": ("b", 0)})])

    assert run(plan, a=NodeState.FAILED) == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert reason(plan, "c") == "upstream a failed"


def test_the_end_of_an_inner_pipeline_waits_for_all_inside_and_fails_with_them():
    """It may do without those that were skipped."""
    nodes = [node("in_begin"), node("in.a", "in_begin"), node("in.b", "in_begin")]
    end = node("in_end", "in.a", after=("in.a", "in.b"))

    assert run(Plan([*nodes, end]), **{"in.b": NodeState.SKIPPED})["in_end"] == "done"
    assert run(Plan([*nodes, end]), **{"in.b": NodeState.FAILED})["in_end"] == "skipped"
    plan = Plan([*nodes, end])
    for _ in range(3):
        ready = plan.next_ready(wait=False)
        assert ready is not None
        if ready.node_id != "in.b":
            plan.finish(NodeResult(ready.node_id, NodeState.DONE))
    assert plan.next_ready(wait=False) is None, "in.b still runs"


def test_a_failure_that_the_run_can_do_without_is_marked():
    plan = Plan([node("a", is_optional=True), node("b")])
    run(plan, a=NodeState.FAILED)

    result = plan.result("a")
    assert result is not None
    assert not result.is_failure


def test_a_node_put_back_is_taken_by_a_slot_that_waits():
    """The slot sleeps until something changes."""
    plan = Plan([node("a")])
    first = plan.next_ready(wait=False)
    assert first is not None
    taken: list[PlannedNode | None] = []
    slot = threading.Thread(target=lambda: taken.append(plan.next_ready()), daemon=True)
    slot.start()
    while not plan._changed._waiters:  # type: ignore[attr-defined]
        pass

    plan.put_back("a")

    slot.join(timeout=10)
    assert [one.node_id for one in taken if one] == ["a"]


def test_a_slot_that_waits_is_woken_by_the_end_of_a_node():
    plan = Plan([node("a"), node("b", "a")])
    plan.next_ready(wait=False)
    taken: list[PlannedNode | None] = []
    slot = threading.Thread(target=lambda: taken.append(plan.next_ready()), daemon=True)
    slot.start()
    while not plan._changed._waiters:  # type: ignore[attr-defined]
        pass

    plan.finish(NodeResult("a", NodeState.DONE))

    slot.join(timeout=10)
    assert [one.node_id for one in taken if one] == ["b"]


def test_a_slot_takes_what_there_is_room_for():
    """Who only runs drivers asks for no room."""
    big, small = NodeOptions(memory_gb=6.0), NodeOptions(memory_gb=1.0)
    nodes = [node("a", options=big), node("b", options=big), node("c", options=small)]
    plan = Plan(nodes, capacity=Capacity(cpus=8.0, memory_gb=8.0))

    taken = [plan.next_ready(), plan.next_ready()]

    assert [one.node_id for one in taken if one] == ["a", "c"]
    driven = plan.next_ready(wait=False)
    assert driven is not None
    assert driven.node_id == "b"


INNER = [
    node("first"),
    node("in_begin", "first"),
    node("in.a", "in_begin"),
    node("in.b", "in_begin"),
    node("in_end", "in.a", after=("in.a", "in.b")),
    node("last", "in_end"),
]


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        ({"only": ["in"]}, "in_begin in.a in.b in_end"),
        ({"only": ["first"], "from_nodes": ["in_end"]}, "first in_end last"),
        ({"from_nodes": ["in.b"]}, "in.b in_end last"),
        ({"from_nodes": ["in.b"], "to_nodes": ["in_end"]}, "in.b in_end"),
        ({"to_nodes": ["in_end"]}, "first in_begin in.a in.b in_end"),
    ],
)
def test_partial_runs_of_inner_pipelines(arguments: dict[str, list[str]], selected: str):
    """Its name means all its nodes with the two at its ends; order alone ties nodes too."""
    assert [one.node_id for one in select(INNER, **arguments) if one.is_selected] == selected.split()


@pytest.mark.parametrize(("is_optional", "other"), [(False, "cancelled"), (True, "done")])
def test_fail_fast_stops_at_a_failure_that_the_run_needs(is_optional: bool, other: str):
    """A run that succeeds without a node goes on without it."""
    plan = Plan([node("a", is_optional=is_optional), node("b")], fail_fast=True)

    assert run(plan, a=NodeState.FAILED)["b"] == other


@pytest.mark.parametrize(
    ("ending", "looker"),
    [
        (NodeState.DONE, "done"),
        (NodeState.CACHED, "done"),
        (NodeState.SKIPPED, "done"),
        (NodeState.NOT_SELECTED, "done"),
        (NodeState.FAILED, "skipped"),
    ],
)
def test_who_looks_at_a_node_that_was_skipped_finds_what_earlier_runs_made(ending: NodeState, looker: str):
    """After a failure it would find something old in the place of what was meant."""
    plan = Plan([node("a"), node("looker", after=("a",))])

    assert run(plan, a=ending)["looker"] == looker


def test_who_looks_at_a_node_behind_a_failure_is_skipped_too():
    plan = Plan([node("a"), node("b", "a"), node("looker", after=("b",))])

    assert run(plan, a=NodeState.FAILED) == {"a": "failed", "b": "skipped", "looker": "skipped"}
    assert reason(plan, "looker") == "upstream a failed"


@pytest.mark.parametrize(
    ("has_outputs", "execution_id", "follower"), [(True, 7, "done"), (True, 0, "skipped"), (False, 0, "done")]
)
def test_what_a_run_leaves_out_stops_only_who_needs_outputs_of_it(
    has_outputs: bool, execution_id: int, follower: str
):
    """A node without outputs that is left out is waited for by its order alone."""
    left_out = node("a")
    if has_outputs:
        left_out.ir.outputs.outputs["out"].artifact_spec.type.name = "Schema"
    plan = Plan([left_out, node("b", "a")])

    plan.next_ready(wait=False)
    plan.finish(NodeResult("a", NodeState.NOT_SELECTED, execution_id=execution_id))

    assert run(plan)["b"] == follower
