"""Who a store is: an id that a copy of its files does not have.

What lies outside of a store, such as a pipeline's own root or a temporary folder, is marked with the id, and only
the store with that id removes it. A copy must not take itself for the original, nor may a store from elsewhere.
So the id counts only with a file, the *stamp*, whose inode and time of change are those that were noted: a copy
has others, and nobody can set the time of change. A store that is moved keeps both.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from typing import Any

from headrace.files import shared_files

_IDENTITY = "identity.json"
_STAMP = "stamp"
# It becomes a part of file names outside of the store.
_ID = re.compile(r"[0-9a-f]{16}")


def settle(store_path: str) -> str:
    """Return the store's id; a store that has none, or somebody else's, gets one.

    Args:
        store_path: The store's folder; nobody else is opening it now, and it can be written.
    """
    known = read(store_path)
    noted = _noted(store_path)
    if known and _place(store_path) == _place_of(noted):
        return known
    if not known:
        stamp = os.path.join(store_path, _STAMP)
        with contextlib.suppress(FileNotFoundError):
            os.remove(stamp)
        with open(stamp, "x", encoding="utf-8"):
            pass
        known = secrets.token_hex(8)
    text = json.dumps({"id": known, "stamp": _stamp(store_path), "place": _place(store_path)})
    shared_files.replace(os.path.join(store_path, _IDENTITY), text)
    return known


def read(store_path: str) -> str:
    """Return the store's id; empty where it has none of its own."""
    noted = _noted(store_path)
    stamp = _stamp(store_path)
    if not stamp or noted.get("stamp") != stamp or not _ID.fullmatch(str(noted.get("id"))):
        return ""
    path, device = _place(store_path)
    noted_path, noted_device = _place_of(noted)
    # After a start of the system a disk may have another number, and a moved store another path. A snapshot or an
    # image of a disk, with the inodes and times of the original, has both.
    return str(noted["id"]) if path == noted_path or device == noted_device else ""


def _noted(store_path: str) -> dict[str, Any]:
    try:
        noted = shared_files.read_json(os.path.join(store_path, _IDENTITY))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _stamp(store_path: str) -> list[int]:
    try:
        status = os.lstat(os.path.join(store_path, _STAMP))
    except OSError:
        return []
    return [status.st_ino, status.st_ctime_ns]


def _place(store_path: str) -> tuple[str, int]:
    return os.path.realpath(store_path), os.stat(store_path).st_dev


def _place_of(noted: dict[str, Any]) -> tuple[str, int]:
    place = noted.get("place")
    if (
        isinstance(place, list)
        and len(place) == 2
        and isinstance(place[0], str)
        and isinstance(place[1], int)
    ):
        return place[0], place[1]
    return "", -1
