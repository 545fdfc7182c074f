"""What must be true of a store when nobody works in it, read with SQLite alone."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from headrace.files.payloads import tree_digest
from headrace.runtime.context import DIGEST_PROPERTY

# ML Metadata's numbers.
_EXECUTION_STATES = {1: "NEW", 2: "RUNNING"}
_COMPLETE, _CACHED = 3, 5
_LIVE, _DELETED = 2, 4
_OUTPUT_EVENTS = (4, 6)
_RECORD = "headrace_run"
_RUN_STATES = ("running",)
# Files that are about to become others; and folders in which something lies only while processes work.
_UNFINISHED = ("*.tmp", "*.new", "*.unfinished*", "*.unpublished")
_OF_THE_LIVING = ("running", "sessions", "starting", "unpublished", "keys")


@contextlib.contextmanager
def _connected(store: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(store / "metadata.db", timeout=30)) as connection:
        yield connection


def has_database(store: Path) -> bool:
    """Whether there are tables to look into."""
    if not (store / "metadata.db").exists():
        return False
    with _connected(store) as connection:
        # ML Metadata makes its tables one after the other; the context's links come last.
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        return {"Execution", "Artifact", "ContextProperty", "Association", "Event", "Type"} <= names


def newest_run(store: Path) -> str:
    """Return the id of the newest run on record; empty where there is none."""
    if not has_database(store):
        return ""
    with _connected(store) as connection:
        row = connection.execute(
            "SELECT Context.name FROM Context JOIN ContextProperty ON ContextProperty.context_id = Context.id "
            "WHERE ContextProperty.name = ? ORDER BY Context.id DESC LIMIT 1",
            (_RECORD,),
        ).fetchone()
    return str(row[0]) if row else ""


def outputs(store: Path, run_id: str) -> dict[str, Path]:
    """Return the artifact's folder of each node that a run completed or took from the cache."""
    if not run_id or not has_database(store):
        return {}
    with _connected(store) as connection:
        rows = connection.execute(
            """
            SELECT nodes.name, Artifact.uri FROM Context AS runs
            JOIN Type AS run_types ON run_types.id = runs.type_id AND run_types.name = 'pipeline_run'
            JOIN Association AS of_run ON of_run.context_id = runs.id
            JOIN Execution ON Execution.id = of_run.execution_id AND last_known_state IN (?, ?)
            JOIN Association AS of_node ON of_node.execution_id = Execution.id
            JOIN Context AS nodes ON nodes.id = of_node.context_id
            JOIN Type AS node_types ON node_types.id = nodes.type_id AND node_types.name = 'node'
            JOIN Event ON Event.execution_id = Execution.id AND Event.type IN (?, ?)
            JOIN Artifact ON Artifact.id = Event.artifact_id
            WHERE runs.name = ?
            """,
            (_COMPLETE, _CACHED, *_OUTPUT_EVENTS, run_id),
        ).fetchall()
    return {name.partition(".")[2]: Path(uri) for name, uri in rows}


def problems(store: Path) -> list[str]:
    """Say what is wrong with a store in which no process works any more."""
    if not store.exists():
        return []
    found = list(_leftovers(store))
    if not has_database(store):
        return found
    with _connected(store) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            found.append(f"the database is damaged: {verdict}")
        found += _record_problems(connection)
        rows = connection.execute("SELECT id, uri, state FROM Artifact").fetchall()
        digests = dict(
            connection.execute(
                "SELECT artifact_id, string_value FROM ArtifactProperty WHERE name = ?", (DIGEST_PROPERTY,)
            ).fetchall()
        )
    for artifact_id, uri, state in rows:
        found += _artifact_problems(f"artifact {artifact_id}", Path(uri), state, digests.get(artifact_id))
    live = [Path(uri) for _, uri, state in rows if state == _LIVE]
    return found + list(_strangers(store / "artifacts", live))


def _record_problems(connection: sqlite3.Connection) -> Iterator[str]:
    for execution_id, state in connection.execute("SELECT id, last_known_state FROM Execution"):
        if state in _EXECUTION_STATES:
            yield f"execution {execution_id} is {_EXECUTION_STATES[state]} for ever"
    records = connection.execute("SELECT string_value FROM ContextProperty WHERE name = ?", (_RECORD,))
    for (text,) in records:
        record = json.loads(text)
        if record["state"] in _RUN_STATES:
            yield f"a run's record says '{record['state']}' for ever"


def _artifact_problems(name: str, path: Path, state: int, digest: str | None) -> Iterator[str]:
    if state == _LIVE:
        if not path.exists():
            yield f"{name} is LIVE without its files: {path}"
        elif not digest:
            yield f"{name} has no digest"
        elif tree_digest(str(path)) != digest:
            yield f"{name} has other files than its digest says: {path}"
    elif state == _DELETED:
        if path.exists():
            yield f"{name} is DELETED and has files: {path}"
    else:
        yield f"{name} is in state {state}"


def _leftovers(store: Path) -> Iterator[str]:
    for pattern in _UNFINISHED:
        for path in store.rglob(pattern):
            yield f"left behind: {path}"
    for name in _OF_THE_LIVING:
        for path in (store / name).rglob("*"):
            yield f"left behind: {path}"
    if (store / "gc.json").exists():
        yield "left behind: gc.json"


def _strangers(root: Path, live: list[Path]) -> Iterator[str]:
    """Files and folders below the artifacts' root that belong to no LIVE artifact; of a folder, the highest."""
    known = set(live)
    above = {parent for path in live for parent in path.parents}

    def walk(folder: Path) -> Iterator[str]:
        for path in folder.iterdir():
            if path in known:
                continue
            if path in above:
                yield from walk(path)
            else:
                yield f"belongs to no artifact: {path}"

    # The folder of a pipeline may be there before anything is in it.
    for folder in root.iterdir() if root.exists() else ():
        if folder.is_dir():
            yield from walk(folder)
        else:
            yield f"belongs to no artifact: {folder}"
