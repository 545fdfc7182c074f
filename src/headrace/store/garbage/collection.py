"""Removes garbage from a store, so that a kill at any moment loses nothing and the next start goes on.

For each batch: a journal names the artifacts, they become DELETED in ML Metadata, their files go, the journal
goes. A cache entry with a DELETED artifact is never used; files of a DELETED artifact that are still there stand
in the journal. Where the files are, ML Metadata says, and only a place of the store's own is touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.authoring.light import authoring
from headrace.files import names, names_in, shared_files, size_on_disk
from headrace.runtime.partial_results import CHECKPOINT
from headrace.store import locks, records
from headrace.store.garbage.inventory import StoredArtifact, take_inventory
from headrace.store.garbage.policy import Garbage, Keeping, find_garbage
from headrace.store.open.store import Store
from headrace.store.read import graph, ownership, queries
from headrace.store.read.differences import SOURCES
from headrace.store.read.executions import INGREDIENTS_PROPERTY, RUN_CONTEXT_TYPE
from headrace.store.read.ownership import is_removable, true_origins
from headrace.store.read.queries import Condition
from headrace.store.read.run_records import REMOVED_PROPERTY
from headrace.store.read.source_texts import SourceTexts
from headrace.store.record import unpublished
from headrace.store.records import RECORD_PROPERTY

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_BATCH = 200
_JOURNAL = "gc.json"


@dataclass(frozen=True)
class Collected:
    """What was removed.

    Attributes:
        num_artifacts: Artifacts.
        num_runs: Runs with their logs.
        size_bytes: Size of the files that are gone.
    """

    num_artifacts: int
    num_runs: int
    size_bytes: int


def look(store: Store, keeping: Keeping) -> Garbage:
    """Return what nothing needs, and remove nothing."""
    inventory = take_inventory(store)
    with store.open():
        return find_garbage(store, keeping, inventory)


def collect(store: Store, keeping: Keeping) -> Collected:
    """Remove what nothing needs.

    Args:
        store: The store, not yet open.
        keeping: What is kept.

    Raises:
        StoreError: If another collection works on the store, or it cannot be written.
    """
    inventory = take_inventory(store)
    with store.open(), locks.only_collector(store):
        locks.mend(store)
        journal = _Journal(store)
        size = journal.finish()
        garbage = find_garbage(store, keeping, inventory)
        num_artifacts = 0
        spared: set[int] = set()
        for batch in graph.batches(garbage.artifacts, _BATCH):
            marked = _mark(store, batch, garbage, spared, journal)
            num_artifacts += len(marked)
            size += journal.finish()
        # Where a run began to use something meanwhile, the next collection says which runs are gone.
        run_ids = [] if spared else garbage.run_ids
        size += _remove_runs(store, run_ids)
        size += _remove_sources(store, garbage.kept_executions)
        size += _remove_checkpoints(store, garbage.unfinished_since)
    return Collected(num_artifacts, len(run_ids), size)


def _mark(
    store: Store, batch: Sequence[StoredArtifact], garbage: Garbage, spared: set[int], journal: _Journal
) -> list[StoredArtifact]:
    """Make the artifacts of a batch DELETED, save what was taken into use since the garbage was found.

    Batches go from new to old, so what a spared artifact came from is still there, and joins `spared`.
    """
    with locks.discarding(store), store.handle() as handle:
        links = graph.links_of_artifacts(handle, {artifact.artifact_id for artifact in batch})
        in_use = {
            link.artifact_id
            for link in links
            if link.execution_id > garbage.horizon or link.execution_id in garbage.living_executions
        } - spared
        spared |= _with_all_above(handle, in_use)
        origins = true_origins(handle, links)
        marked = [
            artifact
            for artifact in batch
            if artifact.artifact_id not in spared
            and is_removable(store, artifact.uri, origins.get(artifact.artifact_id))
        ]
        if marked:
            journal.write([artifact.artifact_id for artifact in marked])
            protos = handle.store.get_artifacts_by_id([artifact.artifact_id for artifact in marked])
            for proto in protos:
                proto.state = metadata_store_pb2.Artifact.DELETED
            handle.store.put_artifacts(protos)
    return marked


def _with_all_above(handle: Any, artifact_ids: Collection[int]) -> set[int]:
    found, level = set(artifact_ids), set(artifact_ids)
    while level:
        makers = graph.origins(graph.links_of_artifacts(handle, level)).values()
        links = graph.links_of_executions(handle, {link.execution_id for link in makers})
        level = {link.artifact_id for link in links if not link.is_output} - found
        found |= level
    return found


class _Journal:
    """The artifacts whose files are about to be removed; read again after a kill."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = os.path.join(store.path, _JOURNAL)

    def write(self, artifact_ids: Sequence[int]) -> None:
        """Name artifacts that become DELETED next."""
        shared_files.replace(self._path, json.dumps(list(artifact_ids)), is_flushed=True)

    def finish(self) -> int:
        """Remove the files of those that did become DELETED; return their size."""
        if not os.path.lexists(self._path):
            return 0
        size = 0
        artifact_ids = self._read()
        with self._store.handle() as handle:
            for batch in graph.batches(artifact_ids):
                deleted = [
                    proto
                    for proto in handle.store.get_artifacts_by_id(batch)
                    if proto.state == metadata_store_pb2.Artifact.DELETED
                ]
                links = graph.links_of_artifacts(handle, {proto.id for proto in deleted})
                origins = true_origins(handle, links)
                for proto in deleted:
                    if is_removable(self._store, proto.uri, origins.get(proto.id)):
                        size += _remove(proto.uri)
        if os.path.isdir(self._path) and not os.path.islink(self._path):
            shutil.rmtree(self._path)
        else:
            os.remove(self._path)
        return size

    def _read(self) -> list[int]:
        """The ids in the journal; of every DELETED artifact where it is damaged."""
        try:
            items = shared_files.read_json(self._path)
            if not isinstance(items, list):
                raise ValueError("not a list")
            # Earlier versions wrote pairs of an id and a path.
            ids = [unpublished.id_in(str(item[0] if isinstance(item, list) else item)) for item in items]
            if not all(ids):
                raise ValueError("not ids alone")
            return sorted(ids)
        except (OSError, ValueError, IndexError, RecursionError):
            deleted = Condition(states=(metadata_store_pb2.Artifact.DELETED,))
            found = queries.artifacts(queries.reader_of(self._store), deleted, _BATCH)
            return sorted(proto.id for proto in found)


