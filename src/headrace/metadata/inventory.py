"""What a store holds, read at once: its artifacts, and which executions made and used them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from headrace.metadata import graph, queries
from headrace.metadata.queries import Condition
from headrace.metadata.store import Store
from headrace.sdk.light import authoring

with authoring():
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2

_LIVE = metadata_store_pb2.Artifact.LIVE
_ALL = 1_000_000


@dataclass(frozen=True)
class StoredArtifact:
    """An artifact whose payload was not removed.

    Attributes:
        artifact_id: Id in the store.
        type_name: Its type.
        uri: Where its payload is.
    """

    artifact_id: int
    type_name: str
    uri: str


@dataclass(frozen=True)
class Inventory:
    """What a store held at one moment.

    Attributes:
        horizon: The newest execution at that moment; 0 in an empty store. What later ones use is not told here.
        artifacts: The live artifacts.
        makers: For each artifact the execution that made it: the first that published it. Executions that were
            served from the cache publish it again later.
        inputs: For each execution the artifacts that it used.
    """

    horizon: int
    artifacts: list[StoredArtifact]
    makers: dict[int, int]
    inputs: dict[int, list[int]]

    def makers_of(self, artifact_ids: Collection[int]) -> set[int]:
        """Return the executions that made artifacts."""
        return {self.makers[artifact_id] for artifact_id in artifact_ids if artifact_id in self.makers}

    def inputs_of(self, execution_ids: Collection[int]) -> set[int]:
        """Return what executions used."""
        return {artifact for execution in execution_ids for artifact in self.inputs.get(execution, ())}


def take_inventory(store: Store) -> Inventory:
    """Read what a store holds.

    A store that is not open is read from SQLite: ML Metadata hands out 100 artifacts at a time, which for many
    thousands takes longer than all that is done with them.
    """
    # In this order: what comes while this reads is newer than the horizon.
    newest = store.query("SELECT MAX(id) FROM Execution")
    if newest is None:
        with store.open(), store.handle() as handle:
            return _read_by_mlmd(handle)
    artifacts = store.query(
        "SELECT a.id, t.name, a.uri FROM Artifact a JOIN Type t ON t.id = a.type_id WHERE a.state = ?", _LIVE
    )
    events = store.query("SELECT artifact_id, execution_id, type FROM Event")
    return _inventory(newest[0][0] or 0, artifacts or (), events or ())


def _read_by_mlmd(handle: Any) -> Inventory:
    newest = handle.store.get_executions(
        mlmd.ListOptions(limit=1, order_by=mlmd.OrderByField.ID, is_asc=False)
    )
    found = list(queries.artifacts(queries.reader_of_mlmd(handle.store), Condition(), _ALL))
    events = (
        (event.artifact_id, event.execution_id, event.type)
        for batch in graph.batches(sorted(artifact.id for artifact in found))
        for event in handle.store.get_events_by_artifact_ids(batch)
    )
    live = ((artifact.id, artifact.type, artifact.uri) for artifact in found if artifact.state == _LIVE)
    return _inventory(newest[0].id if newest else 0, live, events)


def _inventory(
    horizon: int, artifacts: Iterable[tuple[int, str, str]], events: Iterable[tuple[int, int, int]]
) -> Inventory:
    makers: dict[int, int] = {}
    inputs: dict[int, list[int]] = {}
    for artifact_id, execution_id, kind in events:
        if kind not in graph.OUTPUT_EVENTS:
            inputs.setdefault(execution_id, []).append(artifact_id)
        elif execution_id < makers.get(artifact_id, execution_id + 1):
            makers[artifact_id] = execution_id
    stored = [StoredArtifact(artifact_id, type_name, uri or "") for artifact_id, type_name, uri in artifacts]
    return Inventory(horizon, stored, makers, inputs)
