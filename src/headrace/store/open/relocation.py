"""A store that was moved or copied: its records then name places where nothing is any more.

ML Metadata keeps absolute places of artifacts. The store notes where it lies; when it is opened elsewhere, what
lay below the old project folder is recorded anew below the new one, in one transaction.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from headrace.errors import StoreError
from headrace.files import shared_files
from headrace.store import records
from headrace.store.open import mlmd_internals

_PLACE_FILE = "place.json"
# Where TFX and Headrace keep paths as text: the record of a run, and a model's place of pushing.
_TEXTS = {
    "ContextProperty": ("headrace_run",),
    "ArtifactProperty": ("pushed_destination",),
}


def settle(store_path: str, connection: sqlite3.Connection, *, is_noted: bool = True) -> None:
    """Record that the store lies here; if it lay elsewhere before, correct the places in its metadata.

    Args:
        store_path: The store's folder, absolute.
        connection: Its database; nobody else is opening it now.
        is_noted: Whether to note in the store where it lies now; not for a copy of the database to read.
    """
    file_path = os.path.join(store_path, _PLACE_FILE)
    here = {"path": store_path, "real_path": os.path.realpath(store_path)}
    try:
        before = shared_files.read_json(file_path)
    except (OSError, ValueError):
        before = here
    if not isinstance(before, dict) or not all(isinstance(before.get(key), str) for key in here):
        before = here
    if before["real_path"] != here["real_path"] and not _is_same(before["path"], store_path):
        for old in dict.fromkeys((before["path"], before["real_path"])):
            _move(connection, os.path.dirname(old), os.path.dirname(store_path), old, store_path)
    if is_noted and (before != here or not os.path.exists(file_path)):
        shared_files.replace(file_path, json.dumps(here))


def _is_same(old: str, new: str) -> bool:
    """Whether both are one folder under two names, as with a mounted disk."""
    try:
        return os.path.samefile(old, new)
    except OSError:
        return False


def _move(
    connection: sqlite3.Connection, old_project: str, new_project: str, old_store: str, new_store: str
) -> None:
    """Replace the old places at the start of every path, the store's own before the project's."""

    def moved(path: str) -> str:
        if _is_below(path, old_store):
            return new_store + path[len(old_store) :]
        if _is_below(path, old_project):
            # Outside of the store it may have stayed behind.
            new = new_project + path[len(old_project) :]
            return new if os.path.exists(new) else path
        return path

    if not mlmd_internals.has_tables(connection):
        return
    if not mlmd_internals.has_columns(connection, mlmd_internals.PLACES):
        raise StoreError(
            f"the store {new_store} was moved here from {old_store}, and its database has tables of another form than "
            "ML Metadata 1.16 and 1.21 make, so the places in it cannot be corrected.",
            f"move it back to {old_store}.",
        )
    with connection:
        uris = connection.execute("SELECT id, uri FROM Artifact WHERE uri LIKE ?", (f"{old_project}/%",))
        changed = [(moved(uri), artifact_id) for artifact_id, uri in uris.fetchall()]
        connection.executemany("UPDATE Artifact SET uri = ? WHERE id = ?", changed)
        for table, names in _TEXTS.items():
            for name in names:
                _move_texts(connection, table, name, moved)


def _move_texts(connection: sqlite3.Connection, table: str, name: str, moved: Callable[[str], str]) -> None:
    rows = connection.execute(f"SELECT rowid, string_value FROM {table} WHERE name = ?", (name,)).fetchall()
    changed = []
    for row_id, text in rows:
        new = _moved_record(text, moved) if text.startswith("{") else moved(text)
        if new != text:
            changed.append((new, row_id))
    connection.executemany(f"UPDATE {table} SET string_value = ? WHERE rowid = ?", changed)


def _moved_record(text: str, moved: Callable[[str], str]) -> str:
    """A run's record with the places of its nodes' outputs and logs corrected."""
    record = records.parse_object(text)
    if record is None:
        return text
    for holder, key in _places(record):
        holder[key] = moved(holder[key])
    return json.dumps(record)


def _places(record: dict[str, object]) -> Iterator[tuple[dict[str, str], str]]:
    nodes = _objects_in(record.get("nodes"))
    holders = [(node, "log_path") for node in nodes]
    holders += [(output, "uri") for node in nodes for output in _objects_in(node.get("outputs"))]
    holders += [
        (details, key) for details in _objects_in([record.get("details")]) for key in ("folder", "script")
    ]
    yield from ((holder, key) for holder, key in holders if isinstance(holder.get(key), str))


def _objects_in(found: object) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
