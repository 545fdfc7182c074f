"""What a page about an artifact, or about a run, needs from the store besides the files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.store.open.store import Store
from headrace.store.read import graph, queries
from headrace.store.read.artifacts import ArtifactInfo, artifact_info
from headrace.store.read.executions import NODE_CONTEXT_TYPE, outputs_of
from headrace.store.read.graph import Place
from headrace.store.read.lineage import find_artifact
from headrace.store.read.queries import Condition
from headrace.store.read.run_records import read_command
from headrace.store.read.typed_artifacts import typed
from headrace.store.records import Json
from headrace.store.results import RunResult

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_MAX_EARLIER = 20
_PLAIN = ("string_value", "int_value", "double_value", "bool_value")
# Properties that Headrace keeps for itself begin with this.
_OWN = "headrace_"

Artifacts = Mapping[str, list[Artifact]]


@dataclass(frozen=True)
class Subject:
    """An artifact with what stands around it.

    Attributes:
        artifact: The artifact with its properties.
        info: What is told of it in lists.
        place: The run and node that made it; empty parts where that is not known.
        key: The output key under which it was made.
        inputs: What the node that made it read, by input key.
        outputs: What it made, this artifact among them, by output key.
        predecessor: The artifact that the same node made under the same key before; `None` for the first.
        command: What started the run that made it; empty where that is not known.
        parameters: What the node that made it was given, by name, as TFX records it: numbers and texts.
    """

    artifact: Artifact
    info: ArtifactInfo
    place: Place = field(default_factory=Place)
    key: str = ""
    inputs: Artifacts = field(default_factory=dict)
    outputs: Artifacts = field(default_factory=dict)
    predecessor: Artifact | None = None
    command: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class RunGraph:
    """How the nodes of a run hang together and when each ran.

    Attributes:
        edges: Pairs of node ids: the second read what the first made.
        times: Start and end by node id, in local time; nodes that did not run are left out.
    """

    edges: tuple[tuple[str, str], ...]
    times: dict[str, tuple[datetime, datetime]]


def read_subjects(store: Store, artifact_ids: Sequence[int]) -> list[Subject]:
    """Return artifacts of an open store with what stands around each, in the order asked for.

    Raises:
        StoreError: If there is no such artifact.
    """
    return [_subject(store, artifact_id) for artifact_id in artifact_ids]


def _subject(store: Store, artifact_id: int) -> Subject:
    find_artifact(store, str(artifact_id))
    with store.handle() as handle:
        found = _read_artifacts(handle, [artifact_id])
        artifact = found[artifact_id]
        info = artifact_info(artifact.mlmd_artifact)
        origin = graph.origins(graph.links_of_artifacts(handle, [artifact_id])).get(artifact_id)
        if origin is None:
            return Subject(artifact, info)
        place = graph.read_places(handle, [origin.execution_id])[origin.execution_id]
        links = graph.links_of_executions(handle, [origin.execution_id])
        inputs = [link for link in links if not link.is_output]
        read = _read_artifacts(handle, [link.artifact_id for link in inputs])
        by_key: dict[str, list[Artifact]] = {}
        for link in sorted(inputs, key=lambda link: (link.key, link.index)):
            by_key.setdefault(link.key, []).append(read[link.artifact_id])
        predecessor = _predecessor(handle, artifact, place, origin.key)
        command = read_command(handle, place.run_id)
        parameters = _parameters(handle, origin.execution_id)
    outputs = outputs_of(store, origin.execution_id)
    return Subject(artifact, info, place, origin.key, by_key, outputs, predecessor, command, parameters)


def _parameters(handle: Any, execution_id: int) -> dict[str, Json]:
    [execution] = handle.store.get_executions_by_id([execution_id])
    found = {**execution.properties, **execution.custom_properties}
    return {
        name: getattr(value, kind)
        for name, value in sorted(found.items())
        if (kind := value.WhichOneof("value")) in _PLAIN and not name.startswith(_OWN)
    }


def _read_artifacts(handle: Any, artifact_ids: list[int]) -> dict[int, Artifact]:
    protos = list(handle.store.get_artifacts_by_id(sorted(set(artifact_ids)))) if artifact_ids else []
    return {artifact.id: artifact for artifact in typed(handle, protos)}


def _predecessor(handle: Any, artifact: Artifact, place: Place, key: str) -> Artifact | None:
    node = f"{place.pipeline_name}.{place.node_id}"
    context = handle.store.get_context_by_type_and_name(NODE_CONTEXT_TYPE, node) if place.node_id else None
    if context is None:
        return None
    condition = Condition(
        artifact.type_name, (metadata_store_pb2.Artifact.LIVE,), (context.id,), before_id=artifact.id
    )
    found = queries.artifacts(queries.reader_of_mlmd(handle.store), condition, _MAX_EARLIER)
    earlier = [proto.id for proto in itertools.islice(found, _MAX_EARLIER)]
    links = graph.origins(graph.links_of_artifacts(handle, earlier))
    same = [artifact_id for artifact_id in earlier if artifact_id in links and links[artifact_id].key == key]
    return _read_artifacts(handle, same[:1]).get(same[0]) if same else None


def read_run_graph(store: Store, result: RunResult) -> RunGraph:
    """Return how the nodes of a run of an open store hang together and when each ran."""
    makers = {output.artifact_id: node.node_id for node in result.nodes for output in node.outputs}
    nodes = {node.execution_id: node for node in result.nodes if node.execution_id}
    with store.handle() as handle:
        read = _inputs(handle, result)
        executions = handle.store.get_executions_by_id(sorted(nodes)) if nodes else []
    edges = {(makers[artifact_id], node_id): None for node_id, artifact_id in read if artifact_id in makers}
    times = {
        nodes[execution.id].node_id: (
            _local(execution.create_time_since_epoch),
            _local(execution.create_time_since_epoch + 1000 * nodes[execution.id].seconds),
        )
        for execution in executions
        if nodes[execution.id].log_path and nodes[execution.id].state.value != "cached"
    }
    return RunGraph(tuple(edge for edge in edges if edge[0] != edge[1]), times)


def _inputs(handle: Any, result: RunResult) -> list[tuple[str, int]]:
    """Which nodes of a run read which artifacts.

    A node that a partial run reused has an execution that, as TFX records it, has outputs only: what made these
    tells its inputs.
    """
    links = graph.links_of_executions(
        handle, [node.execution_id for node in result.nodes if node.execution_id]
    )
    known = {link.execution_id for link in links if not link.is_output}
    asked = {node.execution_id: node.node_id for node in result.nodes if node.execution_id in known}
    reused = {
        output.artifact_id: node.node_id
        for node in result.nodes
        if node.execution_id not in known
        for output in node.outputs
    }
    makers = graph.origins(graph.links_of_artifacts(handle, reused))
    made_by = {link.execution_id: reused[artifact_id] for artifact_id, link in makers.items()}
    links += graph.links_of_executions(handle, set(made_by) - set(asked))
    return [
        (node_id, link.artifact_id)
        for link in links
        if not link.is_output and (node_id := asked.get(link.execution_id) or made_by.get(link.execution_id))
    ]


def _local(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).astimezone()
