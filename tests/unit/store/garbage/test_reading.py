"""A store that can only be read: on a disk that is read-only, or somebody else's."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from store.store_records import COMPLETE, add_artifact, add_execution, add_output, files_of
from stored import list_artifacts, list_runs

from headrace.errors import StoreError
from headrace.store import locks
from headrace.store.garbage import collection
from headrace.store.garbage.policy import Keeping
from headrace.store.open.store import Store


@pytest.fixture
def path(tmp_path: Path) -> str:
    with Store(str(tmp_path / "project" / "store")).open() as store:
        execution = add_execution(store, COMPLETE, "run")
        uri = f"{store.artifacts_path}/p/Make/out/{execution}"
        os.makedirs(uri)
        add_output(store, execution, add_artifact(store, uri))
    return str(tmp_path / "project" / "store")


@pytest.fixture
def read_only(path: str, monkeypatch) -> str:
    """As the system tells it of a read-only disk; root may write where the rights say no."""
    access = os.access

    def refuse(place, *_, **__):
        raise OSError(30, "Read-only file system", place)

    monkeypatch.setattr(os, "access", lambda place, mode: access(place, mode) and mode != os.W_OK)
    monkeypatch.setattr(os, "utime", refuse)
    return path


def lasting_files(path: str) -> dict[str, Any]:
    """What is in a store but the files that SQLite shares between processes: the disk here can be written."""
    return {
        name: content for name, content in files_of(Path(path)).items() if not name.endswith(("-shm", "-wal"))
    }


def test_what_only_reads_works_and_changes_nothing(read_only: str, tmp_path: Path):
    before = lasting_files(read_only)

    assert [run.run_id for run in list_runs(read_only)] == ["run"]
    assert [item.state for item in list_artifacts(read_only)] == ["live"]
    assert len(collection.look(Store(read_only), Keeping(keep_last=0)).artifacts) == 1

    assert lasting_files(read_only) == before


def test_what_writes_is_refused(read_only: str):
    message = (
        f"the store {read_only} cannot be written: [Errno 30] Read-only file system: '{read_only}'\n"
        "  Fix: free some space or make the folder writable, or name another store with --store DIR."
    )
    with pytest.raises(StoreError) as caught:
        collection.collect(Store(read_only), Keeping())
    assert str(caught.value) == message
    with Store(read_only).open() as store, pytest.raises(StoreError) as caught:
        locks.mend(store)
    assert str(caught.value) == message


def test_what_is_still_in_the_log_of_the_database_is_read(path: str, tmp_path: Path, request):
    """A disk that went read-only in the middle: SQLite may not make the files that it needs beside the log."""
    connection = sqlite3.connect(f"{path}/metadata.db")
    connection.execute("UPDATE Artifact SET name = 'late'")
    connection.commit()
    assert os.path.getsize(f"{path}/metadata.db-wal") > 0
    copy = tmp_path / "copy" / "store"
    shutil.copytree(path, copy)
    connection.close()
    os.remove(copy / "metadata.db-shm")
    read_only = request.getfixturevalue("read_only")
    opened = Store(str(copy))

    names = opened.read_sqlite(lambda database: database.execute("SELECT name, uri FROM Artifact").fetchall())

    # And a store that was moved since is read with its new places.
    assert names == [("late", f"{copy}/artifacts/p/Make/out/1")]
    assert read_only != str(copy)
