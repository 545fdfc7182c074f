"""Nodes that look for what other nodes of their pipeline made, in whichever run: `Channel(producer_component_id=...)`.

TFX's compiler makes no edge of such a channel. Its runner executes nodes one after another, by layers of the graph
and in each by name, so it finds this run's outputs or not as the names have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headrace.authoring.light import authoring
from headrace.orchestration.plan.plan import PlannedNode
from headrace.store.read.executions import NODE_CONTEXT_TYPE

with authoring():
    from tfx.proto.orchestration import pipeline_pb2


def nodes_looked_at(
    node: pipeline_pb2.PipelineNode, pipeline_name: str, places: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the ids in the plan of the nodes that a node's inputs name.

    Args:
        node: The node.
        pipeline_name: Its pipeline.
        places: For each name that a node of this pipeline may wait for, the id of that node in the plan.
    """
    found = (
        places.get(query.name.field_value.string_value.removeprefix(f"{pipeline_name}."))
        for spec in node.inputs.inputs.values()
        for channel in spec.channels
        for query in channel.context_queries
        if query.type.name == NODE_CONTEXT_TYPE
        and query.name.field_value.string_value.startswith(f"{pipeline_name}.")
    )
    # What is connected as well is waited for as upstream.
    return tuple(dict.fromkeys(place for place in found if place and place not in node.upstream_nodes))


def ordered(nodes: Sequence[PlannedNode]) -> list[PlannedNode]:
    """Return nodes with what they look at in `after`, where that closes no cycle, in topological order.

    Args:
        nodes: In topological order but for what they look at.
    """
    awaited = {node.node_id: dict.fromkeys((*node.upstream, *node.after)) for node in nodes}
    found = []
    for node in nodes:
        extra = [
            name
            for name in node.looks_at
            if name not in awaited[node.node_id] and not _depends(name, node.node_id, awaited)
        ]
        awaited[node.node_id].update(dict.fromkeys(extra))
        found.append(replace(node, after=(*node.after, *extra)) if extra else node)
    return _sorted(found, awaited)


def _depends(node_id: str, on: str, awaited: Mapping[str, Mapping[str, None]]) -> bool:
    """Whether a node is, or waits directly or not for, another."""
    seen: set[str] = set()
    waiting = [node_id]
    while waiting:
        name = waiting.pop()
        if name == on:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(awaited.get(name, ()))
    return False


def _sorted(nodes: Sequence[PlannedNode], awaited: Mapping[str, Mapping[str, None]]) -> list[PlannedNode]:
    """Sort topologically, keeping the order where it is one."""
    found: dict[str, PlannedNode] = {}
    by_id = {node.node_id: node for node in nodes}
    for node in nodes:
        stack = [node.node_id]
        while stack:
            missing = [name for name in awaited[stack[-1]] if name in by_id and name not in found]
            if missing:
                stack.append(missing[0])
            else:
                node_id = stack.pop()
                found[node_id] = by_id[node_id]
    return list(found.values())
