"""Artifacts, the executions that made and used them, and where these belong: read in batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from headrace.authoring.light import authoring
from headrace.store.read.artifacts import ArtifactInfo, artifact_info
from headrace.store.read.executions import NODE_CONTEXT_TYPE, RUN_CONTEXT_TYPE

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_BATCH = 2_000
OUTPUT_EVENTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Link:
    """An artifact at one end of an execution.

    Attributes:
        artifact_id: The artifact.
        execution_id: The execution.
        key: Input or output key.
        index: Place among the artifacts of this key.
        is_output: Whether the execution made the artifact, or published it again.
        is_reuse: Whether it published what another had made, from the cache or as a Resolver does. Told by
            `links_of_artifacts`.
    """

    artifact_id: int
    execution_id: int
    key: str
    index: int
    is_output: bool
    is_reuse: bool = False


@dataclass(frozen=True)
class Place:
    """Where an execution belongs; parts that are not known are empty."""

    pipeline_name: str = ""
    node_id: str = ""
    run_id: str = ""


def links_of_executions(handle: Any, execution_ids: Collection[int]) -> list[Link]:
    """Return the inputs and outputs of executions."""
    events: list[Link] = []
    for batch in batches(sorted(execution_ids)):
        events += map(_link, handle.store.get_events_by_execution_ids(batch))
    return events


def links_of_artifacts(handle: Any, artifact_ids: Collection[int]) -> list[Link]:
    """Return by which executions artifacts were made and used."""
    events: list[Link] = []
    for batch in batches(sorted(artifact_ids)):
        found = handle.store.get_events_by_artifact_ids(batch)
        reuses = _reuses(handle, found)
        events += [_link(event, event.execution_id in reuses) for event in found]
    return events


def _reuses(handle: Any, events: Sequence[metadata_store_pb2.Event]) -> set[int]:
    """The executions among several with one output that published what another had made."""
    publishers: dict[int, set[int]] = {}
    for event in events:
        if event.type in OUTPUT_EVENTS:
            publishers.setdefault(event.artifact_id, set()).add(event.execution_id)
    doubtful = {execution for several in publishers.values() if len(several) > 1 for execution in several}
    cached = {
        execution.id
        for batch in batches(sorted(doubtful))
        for execution in handle.store.get_executions_by_id(batch)
        if execution.last_known_state == metadata_store_pb2.Execution.CACHED
    }
    handed_on = metadata_store_pb2.Event.INTERNAL_OUTPUT
    return cached | {event.execution_id for event in events if event.type == handed_on}


def origins(links: Iterable[Link]) -> dict[int, Link]:
    """Return for each artifact the execution that made it: the first that published it and did not reuse it.

    The id alone does not tell: of two executions that want the same at once, either may make it.
    """
    found: dict[int, Link] = {}
    for link in links:
        known = found.get(link.artifact_id)
        if link.is_output and (known is None or _precedence(link) < _precedence(known)):
            found[link.artifact_id] = link
    return found


def _precedence(link: Link) -> tuple[bool, int]:
    return link.is_reuse, link.execution_id


def read_artifacts(handle: Any, artifact_ids: Collection[int]) -> dict[int, ArtifactInfo]:
    """Return what is told of artifacts, by id."""
    protos = [
        proto for batch in batches(sorted(artifact_ids)) for proto in handle.store.get_artifacts_by_id(batch)
    ]
    return {proto.id: artifact_info(proto) for proto in protos}


def read_places(handle: Any, execution_ids: Collection[int]) -> dict[int, Place]:
    """Return where executions belong, by id; one query for each."""
    types = {kind.id: kind.name for kind in handle.store.get_context_types()}
    return {
        execution_id: _place(handle.store.get_contexts_by_execution(execution_id), types)
        for execution_id in sorted(execution_ids)
    }


def _place(contexts: Sequence[metadata_store_pb2.Context], types: dict[int, str]) -> Place:
    named: dict[str, list[str]] = {}
    for context in contexts:
        named.setdefault(types.get(context.type_id, ""), []).append(context.name)
    pipeline_name, node_id = _node_place(named.get(NODE_CONTEXT_TYPE, []))
    # A node of an inner pipeline also belongs to a run named after that pipeline: `{pipeline}_{run}`.
    return Place(pipeline_name, node_id, min(named.get(RUN_CONTEXT_TYPE, []), key=len, default=""))


def _node_place(names: Sequence[str]) -> tuple[str, str]:
    """The pipeline and the node's id in the plan, from `outer.inner` and `inner.Node`."""
    inside = {outer: rest for outer, _, rest in (name.partition(".") for name in names)}
    pipeline_name = next((outer for outer in inside if outer not in inside.values()), "")
    path: list[str] = []
    current = pipeline_name
    while current in inside:
        current = inside.pop(current)
        path.append(current)
    if len(path) > 1 and path[-1] in (f"{path[-2]}_begin", f"{path[-2]}_end"):
        del path[-2]
    return pipeline_name, ".".join(path)


def _link(event: metadata_store_pb2.Event, is_reuse: bool = False) -> Link:
    steps = event.path.steps
    key = steps[0].key if len(steps) else ""
    index = steps[1].index if len(steps) > 1 else 0
    return Link(event.artifact_id, event.execution_id, key, index, event.type in OUTPUT_EVENTS, is_reuse)


def batches(values: Sequence[Value], size: int = _BATCH) -> Iterator[Sequence[Value]]:
    """Yield `values` in pieces that a database takes in one query."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
