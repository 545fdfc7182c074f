"""The nodes that a component depends on, as the objects it was connected to."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from headrace.authoring import BaseChannel, BaseNode, tfx_internals
from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.context_managers import dsl_context_registry
    from tfx.dsl.experimental.conditionals import conditional
    from tfx.dsl.input_resolution import resolver_op
    from tfx.types import channel_utils
    from tfx.types.channel import OutputChannel, UnionChannel


def producers(node: BaseNode, find: Callable[[str], BaseNode | None]) -> list[BaseNode]:
    """Return the nodes that `node` takes something from, or was told to come after.

    Args:
        node: A node.
        find: Gives the node of an id, for channels that hold the id only.
    """
    channels = list(node.inputs.values())
    for value in node.exec_properties.values():
        if hasattr(value, "traverse"):
            channels.extend(channel_utils.get_dependent_channels(value))
    for predicate in conditions(node):
        channels.extend(channel_utils.get_dependent_channels(predicate))
    found = [producer for channel in channels for producer in _channel_producers(channel, find)]
    found += sorted(node.upstream_nodes, key=lambda upstream: str(upstream.id))
    return list(dict.fromkeys(found))


def conditions(node: BaseNode) -> list[Any]:
    """Return the predicates under which a node was made."""
    registry = dsl_context_registry.get()
    return list(conditional.get_predicates(node, registry)) if node in registry.all_nodes else []


def _channel_producers(channel: Any, find: Callable[[str], BaseNode | None]) -> list[BaseNode]:
    if isinstance(channel, OutputChannel):
        return [channel.producer_component]
    if isinstance(channel, UnionChannel):
        return [producer for part in channel.channels for producer in _channel_producers(part, find)]
    output_node = getattr(channel, "output_node", None)
    if output_node is not None:
        wrapped: list[Any] = []
        for input_node in resolver_op.get_input_nodes(output_node):
            inner = input_node.wrapped
            wrapped.extend(inner.values() if isinstance(inner, Mapping) else [inner])
        return [
            producer
            for part in wrapped
            if isinstance(part, BaseChannel)
            for producer in _channel_producers(part, find)
        ]
    found = (find(node_id) for node_id in sorted(channel.get_data_dependent_node_ids()))
    return [producer for producer in found if producer is not None]


def closure(node: BaseNode, find: Callable[[str], BaseNode | None]) -> list[BaseNode]:
    """Return `node` and all it depends on, each after what it depends on; `node` is the last."""
    ordered: dict[BaseNode, None] = {}
    entered: set[BaseNode] = set()

    def visit(current: BaseNode) -> None:
        if current in entered:
            return
        entered.add(current)
        for producer in producers(current, find):
            visit(producer)
        ordered[current] = None

    visit(node)
    return list(ordered)


@contextlib.contextmanager
def set_apart(nodes: Sequence[BaseNode]) -> Iterator[Any]:
    """Lend nodes to a pipeline of their own, and take back what it writes on them.

    A TFX pipeline writes its edges and Beam arguments into its components. The next pipeline, with other
    nodes, would not compile.

    Yields:
        The registry of these nodes, for `Pipeline(dsl_context_registry=...)`.
    """
    chosen = set(nodes)
    edges = {node: tfx_internals.edges_of(node) for node in nodes}
    arguments = {
        node: list(node.executor_spec.beam_pipeline_args)
        for node in nodes
        if hasattr(node.executor_spec, "beam_pipeline_args")
    }
    registry = copy.copy(dsl_context_registry.get())
    for node in nodes:
        if node not in registry.all_nodes:
            registry.all_nodes.append(node)
    try:
        for node, (upstream, downstream) in edges.items():
            tfx_internals.set_edges(node, upstream & chosen, downstream & chosen)
        yield registry.extract_for_pipeline(list(nodes))
    finally:
        for node, (upstream, downstream) in edges.items():
            tfx_internals.set_edges(node, upstream, downstream)
        for node, given in arguments.items():
            node.executor_spec.beam_pipeline_args = given
