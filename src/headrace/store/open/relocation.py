"""A store that was moved or copied: its records then name places where nothing is any more.

ML Metadata keeps absolute places of artifacts. The store notes where it lies; when it is opened elsewhere, what
lay below the old project folder is recorded anew below the new one, in one transaction.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from headrace.errors import StoreError
from headrace.files import shared_files
from headrace.formats import pushed_models
from headrace.store import records
from headrace.store.open import mlmd_internals

_PLACE_FILE = "place.json"
# Where TFX and Headrace keep paths as text: the record of a run, and a model's place of pushing.
_TEXTS = {
    "ContextProperty": (records.RECORD_PROPERTY,),
    "ArtifactProperty": (pushed_models.DESTINATION_PROPERTY,),
}


@dataclass(frozen=True)
class Move:
    """A store that lay in one folder and lies in another now.

    Attributes:
        old: Where it lay.
        new: Where it lies.
    """

    old: str
    new: str

    def here(self, path: str) -> str:
        """Return where a path is now: the store's own places first, then the project's."""
        if _is_below(path, self.old):
            return self.new + path[len(self.old) :]
        old_project = os.path.dirname(self.old)
        if _is_below(path, old_project):
            # Outside of the store it may have stayed behind.
            new = os.path.dirname(self.new) + path[len(old_project) :]
            return new if os.path.exists(new) else path
        return path

    def before(self, path: str) -> str:
        """Return where a path was before."""
        new_project, old_project = os.path.dirname(self.new), os.path.dirname(self.old)
        for new, old in ((self.new, self.old), (new_project, old_project)):
            if _is_below(path, new):
                return old + path[len(new) :]
        return path


def settle(store_path: str, connection: sqlite3.Connection, *, is_noted: bool = True) -> None:
    """Record that the store lies here; if it lay elsewhere before, correct the places in its metadata.

    Args:
        store_path: The store's folder, absolute.
        connection: Its database; nobody else is opening it now.
        is_noted: Whether to note in the store where it lies now; not for a copy of the database to read.
    """
    file_path = os.path.join(store_path, _PLACE_FILE)
    here = {"path": store_path, "real_path": os.path.realpath(store_path)}
    before = _noted(file_path) or here
    for move in moves(store_path):
        _correct(connection, move)
    if is_noted and (before != here or not os.path.exists(file_path)):
        shared_files.replace(file_path, json.dumps(here))


def moves(store_path: str) -> list[Move]:
    """Return how the places in a store's metadata became those of today; none where it lies where it lay."""
    before = _noted(os.path.join(store_path, _PLACE_FILE))
    if (
        before is None
        or before["real_path"] == os.path.realpath(store_path)
        or _is_same(before["path"], store_path)
    ):
        return []
    return [Move(old, store_path) for old in dict.fromkeys((before["path"], before["real_path"]))]


def follow(mlmd_store: Any, moved: Sequence[Move]) -> None:
    """Let an ML Metadata store that is only read answer with the places of today, and find things by them.

    Raises:
        StoreError: If this ML Metadata makes its calls in another form than is known.
    """

    def before(name: str, request: Any) -> None:
        if name == "GetArtifactsByURI":
            request.uris.extend([move.before(uri) for uri in list(request.uris) for move in moved])

    def after(response: Any) -> None:
        for _, value in response.ListFields():
            for proto in _protos_in(value):
                for move in moved:
                    _place_here(proto, move)

    if not mlmd_internals.change_calls(mlmd_store, before, after):
        raise _moved_error(moved[-1], "this ML Metadata makes its calls in another form than 1.16 and 1.21")


def _moved_error(move: Move, why: str) -> StoreError:
    return StoreError(
        f"the store {move.new} was moved here from {move.old}, and {why}, so the places in it cannot be corrected.",
        f"move it back to {move.old}.",
    )


def _protos_in(value: Any) -> list[Message]:
    """The messages in a field of an answer; none in one of numbers or text."""
    found = [value] if isinstance(value, Message) or not isinstance(value, Iterable) else value
    return [proto for proto in found if isinstance(proto, Message)]


def _place_here(proto: Any, move: Move) -> None:
    """Correct the places in an artifact or a context; other protos have none."""
    kind = proto.DESCRIPTOR.name
    if kind == "Artifact":
        proto.uri = move.here(proto.uri)
    for name in _TEXTS.get(f"{kind}Property", ()):
        if name in proto.custom_properties:
            text = proto.custom_properties[name].string_value
            proto.custom_properties[name].string_value = _moved_text(text, move.here)


def _noted(file_path: str) -> dict[str, str] | None:
    """Where the store lay when it was opened last; `None` where nothing that can be read says so."""
    try:
        before = shared_files.read_json(file_path)
    except (OSError, ValueError):
        return None
    if not isinstance(before, dict) or not all(
        isinstance(before.get(key), str) for key in ("path", "real_path")
    ):
        return None
    return before


def _is_same(old: str, new: str) -> bool:
    """Whether both are one folder under two names, as with a mounted disk."""
    try:
        return os.path.samefile(old, new)
    except OSError:
        return False


def _correct(connection: sqlite3.Connection, move: Move) -> None:
    """Replace the old places at the start of every path."""
    if not mlmd_internals.has_tables(connection):
        return
    if not mlmd_internals.has_columns(connection, mlmd_internals.PLACES):
        raise _moved_error(
            move, "its database has tables of another form than ML Metadata 1.16 and 1.21 make"
        )
    with connection:
        old_project = os.path.dirname(move.old)
        uris = connection.execute("SELECT id, uri FROM Artifact WHERE uri LIKE ?", (f"{old_project}/%",))
        changed = [(move.here(uri), artifact_id) for artifact_id, uri in uris.fetchall()]
        connection.executemany("UPDATE Artifact SET uri = ? WHERE id = ?", changed)
        for table, names in _TEXTS.items():
            for name in names:
                _move_texts(connection, table, name, move.here)


def _move_texts(connection: sqlite3.Connection, table: str, name: str, moved: Callable[[str], str]) -> None:
    rows = connection.execute(f"SELECT rowid, string_value FROM {table} WHERE name = ?", (name,)).fetchall()
    changed = []
    for row_id, text in rows:
        new = _moved_text(text, moved)
        if new != text:
            changed.append((new, row_id))
    connection.executemany(f"UPDATE {table} SET string_value = ? WHERE rowid = ?", changed)


def _moved_text(text: str, moved: Callable[[str], str]) -> str:
    return _moved_record(text, moved) if text.startswith("{") else moved(text)


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
