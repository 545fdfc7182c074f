"""The plan of a run: which nodes there are, which may start, and why others never will."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from headrace.authoring.light import authoring
from headrace.authoring.node_options import NO_OPTIONS, NodeOptions
from headrace.orchestration.capacity import Capacity
from headrace.orchestration.events import NodeResult, NodeState

with authoring():
    from tfx.proto.orchestration import pipeline_pb2

_SUCCEEDED = (NodeState.DONE, NodeState.CACHED)
_RUNS_AFTER_FAILURE = (
    pipeline_pb2.NodeExecutionOptions.ALL_UPSTREAM_NODES_COMPLETED,
    pipeline_pb2.NodeExecutionOptions.LAZILY_ALL_UPSTREAM_NODES_COMPLETED,
    # The end of a lifetime: whether it runs depends on the lifetime's start alone.
    pipeline_pb2.NodeExecutionOptions.LIFETIME_END_WHEN_SUBGRAPH_CANNOT_PROGRESS,
)


class NodeKind(enum.Enum):
    """What runs a node: an executor, or one of TFX's rules."""

    COMPONENT = "component"
    IMPORTER = "importer"
    RESOLVER = "resolver"
    BEGIN = "begin of an inner pipeline"
    END = "end of an inner pipeline"


@dataclass(frozen=True)
class PlannedNode:
    """One node of the plan.

    Attributes:
        node_id: Its id; for a node of an inner pipeline, the pipeline's id and a dot before it.
        ir: Its definition in the pipeline's IR.
        upstream: Ids of the nodes it waits for.
        is_selected: Whether this run may execute it; otherwise its last good outputs are reused.
        kind: What runs it.
        after: Ids of nodes that it also waits for, and which may be skipped but must not fail.
        looks_at: Ids of nodes whose outputs of any run it looks for; those that it can wait for are in `after`.
        pipeline_info: The pipeline that it belongs to.
        executor_spec: Its executable spec; `None` where it has no executor.
        driver_spec: The spec of its own driver; `None` where it has none.
        options: What was asked for it.
        status_parameters: For an exit handler, the parameters that receive how the run ended.
        is_exit_handler: Whether it runs when all else has ended, however that was.
        may_find_nothing: For a resolver, whether all that wait for it can do without what it looks for.
    """

    node_id: str
    ir: pipeline_pb2.PipelineNode
    upstream: tuple[str, ...]
    is_selected: bool = True
    kind: NodeKind = NodeKind.COMPONENT
    after: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = ()
    pipeline_info: pipeline_pb2.PipelineInfo = field(default_factory=pipeline_pb2.PipelineInfo)
    executor_spec: Any = None
    driver_spec: Any = None
    options: NodeOptions = NO_OPTIONS
    status_parameters: tuple[str, ...] = ()
    is_exit_handler: bool = False
    may_find_nothing: bool = False

    @cached_property
    def runs_after_failure(self) -> bool:
        """Whether it runs once its upstream nodes have ended, however they ended."""
        return self.is_exit_handler or self.ir.execution_options.strategy in _RUNS_AFTER_FAILURE

    @cached_property
    def lifetime_start(self) -> str:
        """The node that begins the lifetime that this one ends; empty for other nodes."""
        return str(self.ir.execution_options.resource_lifetime.lifetime_start)

    def may_lack(self, upstream: str) -> bool:
        """Whether all that it takes from `upstream` may be missing."""
        taken = [
            spec
            for spec in self.ir.inputs.inputs.values()
            if any(f".{upstream}".endswith(f".{channel.producer_node_query.id}") for channel in spec.channels)
        ]
        return bool(taken) and all(spec.min_count == 0 for spec in taken)


