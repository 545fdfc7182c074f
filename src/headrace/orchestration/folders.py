"""Where a node writes: aside while it runs, in its final place once it is done.

An executor fills `{root}/.unfinished/{execution}/{key}`; when it succeeds, each output moves by one rename
to `{root}/{node}/{key}/{execution}`, the path that TFX uses. What is found under `.unfinished` without a live
run belongs to nobody.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.metadata.locks import UNFINISHED
from headrace.sdk import Artifact
from headrace.sdk.context import DIGEST_PROPERTY, FILES_PROPERTY
from headrace.sdk.light import authoring
from headrace.sdk.payloads import Payload

with authoring():
    from tfx.proto.orchestration import execution_result_pb2
    from tfx.types.value_artifact import ValueArtifact

_ATTEMPTS = 10


class NodeFolders:
    """The folders of one execution.

    Args:
        root: The pipeline root; with a scheme such as `gs://`, outputs are written in place, because object
            stores have no rename of folders.
        node_id: The node.
        execution_id: The execution.
    """

    def __init__(self, root: str, node_id: str, execution_id: int) -> None:
        self._final = os.path.join(root, node_id)
        self._is_local = "://" not in root
        self._execution_id = execution_id
        self.aside = os.path.join(root, UNFINISHED, str(execution_id))

    @property
    def executor_output_path(self) -> str:
        """The file in which an executor may leave its `ExecutorOutput`."""
        return os.path.join(self.aside, ".system", "executor_output.pb")

    @property
    def driver_output_path(self) -> str:
        """The file in which a driver may leave its `DriverOutput`."""
        return os.path.join(self.aside, ".system", "driver_output.pb")

    @property
    def stateful_path(self) -> str:
        """TFX's stateful working directory."""
        return os.path.join(self.aside, ".system", "stateful", "")

    @property
    def tmp_path(self) -> str:
        """For temporary files."""
        return os.path.join(self.aside, ".system", "tmp", "")

    def make(self, outputs: Mapping[str, Sequence[Artifact]]) -> None:
        """Make the folders, and point `outputs` at where the executor writes."""
        for path in (self.stateful_path, self.tmp_path):
            _make_folders(path)
        for artifacts in outputs.values():
            for artifact in artifacts:
                if artifact.is_external or not self._is_local:
                    continue
                artifact.uri = self._aside_path(artifact.uri)
                if isinstance(artifact, ValueArtifact):
                    os.makedirs(os.path.dirname(artifact.uri), exist_ok=True)
                    # As TFX does: a value artifact's file exists before the executor runs.
                    with open(artifact.uri, "w", encoding="utf-8"):
                        pass
                else:
                    os.makedirs(artifact.uri, exist_ok=True)

    def _aside_path(self, final: str) -> str:
        return os.path.join(self.aside, os.path.relpath(final, self._final))

    def _final_path(self, aside: str) -> str:
        relative = os.path.relpath(aside, self.aside)
        return aside if relative.startswith("..") else os.path.join(self._final, relative)

    def finish(
        self,
        outputs: Mapping[str, Sequence[Artifact]],
        output: execution_result_pb2.ExecutorOutput,
        digests: Mapping[str, Payload],
    ) -> None:
        """Move what the executor wrote into place, and let `outputs` and `output` name that place."""
        moved: set[str] = set()
        for artifacts in outputs.values():
            for artifact in artifacts:
                if artifact.uri in digests:
                    _record(artifact.mlmd_artifact, digests[artifact.uri])
                folder = (
                    os.path.dirname(artifact.uri) if isinstance(artifact, ValueArtifact) else artifact.uri
                )
                final = self._final_path(folder)
                if final != folder and folder not in moved and os.path.exists(folder):
                    os.makedirs(os.path.dirname(final), exist_ok=True)
                    os.rename(folder, final)
                    moved.add(folder)
                artifact.uri = self._final_path(artifact.uri)
        for artifact_list in output.output_artifacts.values():
            for proto in artifact_list.artifacts:
                if proto.uri in digests:
                    _record(proto, digests[proto.uri])
                proto.uri = self._final_path(proto.uri)

    def discard(self, outputs: Mapping[str, Sequence[Artifact]] | None = None) -> None:
        """Remove everything written aside; with `outputs`, what was already moved into place too."""
        shutil.rmtree(self.aside, ignore_errors=True)
        for key in outputs or {}:
            shutil.rmtree(os.path.join(self._final, key, str(self._execution_id)), ignore_errors=True)


def _record(proto: Any, payload: Payload) -> None:
    proto.custom_properties[DIGEST_PROPERTY].string_value = payload.digest
    proto.custom_properties[FILES_PROPERTY].string_value = payload.files


def remove_unfinished(root: str) -> None:
    """Remove the folder for unfinished work below a pipeline root, if nobody works in it."""
    with contextlib.suppress(OSError):
        os.rmdir(os.path.join(root, UNFINISHED))


def _make_folders(path: str) -> None:
    """Make a folder and its parents; another run may remove the empty parent at the same moment."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(FileNotFoundError):
            os.makedirs(path, exist_ok=True)
            return
    os.makedirs(path, exist_ok=True)
