"""Stores filled by hand: executions, artifacts and runs as runs of pipelines record them, without a pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.authoring.light import authoring
from headrace.store.open.store import Store
from headrace.store.read.executions import NODE_CONTEXT_TYPE, RUN_CONTEXT_TYPE
from headrace.store.records import RECORD_PROPERTY

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb

IMPORTER = "tfx.dsl.components.common.importer.Importer"


class SmallStore:
    """Fills an open store.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.handle() as handle:
            self.mlmd: Any = handle.store
        self._types: dict[tuple[str, str], int] = {}

    def artifact(
        self, path: Path | str, type_name: str = "Model", *, is_written: bool = True, **properties: Any
    ) -> int:
        """Record a LIVE artifact at a place, with something in it; return its id."""
        if is_written and "://" not in str(path):
            Path(path).mkdir(parents=True, exist_ok=True)
            (Path(path) / "file").write_text("content")
        made = pb.Artifact(type_id=self._type("artifact", type_name), uri=str(path), state=pb.Artifact.LIVE)
        for name, value in properties.items():
            if isinstance(value, int):
                made.custom_properties[name].int_value = value
            else:
                made.custom_properties[name].string_value = value
        [artifact_id] = self.mlmd.put_artifacts([made])
        return int(artifact_id)

    def execution(
        self,
        outputs: Mapping[str, Sequence[int]] | None = None,
        inputs: Mapping[str, Sequence[int]] | None = None,
        *,
        run_id: str = "run-1",
        node: str = "pipeline.Node",
        state: int = pb.Execution.COMPLETE,
        type_name: str = "work",
        contexts: Sequence[int] = (),
    ) -> int:
        """Record an execution of a node in a run, with what it used and made; return its id."""
        made = pb.Execution(type_id=self._type("execution", type_name), last_known_state=state)
        [execution_id] = self.mlmd.put_executions([made])
        self.link(execution_id, outputs or {}, pb.Event.OUTPUT)
        self.link(execution_id, inputs or {}, pb.Event.INPUT)
        places = [self.context(RUN_CONTEXT_TYPE, run_id), self.context(NODE_CONTEXT_TYPE, node), *contexts]
        associations = [pb.Association(execution_id=execution_id, context_id=place) for place in places]
        self.mlmd.put_attributions_and_associations([], associations)
        return int(execution_id)

    def link(self, execution_id: int, artifacts: Mapping[str, Sequence[int]], kind: int) -> None:
        """Record that an execution used or made artifacts."""
        events = []
        for key, ids in artifacts.items():
            for index, artifact_id in enumerate(ids):
                event = pb.Event(execution_id=execution_id, artifact_id=artifact_id, type=kind)
                event.path.steps.add().key = key
                event.path.steps.add().index = index
                events.append(event)
        self.mlmd.put_events(events)

    def context(self, type_name: str, name: str) -> int:
        """Return a context's id; it is made where it is missing."""
        type_id = self._type("context", type_name)
        known = self.mlmd.get_context_by_type_and_name(type_name, name)
        if known is not None:
            return int(known.id)
        [context_id] = self.mlmd.put_contexts([pb.Context(type_id=type_id, name=name)])
        return int(context_id)

    def record(
        self, run_id: str, state: str = "succeeded", nodes: Sequence[Mapping[str, Any]] = (), **more: Any
    ) -> None:
        """Write a run's record."""
        record = {
            "pipeline_name": "pipeline",
            "state": state,
            "started": "2026-11-21T10:00:00+00:00",
            "seconds": 1.0,
            "nodes": list(nodes),
            "details": {},
            **more,
        }
        self.set_property(run_id, RECORD_PROPERTY, json.dumps(record))

    def set_property(self, run_id: str, name: str, value: str | int) -> None:
        """Set a custom property of a run's context."""
        [context] = self.mlmd.get_contexts_by_id([self.context(RUN_CONTEXT_TYPE, run_id)])
        if isinstance(value, int):
            context.custom_properties[name].int_value = value
        else:
            context.custom_properties[name].string_value = value
        self.mlmd.put_contexts([context])

    def set_state(self, artifact_id: int, state: int) -> None:
        """Set an artifact's state."""
        [artifact] = self.mlmd.get_artifacts_by_id([artifact_id])
        artifact.state = state
        self.mlmd.put_artifacts([artifact])

    def live(self) -> set[int]:
        """The ids of the artifacts that are LIVE."""
        return {artifact.id for artifact in self.mlmd.get_artifacts() if artifact.state == pb.Artifact.LIVE}

    def _type(self, kind: str, name: str) -> int:
        if (kind, name) not in self._types:
            classes = {"artifact": pb.ArtifactType, "execution": pb.ExecutionType, "context": pb.ContextType}
            put = getattr(self.mlmd, f"put_{kind}_type")
            self._types[kind, name] = put(classes[kind](name=name))
        return self._types[kind, name]


def node_record(node_id: str, state: str = "done", **more: Any) -> dict[str, Any]:
    """What a run's record says of one node."""
    return {
        "node_id": node_id,
        "state": state,
        "seconds": 1.0,
        "reason": "",
        "outputs": [],
        "error": None,
        "log_path": "",
        "execution_id": 0,
        "is_optional": False,
        **more,
    }
