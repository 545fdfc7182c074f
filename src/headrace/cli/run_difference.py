"""Reads what differs between two runs: from the store, and from the payloads as their types are compared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from numbers import Real
from typing import Any

from headrace.artifact_types import ArtifactType, registry
from headrace.errors import HeadraceError
from headrace.files import addresses
from headrace.formats.changes import Change
from headrace.store.session import PayloadPair, StoreSession
from headrace.ui.comparison import PlacedChange, RunDifference


def read_difference(store: StoreSession, first: str, second: str) -> RunDifference:
    """Compare two runs.

    Args:
        store: The open store.
        first: The run on the left, or `"latest"`.
        second: The run on the right, or `"latest"`.

    Raises:
        StoreError: If there is no such run.
    """
    runs = store.compare(first, second)
    changes: list[PlacedChange] = []
    unread: list[str] = []
    for pair in runs.payloads:
        where, found = f"{pair.node_id}.{pair.key}", registry.find(pair.type_name)
        if found.problem:
            unread.append(f"{where} is not compared: {found.problem}")
        if found.artifact_type.changes is None:
            continue
        missing = [uri for uri in (pair.old_uri, pair.new_uri) if not os.path.exists(uri)]
        if missing:
            why = "not on this machine" if addresses.is_elsewhere(missing[0]) else "gone"
            unread.append(f"{where} is not compared: {missing[0]} is {why}.")
            continue
        try:
            with registry.of_others():
                changes += list(_changes(store, pair, found.artifact_type))
        except HeadraceError as error:
            unread.append(f"{where} is not compared: {error.problem}")
        except (
            Exception,
            SystemExit,
        ) as error:  # one damaged payload, or code of others, spoils no comparison
            by = f"{found.place} failed, " if found.place else ""
            unread.append(f"{where} is not compared: {by}{type(error).__name__}: {error}")
    return RunDifference(runs, tuple(changes), tuple(unread))


def _changes(store: StoreSession, pair: PayloadPair, kind: ArtifactType[Any]) -> Iterator[PlacedChange]:
    if kind.read is None or kind.changes is None:
        return
    old, new = (kind.read(store.subject(one).artifact) for one in (pair.old_id, pair.new_id))
    for change in kind.changes(old, new):
        if not isinstance(change, Change) or not all(
            value is None or isinstance(value, (Real, str)) for value in (change.old, change.new)
        ):
            raise TypeError(f"{change!r} is no Change from a number or text to another")
        yield PlacedChange(pair.node_id, pair.key, pair.type_name, change)
