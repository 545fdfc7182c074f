"""The digests of large files, remembered by what a stat tells: hashing 10 GB takes 24 s, looking 10 µs.

A file is known again by its path, size, inode, and the times of its last change and of its last change of status.
A file that changed within two seconds before it was hashed is not remembered, as in git: a second change within
one tick of the file system's clock would leave no trace.

Where the memory lies does not matter: it is a table by absolute path, in the store of the last run that was
started in this process. A store may come from elsewhere, so what it says of a file counts only where this user signed
it. Losing it costs time only, so nothing here raises.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator

from headrace.files import signatures

_MIN_BYTES = 1 << 20
_RACY_NS = 2_000_000_000
_BUSY_SECONDS = 2.0
_FORMAT = 2

_path = ""
_recent: dict[str, tuple[tuple[int, ...], str]] = {}
_state = threading.local()


def use(path: str) -> None:
    """Remember in the SQLite file `path` from now on; it is made when there is something to remember."""
    global _path
    _path = path


@contextlib.contextmanager
def distrusted() -> Iterator[None]:
    """Inside, this thread hashes every file, as if nothing were remembered."""
    _state.is_distrusted = True
    try:
        yield
    finally:
        _state.is_distrusted = False


def recall(path: str, info: os.stat_result) -> str:
    """Return the digest of a file that looks as it did when it was hashed; empty where it is not known."""
    if info.st_size < _MIN_BYTES or getattr(_state, "is_distrusted", False):
        return ""
    name, look = os.path.abspath(path), _look(info)
    known = _recent.get(name)
    if known is not None and known[0] == look:
        return known[1]
    if not os.path.exists(_path):
        return ""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_open()) as database:
        row = database.execute(
            "SELECT digest FROM files WHERE path = ? AND look = ?", (name, repr(look))
        ).fetchone()
        signed = row[0] if row is not None and isinstance(row[0], bytes) else b""
        digest = signatures.verified(signed, _signed_as(name, look))
        if digest:
            _recent[name] = (look, digest.decode())
            return digest.decode()
    return ""


def remember(path: str, info: os.stat_result, started_ns: int, digest: str) -> None:
    """Keep the digest of a file that looked like `info` when its hashing started."""
    if info.st_size < _MIN_BYTES:
        return
    name, look = os.path.abspath(path), _look(info)
    with contextlib.suppress(OSError, sqlite3.Error):
        is_young = started_ns - max(info.st_mtime_ns, info.st_ctime_ns) < _RACY_NS
        if is_young or _look(os.stat(path)) != look:
            return
        _recent[name] = (look, digest)
        if not _path:
            return
        signed = signatures.sign(digest.encode(), _signed_as(name, look))
        with contextlib.closing(_open()) as database, database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, look TEXT, digest BLOB)"
            )
            database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (name, repr(look), signed))


def _open() -> sqlite3.Connection:
    return sqlite3.connect(_path, timeout=_BUSY_SECONDS)


def _signed_as(name: str, look: tuple[int, ...]) -> str:
    return f"digest of {name} {look!r}"


def _look(info: os.stat_result) -> tuple[int, ...]:
    return (_FORMAT, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev)
