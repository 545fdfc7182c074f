"""From a compiled pipeline to a flat list of nodes: inner pipelines are laid open.

An inner pipeline `training` becomes the nodes `training_begin`, `training.Trainer`, ..., `training_end`. The
two at its ends are TFX's: the first publishes the pipeline's inputs, the last its outputs, so that TFX's own
resolution of inputs finds both.

`Channel(type, producer_component_id="ExampleGen")` stands for what the node made in any run. A node that looks
there waits for the node, so that it finds what this run makes. Where that node itself depends on the one that
looks, as a Trainer that starts from its own latest model, what is meant was made by an earlier run: nothing waits.
A channel of a type alone names no node, and waits for none; `add_upstream_node` says so where one is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from headrace.authoring.light import authoring
from headrace.authoring.node_options import NO_OPTIONS, NodeOptions
from headrace.errors import UnsupportedFeatureError
from headrace.orchestration.plan import lookups
from headrace.orchestration.plan.plan import NodeKind, PlannedNode

with authoring():
    from tfx.dsl.compiler import constants, placeholder_utils
    from tfx.orchestration.local import runner_utils
    from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

_SYSTEM_TYPES = {
    "tfx.dsl.components.common.importer.Importer": NodeKind.IMPORTER,
    "tfx.dsl.components.common.resolver.Resolver": NodeKind.RESOLVER,
}
_ENDS = {
    NodeKind.BEGIN: constants.PIPELINE_BEGIN_NODE_SUFFIX,
    NodeKind.END: constants.PIPELINE_END_NODE_SUFFIX,
}


def plan_nodes(
    ir: pipeline_pb2.Pipeline, options: Mapping[str, NodeOptions] | None = None
) -> list[PlannedNode]:
    """Return the nodes of an IR, inner pipelines' included, in topological order.

    Args:
        ir: The pipeline.
        options: What was asked for nodes, by node id; what TFX has a place for is written into the IR.
    """
    nodes = lookups.ordered(list(_nodes(ir, "", (), options or {})))
    return [replace(node, may_find_nothing=_may_find_nothing(node, nodes)) for node in nodes]


def _may_find_nothing(node: PlannedNode, nodes: Sequence[PlannedNode]) -> bool:
    followers = [other for other in nodes if node.node_id in other.upstream]
    return (
        node.kind is NodeKind.RESOLVER
        and bool(followers)
        and all(other.may_lack(node.node_id) for other in followers)
    )


def _nodes(
    ir: pipeline_pb2.Pipeline, prefix: str, outer: tuple[str, ...], options: Mapping[str, NodeOptions]
) -> Iterator[PlannedNode]:
    """Yield the nodes of one pipeline.

    Args:
        ir: The pipeline.
        prefix: What its node ids begin with; empty for the outermost.
        outer: For an inner pipeline, what it waits for.
        options: What was asked for nodes.
    """
    config = _deployment(ir)
    executors = {name: runner_utils.extract_executor_spec(config, name) for name in config.executor_specs}
    drivers = {
        name: runner_utils.extract_custom_driver_spec(config, name) for name in config.custom_driver_specs
    }
    places = dict(_places(ir, prefix))
    inside: list[str] = []
    # What a node that waits for nothing inside waits for.
    entrance: tuple[str, ...] = ()
    for entry in ir.nodes:
        if entry.WhichOneof("node") == "sub_pipeline":
            inner = entry.sub_pipeline
            upstream = _upstream(inner.nodes[0].pipeline_node, places) or entrance
            found = list(_nodes(inner, f"{prefix}{inner.pipeline_info.id}.", upstream, options))
            inside += [node.node_id for node in found]
            yield from found
            continue
        node = entry.pipeline_node
        name, kind = node.node_info.id, _kind(ir, node)
        node_id = places[name]
        asked = options.get(node_id, NO_OPTIONS)
        _write(asked, node.execution_options)
        yield PlannedNode(
            node_id,
            node,
            outer if kind is NodeKind.BEGIN else _upstream(node, places) or entrance,
            kind=kind,
            after=tuple(inside) if kind is NodeKind.END else (),
            looks_at=lookups.nodes_looked_at(node, ir.pipeline_info.id, places),
            pipeline_info=ir.pipeline_info,
            executor_spec=executors.get(name),
            driver_spec=drivers.get(name),
            options=asked,
        )
        inside.append(node_id)
        if kind is NodeKind.BEGIN:
            entrance = (node_id,)


def _write(asked: NodeOptions, options: pipeline_pb2.NodeExecutionOptions) -> None:
    """Write what was asked where TFX's own options are read from."""
    if asked.retries is not None:
        options.max_execution_retries = asked.retries
    if asked.timeout_seconds is not None:
        options.execution_timeout_sec = asked.timeout_seconds


