"""TFX's pipeline, with definition errors that name the nodes."""

from __future__ import annotations

import collections
import graphlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

from headrace.authoring.light import authoring
from headrace.errors import CycleError, DuplicateNodeError

with authoring():
    from tfx.dsl.components.base.base_node import BaseNode
    from tfx.dsl.context_managers.dsl_context_registry import DslContextRegistry
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.types.channel import OutputChannel
    from tfx.utils import topsort

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from ml_metadata.proto.metadata_store_pb2 import ConnectionConfig
    from typing_extensions import Unpack


class PipelineOptions(TypedDict, total=False):
    """The further arguments of TFX's pipeline."""

    platform_config: Message | None
    execution_mode: tfx_pipeline.ExecutionMode
    inputs: tfx_pipeline.PipelineInputs | None
    outputs: dict[str, OutputChannel] | None
    dsl_context_registry: DslContextRegistry | None


class Pipeline(tfx_pipeline.Pipeline):
    """`tfx.dsl.Pipeline`, taking the same arguments and running wherever that runs; its cache is on by default.

    Args:
        pipeline_name: The pipeline's name; runs, caches and "latest blessed" are looked up under it.
        pipeline_root: Where artifacts go; Headrace's store where it is left out.
        metadata_connection_config: Where metadata go; Headrace's store where it is left out.
        components: The nodes, in any order.
        enable_cache: Whether nodes reuse the outputs of earlier equal executions.
        beam_pipeline_args: Arguments for the Beam pipelines of the components.
        options: Further arguments of TFX's pipeline: `PipelineOptions`.

    Raises:
        DuplicateNodeError: If two nodes have one id, or a node has the pipeline's.
        CycleError: If nodes wait for each other, naming them in order.

    Example:
        >>> from headrace.components import CsvExampleGen, StatisticsGen
        >>> examples = CsvExampleGen(input_base="data")
        >>> statistics = StatisticsGen(examples=examples.outputs["examples"])
        >>> pipeline = Pipeline("demo", components=[examples, statistics])
    """

    def __init__(
        self,
        pipeline_name: str,
        pipeline_root: str = "",
        metadata_connection_config: ConnectionConfig | None = None,
        components: Iterable[BaseNode] = (),
        enable_cache: bool = True,
        beam_pipeline_args: list[str] | None = None,
        **options: Unpack[PipelineOptions],
    ) -> None:
        super().__init__(
            pipeline_name,
            pipeline_root,
            metadata_connection_config,
            components,
            enable_cache,
            beam_pipeline_args,
            **options,
        )

    def _set_components(self, components: Iterable[BaseNode]) -> None:
        nodes = list(dict.fromkeys(components))
        check_ids(self.id, nodes)
        try:
            super()._set_components(nodes)
        except topsort.InvalidDAGError as error:
            raise cycle_error(self.id, nodes) from error


def check_ids(pipeline_name: str, nodes: Iterable[BaseNode]) -> None:
    """Check that no two nodes have one id.

    Raises:
        DuplicateNodeError: If two have, or one has the pipeline's.
    """
    nodes = list(nodes)
    if any(node.id == pipeline_name for node in nodes):
        raise DuplicateNodeError(
            f"pipeline '{pipeline_name}': a node has the pipeline's own id.",
            f"give the node another id, such as .with_id('{pipeline_name}_node'), or the pipeline another name.",
        )
    for node_id, count in collections.Counter(node.id for node in nodes).items():
        if count > 1:
            raise DuplicateNodeError(
                f"pipeline '{pipeline_name}': {count} nodes have the id '{node_id}'.",
                f"give each its own id, such as .with_id('{node_id}_2').",
            )


def cycle_error(pipeline_name: str, nodes: Iterable[BaseNode]) -> CycleError:
    """Return the error that names one cycle among `nodes`."""
    graph = {node.id: [upstream.id for upstream in node.upstream_nodes] for node in nodes}
    try:
        graphlib.TopologicalSorter(graph).prepare()
        path = "unknown"
    except graphlib.CycleError as error:
        path = " -> ".join(error.args[1])
    return CycleError(
        f"pipeline '{pipeline_name}': nodes wait for each other in a cycle: {path}.",
        "remove one of these connections, or the add_upstream_node that closes the cycle.",
    )
