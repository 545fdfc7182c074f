"""The plan of a run: which nodes there are, which may start, and why others never will."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from headrace.errors import UnknownNodeError, did_you_mean, listed
from headrace.orchestration.events import NodeResult, NodeState
from headrace.sdk.light import authoring

with authoring():
    from tfx.proto.orchestration import pipeline_pb2

_SUCCEEDED = (NodeState.DONE, NodeState.CACHED)
_RUNS_AFTER_FAILURE = ("ALL_UPSTREAM_NODES_COMPLETED", "LAZILY_ALL_UPSTREAM_NODES_COMPLETED")


@dataclass(frozen=True)
class PlannedNode:
    """One node of the plan.

    Attributes:
        node_id: Its id.
        ir: Its definition in the pipeline's IR.
        upstream: Ids of the nodes it waits for.
        is_selected: Whether this run may execute it; otherwise its last good outputs are reused.
    """

    node_id: str
    ir: pipeline_pb2.PipelineNode
    upstream: tuple[str, ...]
    is_selected: bool = True


class Plan:
    """The nodes of one run and how far each has come; safe to use from several threads.

    Args:
        nodes: In topological order.
        fail_fast: Whether a failed node also stops the nodes that do not depend on it.
        on_finish: Told of each node that will not run, as soon as that is known.
    """

    def __init__(
        self,
        nodes: Sequence[PlannedNode],
        fail_fast: bool = False,
        on_finish: Callable[[NodeResult], None] | None = None,
    ) -> None:
        self.nodes: Mapping[str, PlannedNode] = {node.node_id: node for node in nodes}
        self._results: dict[str, NodeResult] = {}
        self._running: set[str] = set()
        self._changed = threading.Condition()
        self._fail_fast = fail_fast
        self._on_finish = on_finish or (lambda result: None)
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
        """Take the next node whose upstream nodes are done.

        Args:
            wait: Whether to wait for one while others run. Without it, `None` may mean "not yet".

        Returns:
            The node, now running; `None` when nothing is left to start.
        """
        with self._changed:
            while True:
                self._settle()
                for node in self.nodes.values():
                    if (
                        node.node_id not in self._results
                        and node.node_id not in self._running
                        and (all(upstream in self._results for upstream in node.upstream))
                    ):
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
            if self._fail_fast and result.state is NodeState.FAILED:
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

    def _record(self, result: NodeResult) -> None:
        self._running.discard(result.node_id)
        self._results[result.node_id] = result
        self._on_finish(result)

    def _settle(self) -> None:
        """Give a result to each node that can never start. Upstream nodes come first in `nodes`."""
        for node in self.nodes.values():
            if node.node_id in self._results or node.node_id in self._running:
                continue
            if self._cancel_reason:
                self._record(NodeResult(node.node_id, NodeState.CANCELLED, reason=self._cancel_reason))
                continue
            if not node.is_selected or _runs_after_failure(node):
                continue
            for upstream in node.upstream:
                result = self._results.get(upstream)
                if result is None or result.state in _SUCCEEDED:
                    continue
                # An input that may stay empty lets a node run without the one that was skipped: its driver decides.
                if result.state is NodeState.SKIPPED and _has_optional_input_from(node, upstream):
                    continue
                self._record(NodeResult(node.node_id, NodeState.SKIPPED, reason=_reason(upstream, result)))
                break


def _reason(upstream: str, result: NodeResult) -> str:
    if result.state is NodeState.SKIPPED and result.reason.startswith("upstream "):
        return result.reason
    return (
        f"upstream {upstream} {result.state.value}"
        if result.state is NodeState.FAILED
        else (f"upstream {upstream} was {result.state.value}")
    )


def _runs_after_failure(node: PlannedNode) -> bool:
    strategy = node.ir.execution_options.strategy
    return pipeline_pb2.NodeExecutionOptions.TriggerStrategy.Name(strategy) in _RUNS_AFTER_FAILURE


def _has_optional_input_from(node: PlannedNode, upstream: str) -> bool:
    for spec in node.ir.inputs.inputs.values():
        if spec.min_count == 0 and any(
            channel.producer_node_query.id == upstream for channel in spec.channels
        ):
            return True
    return False


def select(
    nodes: Sequence[PlannedNode],
    from_nodes: Iterable[str] = (),
    to_nodes: Iterable[str] = (),
    only: Iterable[str] = (),
) -> list[PlannedNode]:
    """Mark which nodes a partial run executes.

    Args:
        nodes: All nodes, in topological order.
        from_nodes: Execute these and what depends on them.
        to_nodes: Execute these and what they depend on; with `from_nodes`, only what lies between.
        only: Execute exactly these.

    Raises:
        UnknownNodeError: If a name is not a node's id, naming those there are.
    """
    known = [node.node_id for node in nodes]
    starts, ends, exactly = list(from_nodes), list(to_nodes), list(only)
    for name in [*starts, *ends, *exactly]:
        if name not in known:
            raise UnknownNodeError(
                f"there is no node '{name}'. The pipeline has {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the node's name.",
            )
    if not (starts or ends or exactly):
        return list(nodes)
    selected = set(exactly)
    if starts or ends:
        below = _reachable(starts, _downstream(nodes)) if starts else set(known)
        above = _reachable(ends, {node.node_id: node.upstream for node in nodes}) if ends else set(known)
        selected |= below & above
    return [PlannedNode(n.node_id, n.ir, n.upstream, n.node_id in selected) for n in nodes]


def _downstream(nodes: Iterable[PlannedNode]) -> dict[str, tuple[str, ...]]:
    edges: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        edges.setdefault(node.node_id, ())
        for upstream in node.upstream:
            edges[upstream] = (*edges.get(upstream, ()), node.node_id)
    return edges


def _reachable(starts: Iterable[str], edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        node_id = waiting.pop()
        if node_id not in found:
            found.add(node_id)
            waiting.extend(edges.get(node_id, ()))
    return found
