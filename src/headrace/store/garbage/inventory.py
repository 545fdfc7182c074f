"""What a store holds, read at once: its runs and artifacts, and which executions made and used these."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from headrace.authoring.light import authoring
from headrace.files import size_on_disk
from headrace.formats import blessings, pushed_models
from headrace.store.open.store import Store
from headrace.store.read import graph, queries
from headrace.store.read.executions import RUN_CONTEXT_TYPE
from headrace.store.read.graph import Link
from headrace.store.read.ownership import IMPORTER_TYPE, true_origins
from headrace.store.read.queries import Condition
from headrace.store.read.run_records import HIDDEN_PROPERTIES, is_hidden
from headrace.store.records import RECORD_PROPERTY

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_LIVE = metadata_store_pb2.Artifact.LIVE
_ALL = 1_000_000
# What TFX's Evaluator and InfraValidator, and its Pusher, set to 1.
_APPROVALS = (blessings.BLESSED_PROPERTY, pushed_models.PUSHED_PROPERTY)

# What `_read_by_mlmd` reads too, in ML Metadata's tables.
_RUNS = f"""
    SELECT c.id, c.name, COALESCE(p.string_value, '')
    FROM Context c JOIN Type t ON t.id = c.type_id
    LEFT JOIN ContextProperty p ON p.context_id = c.id AND p.name = '{RECORD_PROPERTY}'
    WHERE t.name = '{RUN_CONTEXT_TYPE}'
    AND NOT EXISTS (SELECT 1 FROM ContextProperty h WHERE h.context_id = c.id AND h.name IN {HIDDEN_PROPERTIES})
    ORDER BY c.id DESC
    """
_ARTIFACTS = f"""
    SELECT a.id, t.name, COALESCE(a.uri, '') FROM Artifact a JOIN Type t ON t.id = a.type_id
    WHERE a.state = {_LIVE} ORDER BY a.id DESC
    """
# Every publisher, who reused it before who made it: of each artifact's the last counts, as in `graph.origins`.
_MAKERS = f"""
    SELECT e.artifact_id, e.execution_id, COALESCE(p.step_key, ''), COALESCE(t.name, '{IMPORTER_TYPE}')
    FROM Event e
    LEFT JOIN Execution x ON x.id = e.execution_id
    LEFT JOIN Type t ON t.id = x.type_id
    LEFT JOIN EventPath p ON p.event_id = e.id AND NOT p.is_index_step
    WHERE e.type IN {graph.OUTPUT_EVENTS}
    ORDER BY COALESCE(x.last_known_state, 0) = {metadata_store_pb2.Execution.CACHED}
        OR e.type = {metadata_store_pb2.Event.INTERNAL_OUTPUT} DESC, e.execution_id DESC
    """
_INPUTS = f"SELECT execution_id, artifact_id FROM Event WHERE type NOT IN {graph.OUTPUT_EVENTS}"
_APPROVED = f"SELECT artifact_id FROM ArtifactProperty WHERE name IN {_APPROVALS} AND int_value = 1"


class StoredRun(NamedTuple):
    """A run that was not removed, and is no part of another.

    Attributes:
        context_id: Its context in the store.
        run_id: Its id.
        record: How it went, as JSON; empty for a run of another runner.
    """

    context_id: int
    run_id: str
    record: str


class StoredArtifact(NamedTuple):
    """An artifact whose payload was not removed.

    Attributes:
        artifact_id: Id in the store.
        type_name: Its type.
        uri: Where its payload is.
    """

    artifact_id: int
    type_name: str
    uri: str

    @property
    def size_bytes(self) -> int:
        """Size of its files, measured now; 0 where they are not on this machine."""
        return size_on_disk(self.uri)


@dataclass(frozen=True)
class Inventory:
    """What a store held at one moment.

    Attributes:
        horizon: The newest execution at that moment; 0 in an empty store. What later ones use is not told here.
        runs: The runs, the newest first.
        artifacts: The live artifacts, the newest first.
        makers: For each artifact the execution that made it, see `graph.origins`, with the output key.
        imports: Executions of Importers, which name what others made.
        inputs: For each execution the artifacts that it used.
        approved: The blessings that bless, and the pushed models that were pushed.
    """

    horizon: int
    runs: list[StoredRun]
    artifacts: list[StoredArtifact]
    makers: dict[int, Link]
    imports: set[int]
    inputs: dict[int, list[int]]
    approved: set[int]

    def makers_of(self, artifact_ids: Collection[int]) -> set[int]:
        """Return the executions that made artifacts."""
        return {
            self.makers[artifact_id].execution_id
            for artifact_id in artifact_ids
            if artifact_id in self.makers
        }

    def true_origin(self, artifact_id: int) -> Link | None:
        """Return which execution made an artifact, as `ownership.true_origins` does."""
        link = self.makers.get(artifact_id)
        return None if link is None or link.execution_id in self.imports else link

    def inputs_of(self, execution_ids: Collection[int]) -> set[int]:
        """Return what executions used."""
        return {artifact for execution in execution_ids for artifact in self.inputs.get(execution, ())}


def take_inventory(store: Store) -> Inventory:
    """Read what a store holds.

    A store that is not open is read from SQLite: ML Metadata hands out 100 artifacts at a time, which for many
    thousands takes longer than all that is done with them.
    """
    inventory = store.read_sqlite(_read_tables)
    if inventory is None:
        with store.open(), store.handle() as handle:
            inventory = _read_by_mlmd(handle)
    return inventory


def _read_tables(database: sqlite3.Connection) -> Inventory:
    [[newest]] = database.execute("SELECT MAX(id) FROM Execution")
    publishers = database.execute(_MAKERS).fetchall()
    return Inventory(
        horizon=newest or 0,
        runs=[StoredRun(*row) for row in database.execute(_RUNS)],
        artifacts=[StoredArtifact(*row) for row in database.execute(_ARTIFACTS)],
        makers={row[0]: Link(row[0], row[1], row[2], 0, True) for row in publishers},
        imports={execution_id for _, execution_id, _, kind in publishers if kind == IMPORTER_TYPE},
        inputs=_by_execution(database.execute(_INPUTS)),
        approved={artifact_id for (artifact_id,) in database.execute(_APPROVED)},
    )


def _read_by_mlmd(handle: Any) -> Inventory:
    # Read first: what comes while the rest is read is newer.
    horizon = queries.newest_execution(handle)
    reader = queries.reader_of_mlmd(handle.store)
    contexts = queries.contexts(reader, RUN_CONTEXT_TYPE, _ALL)
    artifacts = list(queries.artifacts(reader, Condition(), _ALL))
    links = graph.links_of_artifacts(handle, {artifact.id for artifact in artifacts})
    makers = graph.origins(links)
    true = {link.execution_id for link in true_origins(handle, links).values()}
    return Inventory(
        horizon=horizon,
        runs=[
            StoredRun(context.id, context.name, context.custom_properties[RECORD_PROPERTY].string_value)
            for context in contexts
            if not is_hidden(context)
        ],
        artifacts=[
            StoredArtifact(artifact.id, artifact.type, artifact.uri)
            for artifact in artifacts
            if artifact.state == _LIVE
        ],
        makers=makers,
        imports={link.execution_id for link in makers.values()} - true,
        inputs=_by_execution((link.execution_id, link.artifact_id) for link in links if not link.is_output),
        approved={artifact.id for artifact in artifacts if _is_approved(artifact)},
    )


def _is_approved(artifact: metadata_store_pb2.Artifact) -> bool:
    return any(
        properties[name].int_value == 1
        for properties in (artifact.custom_properties, artifact.properties)
        for name in _APPROVALS
        if name in properties
    )


def _by_execution(uses: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    inputs: dict[int, list[int]] = {}
    for execution_id, artifact_id in uses:
        inputs.setdefault(execution_id, []).append(artifact_id)
    return inputs
