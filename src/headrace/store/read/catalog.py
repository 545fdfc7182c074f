"""The artifacts of a store as a list."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import Any

from headrace.authoring.light import authoring
from headrace.errors import StoreError, did_you_mean, listed
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.read import graph, queries
from headrace.store.read.executions import PIPELINE_CONTEXT_TYPE, RUN_CONTEXT_TYPE
from headrace.store.read.graph import ArtifactInfo, Place
from headrace.store.read.queries import Condition
from headrace.store.read.runs import read_run

with authoring():
    from ml_metadata.proto import metadata_store_pb2


@dataclass(frozen=True)
class ListedArtifact:
    """One artifact of the list.

    Attributes:
        artifact: What is told of it.
        place: The run and node that made it.
        key: The output key under which it was made.
        state: As the artifact's, or `"missing"` where it should have files and has none.
        size_bytes: Size of its files; 0 where they are missing or not on this machine.
    """

    artifact: ArtifactInfo
    place: Place
    key: str
    state: str
    size_bytes: int


def list_artifacts(
    store: str = DEFAULT_PATH,
    *,
    type_name: str = "",
    run_id: str = "",
    pipeline_name: str = "",
    with_deleted: bool = False,
    limit: int = 50,
) -> list[ListedArtifact]:
    """Return the newest artifacts of a store, newest first; an empty list where there is no store yet.

    Args:
        store: The store's folder.
        type_name: Only this artifact type.
        run_id: Only what this run made or reused.
        pipeline_name: Only what this pipeline made or reused.
        with_deleted: Whether to list also what was removed.
        limit: How many.

    Raises:
        StoreError: If the store has no such type, run or pipeline; the message names those it has.
    """
    opened = Store(store)
    if not opened.exists():
        return []
    run_id = read_run(store, run_id).run_id if run_id else ""
    with opened.open(), opened.handle() as handle:
        condition = _condition(handle, opened.path, type_name, run_id, pipeline_name, with_deleted)
        found = queries.artifacts(queries.reader_of(opened), condition, limit)
        artifacts = [graph.artifact_info(proto) for proto in itertools.islice(found, limit)]
        origins = graph.origins(graph.links_of_artifacts(handle, {a.artifact_id for a in artifacts}))
        places = graph.read_places(handle, {link.execution_id for link in origins.values()})
    return [_listed(artifact, origins.get(artifact.artifact_id), places) for artifact in artifacts]


def _listed(artifact: ArtifactInfo, origin: graph.Link | None, places: dict[int, Place]) -> ListedArtifact:
    place = places[origin.execution_id] if origin else Place()
    state = artifact.state
    if state == "live" and "://" not in artifact.uri and not os.path.exists(artifact.uri):
        state = "missing"
    size = size_on_disk(artifact.uri) if state == "live" else 0
    return ListedArtifact(artifact, place, origin.key if origin else "", state, size)


def _condition(
    handle: Any, path: str, type_name: str, run_id: str, pipeline_name: str, with_deleted: bool
) -> Condition:
    context_ids = []
    if type_name:
        known = [kind.name for kind in handle.store.get_artifact_types()]
        if type_name not in known:
            raise StoreError(
                f"the store {path} has no artifacts of type '{type_name}'. Its types are {listed(known)}.",
                f"{did_you_mean(type_name, known)}Correct --type.",
            )
    if run_id:
        context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
        context_ids.append(context.id)
    if pipeline_name:
        context = handle.store.get_context_by_type_and_name(PIPELINE_CONTEXT_TYPE, pipeline_name)
        if context is None:
            known = [known.name for known in handle.store.get_contexts_by_type(PIPELINE_CONTEXT_TYPE)]
            raise StoreError(
                f"the store {path} has no pipeline '{pipeline_name}'. Its pipelines are {listed(known)}.",
                f"{did_you_mean(pipeline_name, known)}Correct --pipeline.",
            )
        context_ids.append(context.id)
    states = () if with_deleted else (metadata_store_pb2.Artifact.LIVE,)
    return Condition(type_name, states, tuple(context_ids))


def size_on_disk(path: str) -> int:
    """Return the size of a file, or of all files in a folder; 0 where there is nothing."""
    size = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    size += size_on_disk(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    except NotADirectoryError:
        return os.stat(path).st_size
    except OSError:
        # Gone, or going away meanwhile: what was seen counts.
        return size
    return size