def _upstream(node: pipeline_pb2.PipelineNode, places: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(places[name] for name in node.upstream_nodes if name in places))


def _places(ir: pipeline_pb2.Pipeline, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield for each name that a node of this pipeline may wait for the id of that node in the plan."""
    for entry in ir.nodes:
        if entry.WhichOneof("node") == "sub_pipeline":
            name = entry.sub_pipeline.pipeline_info.id
            yield name, f"{prefix}{name}{constants.PIPELINE_END_NODE_SUFFIX}"
            continue
        name = entry.pipeline_node.node_info.id
        if prefix and _kind(ir, entry.pipeline_node) in (NodeKind.BEGIN, NodeKind.END):
            # It carries the pipeline's name already.
            yield name, f"{prefix.removesuffix(f'{ir.pipeline_info.id}.')}{name}"
        else:
            yield name, f"{prefix}{name}"


def _kind(ir: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> NodeKind:
    for kind, suffix in _ENDS.items():
        if node.node_info.id == f"{ir.pipeline_info.id}{suffix}" and node.node_info.type.name.endswith(
            suffix
        ):
            return kind
    return _SYSTEM_TYPES.get(node.node_info.type.name, NodeKind.COMPONENT)


def _deployment(ir: pipeline_pb2.Pipeline) -> Any:
    """Return TFX's local deployment configuration of a pipeline.

    Platform configurations are meant for other platforms, and TFX's function refuses those it does not know.
    """
    intermediate = pipeline_pb2.IntermediateDeploymentConfig()
    if not ir.deployment_config.Unpack(intermediate):
        return runner_utils.extract_local_deployment_config(ir)
    intermediate.node_level_platform_configs.clear()
    bare = pipeline_pb2.Pipeline()
    bare.deployment_config.Pack(intermediate)
    return runner_utils.extract_local_deployment_config(bare)


def add_beam_arguments(nodes: Iterable[PlannedNode], arguments: Iterable[str]) -> None:
    """Give Beam arguments to each node that uses Beam, after its own: of two equal ones Beam takes the last."""
    for node in nodes:
        if isinstance(node.executor_spec, executable_spec_pb2.BeamExecutableSpec):
            for argument in arguments:
                # As TFX writes them: Beam is started with the placeholders.
                node.executor_spec.beam_pipeline_args.append(argument)
                node.executor_spec.beam_pipeline_args_placeholders.add().value.string_value = argument


def connection_config(ir: pipeline_pb2.Pipeline) -> Any:
    """Return the connection that the pipeline names for its metadata; `None` where it names none."""
    config = _deployment(ir).metadata_connection_config
    which = config.WhichOneof("connection_config")
    return getattr(config, which) if which else None


def declared_root(ir: pipeline_pb2.Pipeline) -> str:
    """Return the root that the pipeline names for its artifacts; empty where it names none."""
    root = ir.runtime_spec.pipeline_root
    which = root.WhichOneof("value")
    if which == "runtime_parameter":
        return str(root.runtime_parameter.default_value.string_value)
    if which == "placeholder":
        context = placeholder_utils.empty_placeholder_context()
        return str(placeholder_utils.resolve_placeholder_expression(root.placeholder, context))
    return str(root.field_value.string_value)


def refuse_containers(nodes: list[PlannedNode]) -> None:
    """Refuse a run that would have to start containers, before anything starts.

    Raises:
        UnsupportedFeatureError: If a node that is to run is a container component.
    """
    for node in nodes:
        if node.is_selected and isinstance(node.executor_spec, executable_spec_pb2.ContainerExecutableSpec):
            raise UnsupportedFeatureError(
                f"{node.node_id} is a container component (image {node.executor_spec.image}), and Headrace starts "
                "no containers.",
                "run this pipeline with a runner that has Docker, or write the step as a Python component.",
            )
