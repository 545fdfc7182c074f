"""Which nodes a partial run executes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headrace.errors import UnknownNodeError, did_you_mean, listed
from headrace.orchestration.plan.plan import PlannedNode


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
        only: Execute exactly these. Here as above, the name of an inner pipeline means all its nodes.

    Raises:
        UnknownNodeError: If a name is not a node's id, naming those there are.
    """
    known = [node.node_id for node in nodes]
    starts, ends, exactly = (_named(names, known) for names in (from_nodes, to_nodes, only))
    if not (starts or ends or exactly):
        return list(nodes)
    selected = set(exactly)
    if starts or ends:
        upstream = {node.node_id: (*node.upstream, *node.after) for node in nodes}
        below = _reachable(starts, _reversed(upstream)) if starts else set(known)
        above = _reachable(ends, upstream) if ends else set(known)
        selected |= below & above
    return [replace(node, is_selected=node.node_id in selected) for node in nodes]


def _named(names: Iterable[str], known: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in [names] if isinstance(names, str) else names:
        ids = [name] if name in known else _inner_nodes(name, known)
        if not ids:
            raise UnknownNodeError(
                f"there is no node '{name}'. The pipeline has {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the node's name.",
            )
        found += ids
    return found


def _inner_nodes(name: str, known: Sequence[str]) -> list[str]:
    ends = (f"{name}_begin", f"{name}_end")
    if not all(end in known for end in ends):
        return []
    return [node_id for node_id in known if node_id.startswith(f"{name}.") or node_id in ends]


def _reversed(edges: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node_id: [] for node_id in edges}
    for node_id, upstream in edges.items():
        for name in upstream:
            found.setdefault(name, []).append(node_id)
    return found


def _reachable(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        node_id = waiting.pop()
        if node_id not in found:
            found.add(node_id)
            waiting.extend(edges.get(node_id, ()))
    return found
