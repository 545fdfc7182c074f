"""A store that lies elsewhere than before: what its records say of places is corrected, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.store.open import relocation


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The tables that hold places."""
    connection = sqlite3.connect(tmp_path / "some.db")
    connection.execute("CREATE TABLE Artifact (id INTEGER, uri TEXT)")
    for table in ("ContextProperty", "ArtifactProperty"):
        connection.execute(f"CREATE TABLE {table} (name TEXT, string_value TEXT)")
    yield connection
    connection.close()


def settle(database: sqlite3.Connection, store: Path) -> None:
    store.mkdir(parents=True, exist_ok=True)
    relocation.settle(str(store), database)


def uris(database: sqlite3.Connection) -> list[str]:
    return [uri for (uri,) in database.execute("SELECT uri FROM Artifact ORDER BY id")]


def test_places_in_the_store_and_in_its_project_follow_it(tmp_path: Path, database: sqlite3.Connection):
    """Places outside of both stay, as do those of a neighbour whose name only begins alike."""
    old, new = tmp_path / "old", tmp_path / "new"
    places = [
        f"{old}/.headrace/artifacts/p/N/out/1",
        f"{old}/.headrace-of-another/artifacts/p/N/out/1",
        f"{old}/data",
        f"{old}/left-behind",
        f"{old}er/.headrace/artifacts/p/N/out/1",
        "/elsewhere/data",
    ]
    settle(database, old / ".headrace")
    database.executemany("INSERT INTO Artifact VALUES (?, ?)", list(enumerate(places)))
    (new / "data").mkdir(parents=True)
    (new / ".headrace").mkdir()
    (old / ".headrace" / "place.json").rename(new / ".headrace" / "place.json")

    settle(database, new / ".headrace")

    assert uris(database) == [
        f"{new}/.headrace/artifacts/p/N/out/1",
        places[1],
        f"{new}/data",
        places[3],
        places[4],
        places[5],
    ]


def test_records_of_runs_and_places_of_pushing_follow_too(tmp_path: Path, database: sqlite3.Connection):
    """Logs, outputs, the folder and the script of a run; the server's folder, where it moved along."""
    old, new = tmp_path / "old", tmp_path / "new"
    settle(database, old / ".headrace")
    record: dict[str, Any] = {
        "nodes": [
            {
                "log_path": f"{old}/.headrace/logs/r/N.log",
                "outputs": [{"uri": f"{old}/.headrace/artifacts/a"}],
            }
        ],
        "details": {"folder": str(old), "script": f"{old}/run.py", "command": f"python {old}/run.py"},
    }
    (new / "serving" / "7").mkdir(parents=True)
    (new / "run.py").touch()
    (new / ".headrace").mkdir()
    database.execute("INSERT INTO ContextProperty VALUES ('headrace_run', ?)", (json.dumps(record),))
    database.execute("INSERT INTO ArtifactProperty VALUES ('pushed_destination', ?)", (f"{old}/serving/7",))
    (old / ".headrace" / "place.json").rename(new / ".headrace" / "place.json")

    settle(database, new / ".headrace")

    [[text]] = database.execute("SELECT string_value FROM ContextProperty")
    moved = json.loads(text)
    assert moved["nodes"] == [
        {"log_path": f"{new}/.headrace/logs/r/N.log", "outputs": [{"uri": f"{new}/.headrace/artifacts/a"}]}
    ]
    assert moved["details"] == {
        "folder": str(new),
        "script": f"{new}/run.py",
        "command": f"python {old}/run.py",
    }
    assert list(database.execute("SELECT string_value FROM ArtifactProperty")) == [(f"{new}/serving/7",)]


def test_one_folder_under_two_names_did_not_move(tmp_path: Path, database: sqlite3.Connection):
    """A link to the project: both names lead to the artifacts."""
    settle(database, tmp_path / "real" / ".headrace")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    database.execute("INSERT INTO Artifact VALUES (1, ?)", (f"{tmp_path}/real/.headrace/artifacts/a",))

    settle(database, tmp_path / "link" / ".headrace")

    assert uris(database) == [f"{tmp_path}/real/.headrace/artifacts/a"]
