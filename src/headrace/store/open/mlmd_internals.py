"""ML Metadata's private parts that the store builds on, in the form in which they are known: its calls and its tables.

MLMD 1.16 and 1.21 have both. Where a call has another form, MLMD's own five tries stay; where a table has, what is read
from SQLite is read through MLMD instead, which takes longer, and a store that was moved is refused.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from headrace.authoring.light import authoring
from headrace.internals import Library

with authoring():
    from ml_metadata import MetadataStore

_MLMD = Library("MLMD", "ml-metadata")
_MLMD.part(MetadataStore, "_call", "self method_name request response extra_options")
_MLMD.part(MetadataStore, "_call_method", "self method_name request response")

# The columns that hold places, which are written where a store was moved.
PLACES: dict[str, frozenset[str]] = {
    "Artifact": frozenset({"id", "uri"}),
    "ArtifactProperty": frozenset({"name", "string_value"}),
    "ContextProperty": frozenset({"name", "string_value"}),
}
# The columns that are read.
COLUMNS: dict[str, frozenset[str]] = {
    "Artifact": frozenset({"id", "type_id", "uri", "state"}),
    "ArtifactProperty": frozenset({"artifact_id", "name", "int_value", "string_value"}),
    "ContextProperty": frozenset({"context_id", "name", "string_value"}),
    "Context": frozenset({"id", "type_id", "name"}),
    "Event": frozenset({"id", "artifact_id", "execution_id", "type"}),
    "EventPath": frozenset({"event_id", "step_key"}),
    "Execution": frozenset({"id", "type_id", "last_known_state"}),
    "Type": frozenset({"id", "name", "type_kind"}),
}


def queue_calls(mlmd_store: Any, queue: Callable[[str, Callable[[], Any]], Any]) -> bool:
    """Let each call of an ML Metadata store wait for its turn, in the place of its own five tries.

    Args:
        mlmd_store: The store.
        queue: Takes the method's name and what asks the database once.

    Returns:
        Whether calls wait; where not, nothing is changed.
    """
    if _MLMD.unknown:
        return False
    # Not the store itself: in a cycle it would live on, and its connection with it, until a collection.
    reference = weakref.ref(mlmd_store)

    def call(name: str, request: Any, response: Any, extra_options: Any = None) -> None:
        queue(name, lambda: reference()._call_method(name, request, response))  # type: ignore[union-attr]

    mlmd_store._call = call
    return True


def change_calls(mlmd_store: Any, before: Callable[[str, Any], None], after: Callable[[Any], None]) -> bool:
    """Let each call of an ML Metadata store ask something else, and answer with something else.

    Args:
        mlmd_store: The store.
        before: Takes the method's name and the request, which it may change.
        after: Takes the response, which it may change.

    Returns:
        Whether calls do; where not, nothing is changed.
    """
    if _MLMD.unknown:
        return False
    ask = mlmd_store._call

    def call(name: str, request: Any, response: Any, extra_options: Any = None) -> None:
        before(name, request)
        ask(name, request, response, extra_options)
        after(response)

    mlmd_store._call = call
    return True


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether a database has ML Metadata's tables, of whatever form."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'Artifact'").fetchone())


def has_columns(connection: sqlite3.Connection, tables: Mapping[str, frozenset[str]]) -> bool:
    """Whether a database has all of these columns, by table."""
    return all(
        columns <= {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for table, columns in tables.items()
    )
