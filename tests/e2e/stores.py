"""What a store must look like after any run, good or bad."""

from __future__ import annotations

import glob
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_ENDED = {
    metadata_store_pb2.Execution.COMPLETE,
    metadata_store_pb2.Execution.FAILED,
    metadata_store_pb2.Execution.CACHED,
    metadata_store_pb2.Execution.CANCELED,
}


def open_store(path: Path) -> mlmd.MetadataStore:
    """Open a SQLite file with plain ML Metadata."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return mlmd.MetadataStore(config)


def assert_intact(folder: Path) -> None:
    """No execution is still running, each live artifact has its folder, nothing half-made is left.

    Args:
        folder: The store's folder.
    """
    store = open_store(folder / "metadata.db")
    assert [e.id for e in store.get_executions() if e.last_known_state not in _ENDED] == []
    for artifact in store.get_artifacts():
        if artifact.state == metadata_store_pb2.Artifact.LIVE:
            assert Path(artifact.uri).exists(), artifact.uri
    assert glob.glob(str(folder / "artifacts" / "**" / ".unfinished"), recursive=True) == []
    assert list((folder / "running").iterdir()) == []