class Plan:
    """The nodes of one run and how far each has come; safe to use from several threads.

    Args:
        nodes: In topological order.
        fail_fast: Whether a failed node also stops the nodes that do not depend on it.
        on_finish: Told of each node that will not run, as soon as that is known.
        capacity: What the machine has for the nodes that run at the same time; without limit where left out.
    """

    def __init__(
        self,
        nodes: Sequence[PlannedNode],
        fail_fast: bool = False,
        on_finish: Callable[[NodeResult], None] | None = None,
        capacity: Capacity | None = None,
    ) -> None:
        self.nodes: Mapping[str, PlannedNode] = {node.node_id: node for node in nodes}
        self._results: dict[str, NodeResult] = {}
        self._running: set[str] = set()
        self._broken: set[str] = set()
        self._changed = threading.Condition()
        self._fail_fast = fail_fast
        self._on_finish = on_finish or (lambda result: None)
        self._capacity = capacity
        self._cancel_reason = ""

    @property
    def is_cancelled(self) -> bool:
        """Whether no further node may start, and running ones should stop."""
        return bool(self._cancel_reason)

    def cancel(self, reason: str) -> None:
        """Start no further node; those that wait end as cancelled, with `reason`."""
        with self._changed:
            self._cancel_reason = self._cancel_reason or reason
            self._changed.notify_all()

    def next_ready(self, wait: bool = True) -> PlannedNode | None:
        """Take the next node whose upstream nodes are done, and for which the machine has room.

        Args:
            wait: Whether to wait for one while others run. Without it, `None` may mean "not yet", and room is
                not asked for: the caller runs drivers only.

        Returns:
            The node, now running; `None` when nothing is left to start.
        """
        with self._changed:
            while True:
                self._settle()
                for node in self._ready():
                    if not wait or self._has_room(node):
                        self._running.add(node.node_id)
                        return node
                if not wait or len(self._results) == len(self.nodes):
                    return None
                self._changed.wait()

    def put_back(self, node_id: str) -> None:
        """Return a node taken by `next_ready` that was not started after all."""
        with self._changed:
            self._running.discard(node_id)
            self._changed.notify_all()

    def finish(self, result: NodeResult) -> None:
        """Record how a node ended, and let those that waited for it start."""
        with self._changed:
            self._record(result)
            # As recorded: the run goes on without a node that it does not need.
            if self._fail_fast and self._results[result.node_id].is_failure:
                self._cancel_reason = self._cancel_reason or f"{result.node_id} failed"
            self._settle()
            self._changed.notify_all()

    @property
    def is_finished(self) -> bool:
        """Whether every node has a result."""
        with self._changed:
            return len(self._results) == len(self.nodes)

    def results(self) -> tuple[NodeResult, ...]:
        """Results so far, in topological order; nodes without one are waiting or running."""
        with self._changed:
            return tuple(
                self._results.get(node_id)
                or NodeResult(node_id, NodeState.RUNNING if node_id in self._running else NodeState.WAITING)
                for node_id in self.nodes
            )

    def result(self, node_id: str) -> NodeResult | None:
        """The result of one node, if it has one."""
        with self._changed:
            return self._results.get(node_id)

    def _ready(self) -> Iterable[PlannedNode]:
        results, running = self._results, self._running
        for node in self.nodes.values():
            if node.node_id in results or node.node_id in running:
                continue
            if all(name in results for name in node.upstream) and all(name in results for name in node.after):
                yield node

    def _has_room(self, node: PlannedNode) -> bool:
        if self._capacity is None:
            return True
        return self._capacity.has_room(
            node.options.resources,
            [self.nodes[node_id].options.resources for node_id in self._running],
        )

    def _record(self, result: NodeResult) -> None:
        self._running.discard(result.node_id)
        if self.nodes[result.node_id].ir.execution_options.node_success_optional:
            result = replace(result, is_optional=True)
        self._results[result.node_id] = result
        self._on_finish(result)

    def _settle(self) -> None:
        """Give a result to each node that can never start. Upstream nodes come first in `nodes`."""
        for node in self.nodes.values():
            if node.node_id in self._results or node.node_id in self._running or node.is_exit_handler:
                continue
            if self._cancel_reason:
                self._record(NodeResult(node.node_id, NodeState.CANCELLED, reason=self._cancel_reason))
                continue
            reason = self._obstacle(node) if node.is_selected else ""
            if reason:
                if any(self._is_broken(name) for name in (*node.upstream, *node.after)):
                    self._broken.add(node.node_id)
                self._record(NodeResult(node.node_id, NodeState.SKIPPED, reason=reason))

    def _gave_its_outputs(self, result: NodeResult) -> bool:
        """Whether what follows finds what it takes from a node, be it of an earlier run."""
        if result.state is NodeState.NOT_SELECTED:
            return bool(result.execution_id) or not self.nodes[result.node_id].ir.outputs.outputs
        return result.state in _SUCCEEDED

    def _is_broken(self, node_id: str) -> bool:
        """Whether a node failed, or was skipped because one that it needs failed."""
        result = self._results.get(node_id)
        return node_id in self._broken or (result is not None and result.is_failure)

    def _obstacle(self, node: PlannedNode) -> str:
        """Why a node can never start; empty where it still may."""
        if node.lifetime_start:
            start = self._results.get(_beside(node, node.lifetime_start))
            if start is not None and not self._gave_its_outputs(start):
                return _reason(start)
        if node.runs_after_failure:
            return ""
        for upstream in node.upstream:
            result = self._results.get(upstream)
            if result is None or self._gave_its_outputs(result):
                continue
            # An input that may stay empty lets a node run without it: its driver decides.
            is_left_out = result.state is NodeState.SKIPPED or result.is_optional
            is_left_out = is_left_out and upstream not in self._broken
            if is_left_out and node.may_lack(upstream):
                continue
            return _reason(result)
        for name in node.after:
            result = self._results.get(name)
            if result is not None and self._is_broken(name):
                return _reason(result)
        return ""


def _beside(node: PlannedNode, name: str) -> str:
    """The id in the plan of a node of the same pipeline."""
    prefix, dot, _ = node.node_id.rpartition(".")
    return f"{prefix}{dot}{name}"


def _reason(result: NodeResult) -> str:
    if result.state is NodeState.SKIPPED and result.reason.startswith("upstream "):
        return result.reason
    verb = "failed" if result.state is NodeState.FAILED else f"was {result.state.value}"
    return f"upstream {result.node_id} {verb}"