def _remove(path: str) -> int:
    """Remove files and return their size."""
    size = size_on_disk(path)
    ownership.remove(path)
    return size


def _remove_runs(store: Store, run_ids: Sequence[str]) -> int:
    """Remove the records and logs of runs; ML Metadata keeps an empty context, which no list shows."""
    size = 0
    for batch in graph.batches(run_ids, _BATCH):
        with store.handle() as handle:
            contexts = [
                handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id) for run_id in batch
            ]
            for context in contexts:
                if RECORD_PROPERTY in context.custom_properties:
                    del context.custom_properties[RECORD_PROPERTY]
                context.custom_properties[REMOVED_PROPERTY].int_value = 1
            handle.store.put_contexts(contexts)
        for run_id in batch:
            path = store.logs_path(run_id)
            # A run of another runner may have any name.
            if names.is_plain(run_id) and ownership.is_inside(store, path) and not os.path.islink(path):
                size += size_on_disk(path)
                shutil.rmtree(path, ignore_errors=True)
    return size


def _remove_sources(store: Store, kept: Collection[int]) -> int:
    """Remove source texts that no kept execution was made of."""
    texts = SourceTexts(store)
    if not texts.unused((), time.time()):
        return 0
    used: set[str] = set()
    with store.handle() as handle:
        for batch in graph.batches(sorted(kept)):
            for execution in handle.store.get_executions_by_id(batch):
                used |= _digests(execution.custom_properties[INGREDIENTS_PROPERTY].string_value)
    size = 0
    for path in texts.unused(used, time.time()):
        if not ownership.is_inside(store, path):
            continue
        size += size_on_disk(path)
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    return size


def _remove_checkpoints(store: Store, unfinished_since: float | None) -> int:
    """Remove what was kept of work that was broken off by a run that is gone, or by one whose work was done since."""
    size = 0
    for name in names_in(store.kept_path) if os.path.isdir(store.kept_path) else ():
        path = os.path.join(store.kept_path, name)
        if not name.endswith(CHECKPOINT) or os.path.islink(path):
            continue
        with contextlib.suppress(FileNotFoundError):
            if unfinished_since is None or os.path.getmtime(path) < unfinished_since:
                size += size_on_disk(path)
                os.remove(path)
    return size


def _digests(ingredients: str) -> set[str]:
    sources = records.parse_ingredients(ingredients).get(SOURCES, {})
    return {str(digest) for files in sources.values() for digest in files.values()}
