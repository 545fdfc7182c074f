"""Where a node writes: in its outputs' last place, which is its own; see `headrace.store.record.unpublished`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.errors import ExecutorError
from headrace.files import create_text
from headrace.files.payloads import Payload
from headrace.runtime.context import DIGEST_PROPERTY, FILES_PROPERTY
from headrace.store.open.store import Store
from headrace.store.read import ownership
from headrace.store.record.unpublished import Unpublished

with authoring():
    from tfx.proto.orchestration import execution_result_pb2
    from tfx.types.value_artifact import ValueArtifact


class NodeFolders:
    """The folders of one execution.

    Args:
        store: The open store.
        root: The pipeline root.
        node_id: The node.
        execution_id: The execution.
    """

    def __init__(self, store: Store, root: str, node_id: str, execution_id: int) -> None:
        self._node_id = node_id
        self._node_path = os.path.join(root, node_id)
        self._execution = str(execution_id)
        self._unpublished = Unpublished(store, execution_id)
        # Each output folder as TFX names it, and where it is.
        self._made: dict[str, str] = {}

    @property
    def executor_output_path(self) -> str:
        """The file in which an executor may leave its `ExecutorOutput`."""
        return os.path.join(self._unpublished.folder, "system", "executor_output.pb")

    @property
    def driver_output_path(self) -> str:
        """The file in which a driver may leave its `DriverOutput`."""
        return os.path.join(self._unpublished.folder, "system", "driver_output.pb")

    @property
    def stateful_path(self) -> str:
        """TFX's stateful working directory."""
        return os.path.join(self._unpublished.folder, "system", "stateful", "")

    @property
    def tmp_path(self) -> str:
        """For temporary files."""
        return os.path.join(self._unpublished.folder, "system", "tmp", "")

    def make(self, outputs: Mapping[str, Sequence[Artifact]]) -> None:
        """Make the folders that an executor writes into, and let `outputs` name them.

        Where another store, or an earlier database of this one, has something under the name of an output, that stays,
        and the output gets another.
        """
        for path in (self.stateful_path, self.tmp_path):
            os.makedirs(path, exist_ok=True)
        artifacts = [
            artifact for several in outputs.values() for artifact in several if not artifact.is_external
        ]
        wanted = dict.fromkeys(filter(None, (self._output_folder(artifact.uri) for artifact in artifacts)))
        self._made = self._unpublished.make_outputs(list(wanted))
        for artifact in artifacts:
            folder = self._output_folder(artifact.uri)
            artifact.uri = self._made.get(folder, folder) + artifact.uri[len(folder) :]
            if isinstance(artifact, ValueArtifact):
                os.makedirs(os.path.dirname(artifact.uri), exist_ok=True)
                # As TFX does: a value artifact's file exists before the executor runs.
                with create_text(artifact.uri):
                    pass
            else:
                os.makedirs(artifact.uri, exist_ok=True)

    def _output_folder(self, uri: str) -> str:
        """The folder `{node}/{key}/{execution}` of an output; empty for one that a driver put elsewhere."""
        parts = os.path.relpath(uri, self._node_path).split(os.sep)
        if len(parts) < 2 or parts[0] == os.pardir or parts[1] != self._execution:
            return ""
        return os.path.join(self._node_path, *parts[:2])

    def finish(
        self,
        outputs: Mapping[str, Sequence[Artifact]],
        output: execution_result_pb2.ExecutorOutput,
        digests: Mapping[str, Payload],
    ) -> None:
        """Note what the executor wrote in `outputs` and `output`.

        Raises:
            ExecutorError: If an output's folder or file is gone.
        """
        for key, artifacts in outputs.items():
            for artifact in artifacts:
                if key not in output.output_artifacts:
                    self._check_is_there(key, artifact.uri)
                if artifact.uri in digests:
                    _record(artifact.mlmd_artifact, digests[artifact.uri])
        for key, artifact_list in output.output_artifacts.items():
            for proto in artifact_list.artifacts:
                self._check_is_there(key, proto.uri)
                if proto.uri in digests:
                    _record(proto, digests[proto.uri])

    def _check_is_there(self, key: str, uri: str) -> None:
        is_ours = any(uri == path or ownership.is_below(uri, path) for path in self._made.values())
        if is_ours and not os.path.exists(uri):
            raise ExecutorError(
                f"{self._node_id}: its output '{key}' is gone: there is nothing at {uri} after the executor ended.",
                "let the executor write into the folder that it is given, and leave it there.",
            )

    def publish(self) -> None:
        """Let the outputs stay: they are on record."""
        self._unpublished.publish()

    def discard(self) -> None:
        """Remove all that this execution made and did not publish."""
        self._unpublished.discard()


def _record(proto: Any, payload: Payload) -> None:
    proto.custom_properties[DIGEST_PROPERTY].string_value = payload.digest
    proto.custom_properties[FILES_PROPERTY].string_value = payload.files
