"""Executions and artifacts put on record as runs do, without running anything."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from headrace.authoring.light import authoring
from headrace.store import locks
from headrace.store.open.store import Store

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as proto

RUNNING, COMPLETE, CACHED, FAILED = (
    proto.Execution.RUNNING,
    proto.Execution.COMPLETE,
    proto.Execution.CACHED,
    proto.Execution.FAILED,
)


def add_execution(store: Store, state: int, run_id: str = "", kind: str = "Maker") -> int:
    """Record an execution, in a run where one is named; return its id."""
    with store.handle() as handle:
        type_id = handle.store.put_execution_type(proto.ExecutionType(name=kind))
        [execution_id] = handle.store.put_executions(
            [proto.Execution(type_id=type_id, last_known_state=state)]
        )
        if run_id:
            context_type = handle.store.put_context_type(proto.ContextType(name="pipeline_run"))
            known = handle.store.get_context_by_type_and_name("pipeline_run", run_id)
            context = known or proto.Context(type_id=context_type, name=run_id)
            [context_id] = handle.store.put_contexts([context])
            handle.store.put_attributions_and_associations(
                [], [proto.Association(context_id=context_id, execution_id=execution_id)]
            )
    return int(execution_id)


def add_artifact(store: Store, uri: str | Path, state: int = proto.Artifact.LIVE) -> int:
    """Record an artifact; return its id."""
    with store.handle() as handle:
        type_id = handle.store.put_artifact_type(proto.ArtifactType(name="Schema"))
        [artifact_id] = handle.store.put_artifacts(
            [proto.Artifact(type_id=type_id, uri=str(uri), state=state)]
        )
    return int(artifact_id)


def add_output(
    store: Store, execution_id: int, artifact_id: int, key: str = "out", kind: int = proto.Event.OUTPUT
) -> None:
    """Record that an execution published an artifact."""
    path = proto.Event.Path(steps=[proto.Event.Path.Step(key=key), proto.Event.Path.Step(index=0)])
    event = proto.Event(execution_id=execution_id, artifact_id=artifact_id, type=kind, path=path)
    with store.handle() as handle:
        handle.store.put_events([event])


def state_of(store: Store, execution_id: int) -> int:
    """Return the state of an execution."""
    with store.handle() as handle:
        [execution] = handle.store.get_executions_by_id([execution_id])
    return int(execution.last_known_state)


def files_of(folder: Path) -> dict[str, Any]:
    """Return what is in a folder, to see that nothing of it changed."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def die(store: Store, run_id: str = "dead", root: str = "") -> str:
    """Leave the marker of a run that did not end in order; return its text."""
    with (
        contextlib.suppress(KeyboardInterrupt),
        locks.living_run(store, run_id, root or store.artifacts_path),
    ):
        raise KeyboardInterrupt
    return Path(store.path, "running", run_id).read_text()
