"""Inner pipelines laid open: what their nodes are called, and what they wait for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headrace.authoring.light import authoring
from headrace.authoring.node_options import NodeOptions
from headrace.authoring.resources import Resources
from headrace.orchestration.plan import pipeline_graph
from headrace.orchestration.plan.plan import NodeKind, PlannedNode

with authoring():
    from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2


def _add(
    ir: pipeline_pb2.Pipeline, name: str, *upstream: str, kind: str = "work"
) -> pipeline_pb2.PipelineNode:
    added = ir.nodes.add().pipeline_node
    added.node_info.id = name
    added.node_info.type.name = kind
    added.upstream_nodes.extend(upstream)
    return added


@pytest.fixture
def ir() -> pipeline_pb2.Pipeline:
    """`First`, then the pipeline `inner` of two nodes that wait for nobody inside, then `Last`."""
    outer = pipeline_pb2.Pipeline()
    outer.pipeline_info.id = "outer"
    outer.deployment_config.Pack(pipeline_pb2.IntermediateDeploymentConfig())
    _add(outer, "First")
    inner = outer.nodes.add().sub_pipeline
    inner.pipeline_info.id = "inner"
    inner.deployment_config.Pack(pipeline_pb2.IntermediateDeploymentConfig())
    _add(inner, "inner_begin", "First", kind="inner_begin")
    _add(inner, "A")
    _add(inner, "B")
    _add(inner, "inner_end", "A", kind="inner_end")
    _add(outer, "Last", "inner")
    return outer


def test_inner_nodes_wait_for_their_begin_and_the_end_for_all_of_them(ir: pipeline_pb2.Pipeline):
    nodes = {node.node_id: node for node in pipeline_graph.plan_nodes(ir)}

    assert list(nodes) == ["First", "inner_begin", "inner.A", "inner.B", "inner_end", "Last"]
    assert {name: node.upstream for name, node in nodes.items()} == {
        "First": (),
        "inner_begin": ("First",),
        "inner.A": ("inner_begin",),
        "inner.B": ("inner_begin",),
        "inner_end": ("inner.A",),
        "Last": ("inner_end",),
    }
    assert nodes["inner_end"].after == ("inner_begin", "inner.A", "inner.B")
    assert nodes["inner_end"].kind is NodeKind.END


def test_what_an_inner_node_asks_of_the_machine_is_heard(ir: pipeline_pb2.Pipeline):
    """By its id in the plan: two pipelines may have a node of one name."""
    big = NodeOptions(cpus=8.0)

    nodes = {node.node_id: node for node in pipeline_graph.plan_nodes(ir, {"inner.A": big})}

    assert nodes["inner.A"].options == big
    assert nodes["inner.B"].options.resources == Resources()


def test_arguments_for_beam_follow_those_of_the_node():
    """Beam is started with the placeholders, and of two equal arguments takes the last."""
    spec = executable_spec_pb2.BeamExecutableSpec(beam_pipeline_args=["--a=1"])
    spec.beam_pipeline_args_placeholders.add().value.string_value = "--a=1"
    plain = executable_spec_pb2.PythonClassExecutableSpec(class_path="a.B")
    nodes = [
        PlannedNode(name, pipeline_pb2.PipelineNode(), (), executor_spec=kind)
        for name, kind in (("beam", spec), ("plain", plain), ("none", None))
    ]

    pipeline_graph.add_beam_arguments(nodes, ["--a=2"])

    assert list(spec.beam_pipeline_args) == ["--a=1", "--a=2"]
    assert [one.value.string_value for one in spec.beam_pipeline_args_placeholders] == ["--a=1", "--a=2"]
    assert plain == executable_spec_pb2.PythonClassExecutableSpec(class_path="a.B")


@pytest.mark.parametrize(("min_counts", "may_find_nothing"), [([0, 0], True), ([0, 1], False), ([], False)])
def test_a_resolver_may_find_nothing_where_nobody_needs_it(min_counts: list[int], may_find_nothing: bool):
    ir = pipeline_pb2.PipelineNode()
    resolver = PlannedNode("Resolver", ir, (), kind=NodeKind.RESOLVER)
    followers = []
    for number, min_count in enumerate(min_counts):
        follower = PlannedNode(f"n{number}", pipeline_pb2.PipelineNode(), ("Resolver",))
        spec = follower.ir.inputs.inputs["model"]
        spec.min_count = min_count
        spec.channels.add().producer_node_query.id = "Resolver"
        followers.append(follower)
    nodes = [resolver, *followers]

    assert pipeline_graph._may_find_nothing(resolver, nodes) is may_find_nothing
    assert not pipeline_graph._may_find_nothing(replace(resolver, kind=NodeKind.COMPONENT), nodes)
