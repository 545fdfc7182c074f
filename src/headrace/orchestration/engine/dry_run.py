"""Say what a run would do, without doing it: drivers and cache look-ups on a copy of the metadata."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from headrace.errors import UnsupportedFeatureError
from headrace.orchestration.node.node import NodeLife
from headrace.orchestration.plan.plan import PlannedNode
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.choice import make_runner
from headrace.store.open.store import Store
from headrace.store.results import NodeResult, NodeState, RunResult

_OPEN = (NodeState.WAITING, NodeState.FAILED, NodeState.SKIPPED)


def dry_run(
    store: Store,
    make_context: Callable[[Store, str, NodeRunner], Any],
    planned: Sequence[PlannedNode],
    make_life: Callable[[Any, PlannedNode], NodeLife],
) -> RunResult:
    """Return the plan of a run: `CACHED` or `SKIPPED` with the reason, `WAITING` for what would execute.

    Args:
        store: The store; it is not changed.
        make_context: Makes the context shared by the nodes.
        planned: The nodes, in topological order.
        make_life: Makes the life of one node.

    Raises:
        UnsupportedFeatureError: If the metadata are not in a SQLite file that can be copied.
    """
    started = time.monotonic()
    if store.connection_config is not None:
        raise UnsupportedFeatureError(
            "a dry run works on a copy of the metadata, and only a SQLite store can be copied.",
            "leave --dry-run out, or use a SQLite store.",
        )
    with tempfile.TemporaryDirectory(prefix="headrace-dry-run-") as folder:
        copy = Store(os.path.join(folder, os.path.basename(store.path)))
        os.makedirs(copy.path)
        store.copy_database(copy.database_path)
        with copy.open(), contextlib.closing(make_runner()) as workers:
            # Paths of the project, not of the copy, decide the cache keys.
            copy.project_path = store.project_path
            context = make_context(copy, "dry-run", workers)
            os.makedirs(copy.logs_path("dry-run"), exist_ok=True)
            results = _drive_all(planned, lambda node: make_life(context, node))
    seconds = time.monotonic() - started
    return RunResult("dry-run", context.ir.pipeline_info.id, results, seconds, store.path, is_plan=True)


def _drive_all(
    planned: Sequence[PlannedNode], make_life: Callable[[PlannedNode], NodeLife]
) -> tuple[NodeResult, ...]:
    results: dict[str, NodeResult] = {}
    by_id = {node.node_id: node for node in planned}
    for node in planned:
        blocking = [name for name in node.upstream if _lacks_outputs(by_id[name], results[name])]
        # One that was skipped leaves what earlier runs made.
        blocking += [
            name
            for name in node.after
            if results[name].state in _OPEN and results[name].state is not NodeState.SKIPPED
        ]
        life = make_life(node)
        if blocking and node.is_selected:
            results[node.node_id] = _follow(node, life, results[blocking[0]])
            continue
        result: NodeResult | None = life.drive()
        results[node.node_id] = result or _would_run(
            node, life, "no earlier execution has the same code, parameters and inputs"
        )
    return tuple(results.values())


def _would_run(node: PlannedNode, life: NodeLife, reason: str) -> NodeResult:
    """A node that would execute: why, and what was asked for it."""
    why = f"the cache is off {life.cache_off}" if life.cache_off else reason
    asked = node.options.in_words
    return NodeResult(node.node_id, NodeState.WAITING, reason=f"{why}; {asked}" if asked else why)


def _lacks_outputs(node: PlannedNode, result: NodeResult) -> bool:
    """Whether what follows cannot be looked up, because a node would make its outputs anew, or will not."""
    if result.state is NodeState.NOT_SELECTED:
        return not result.execution_id and bool(node.ir.outputs.outputs)
    return result.state in _OPEN


def _follow(node: PlannedNode, life: NodeLife, upstream: NodeResult) -> NodeResult:
    if upstream.state is NodeState.WAITING:
        reason = f"would run, or be cached if {upstream.node_id} makes the same outputs again"
        return _would_run(node, life, reason)
    return NodeResult(
        node.node_id, NodeState.SKIPPED, reason=f"upstream {upstream.node_id} {upstream.state.value}"
    )
