"""The artifacts of a store as a list."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from headrace.authoring.light import authoring
from headrace.errors import StoreError, did_you_mean, listed
from headrace.store.open.store import Store
from headrace.store.read import graph, queries, run_records
from headrace.store.read.artifacts import ArtifactRecord, artifact_info, artifact_record
from headrace.store.read.executions import RUN_CONTEXT_TYPE
from headrace.store.read.lineage import find_artifact
from headrace.store.read.queries import Condition

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_PAGE = 50


def newest_artifacts(
    store: Store,
    *,
    type_name: str = "",
    run_id: str = "",
    pipeline_name: str = "",
    with_deleted: bool = False,
    limit: int | None = None,
) -> Iterator[ArtifactRecord]:
    """Return the artifacts of an open store, newest first, read from it as they are asked for.

    Args:
        store: The open store.
        type_name: Only this artifact type.
        run_id: Only what this run made or reused; or `"latest"`.
        pipeline_name: Only what this pipeline made or reused.
        with_deleted: Whether to yield also what was removed.
        limit: At most so many; all where it is `None`.

    Raises:
        StoreError: If the store has no such type, run or pipeline; the message names those it has.
    """
    condition = _condition(store, type_name, run_id, pipeline_name, with_deleted)
    page = _PAGE if limit is None else max(1, min(limit, _PAGE))
    return _records(store, queries.artifacts(queries.reader_of(store), condition, page), page, limit)


def _records(
    store: Store, protos: Iterator[metadata_store_pb2.Artifact], page: int, limit: int | None
) -> Iterator[ArtifactRecord]:
    left = itertools.islice(protos, limit)
    while found := list(itertools.islice(left, page)):
        yield from _records_of(store, found)


def read_artifact(store: Store, name: str) -> ArtifactRecord:
    """Return an artifact of an open store, by its id, its URI, or `RUN/NODE.key`.

    Raises:
        StoreError: If there is no such artifact.
        UnknownNodeError: If the run has no such node.
    """
    artifact_id = find_artifact(store, name)
    with store.handle() as handle:
        protos = handle.store.get_artifacts_by_id([artifact_id])
    return _records_of(store, protos)[0]


def _records_of(store: Store, protos: Sequence[metadata_store_pb2.Artifact]) -> list[ArtifactRecord]:
    """Return what is told of artifacts that were read, with what made each."""
    with store.handle() as handle:
        origins = graph.origins(graph.links_of_artifacts(handle, {proto.id for proto in protos}))
        places = graph.read_places(handle, {link.execution_id for link in origins.values()})
    records = []
    for proto in protos:
        origin = origins.get(proto.id)
        place = places[origin.execution_id] if origin else graph.Place()
        records.append(
            artifact_record(
                artifact_info(proto),
                pipeline_name=place.pipeline_name,
                run_id=place.run_id,
                node_id=place.node_id,
                key=origin.key if origin else "",
                execution_id=origin.execution_id if origin else 0,
            )
        )
    return records


def _condition(
    store: Store, type_name: str, run_id: str, pipeline_name: str, with_deleted: bool
) -> Condition:
    context_ids = []
    if type_name:
        with store.handle() as handle:
            known = [kind.name for kind in handle.store.get_artifact_types()]
        if type_name not in known:
            raise StoreError(
                f"the store {store.path} has no artifacts of type '{type_name}'. Its types are {listed(known)}.",
                f"{did_you_mean(type_name, known)}Correct the name.",
            )
    if run_id:
        run_id = run_records.read_run(store, run_id).run_id
        with store.handle() as handle:
            context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
        context_ids.append(context.id)
    if pipeline_name:
        context_ids.append(run_records.pipeline_context(store, pipeline_name))
    states = () if with_deleted else (metadata_store_pb2.Artifact.LIVE,)
    return Condition(type_name, states, tuple(context_ids))
