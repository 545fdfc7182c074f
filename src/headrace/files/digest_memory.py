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

_MIN_BYTES = 256 << 10
_MAX_ROWS = 200_000
_RACY_NS = 2_000_000_000
_BUSY_SECONDS = 2.0
_FORMAT = 2

_Look = tuple[int | str, ...]

_path = ""
# What was hashed or verified in this process.
_recent: dict[str, tuple[_Look, str]] = {}
# What the file holds, not yet verified; `None` until somebody asks.
_rows: dict[str, tuple[str, object]] | None = None
_unsaved: dict[str, tuple[_Look, str]] = {}
_num_batches = 0
_lock = threading.Lock()
_reading = threading.Lock()
_state = threading.local()


def use(path: str) -> None:
    """Remember in the SQLite file `path` from now on; it is made when there is something to remember."""
    global _path, _rows
    if path != _path:
        _path, _rows = path, None


@contextlib.contextmanager
def distrusted() -> Iterator[None]:
    """Inside, this thread hashes every file, as if nothing were remembered."""
    _state.is_distrusted = True
    try:
        yield
    finally:
        _state.is_distrusted = False


def is_distrusted() -> bool:
    """Whether this thread hashes every file."""
    return bool(getattr(_state, "is_distrusted", False))


def distrust_as(is_distrusted: bool) -> None:
    """Let this thread, made to help another, hash every file or not as that does."""
    _state.is_distrusted = is_distrusted


@contextlib.contextmanager
def together() -> Iterator[None]:
    """What any thread remembers inside is written at the end, at once: each write waits for the disk."""
    global _num_batches
    with _lock:
        _num_batches += 1
    try:
        yield
    finally:
        with _lock:
            _num_batches -= 1
        _save()


def recall(path: str, info: os.stat_result) -> str:
    """Return the digest of a file that looks as it did when it was hashed; empty where it is not known."""
    if info.st_size < _MIN_BYTES or is_distrusted():
        return ""
    return _recall(os.path.abspath(path), _look(info))


def recall_look(name: str, look: str) -> str:
    """Return the digest of several files that look together as they did when they were hashed; empty where unknown.

    Args:
        name: What names them all, such as their folder and the first of them.
        look: What all of them look like, as one text; empty where nobody can tell.
    """
    return "" if not look or is_distrusted() else _recall(name, (_FORMAT, look))


def _recall(name: str, look: _Look) -> str:
    known = _recent.get(name)
    if known is not None and known[0] == look:
        return known[1]
    noted, signed = _read().get(name, ("", b""))
    if noted != repr(look) or not isinstance(signed, bytes):
        return ""
    digest = (signatures.verified(signed, _signed_as(name, look)) or b"").decode()
    if digest:
        _recent[name] = (look, digest)
    return digest


def _read() -> dict[str, tuple[str, object]]:
    """All that the file holds: one look at it costs more than to know of a file."""
    global _rows
    # Several threads ask at once, and one of them reads.
    with _reading:
        if _rows is None:
            rows: dict[str, tuple[str, object]] = {}
            if os.path.exists(_path):
                with contextlib.suppress(sqlite3.Error), contextlib.closing(_open()) as database:
                    rows = {
                        name: (look, signed) for name, look, signed in database.execute("SELECT * FROM files")
                    }
            _rows = rows
        return _rows


def remember(path: str, info: os.stat_result, started_ns: int, digest: str) -> None:
    """Keep the digest of a file that looked like `info` when its hashing started."""
    if info.st_size < _MIN_BYTES:
        return
    name, look = os.path.abspath(path), _look(info)
    is_young = started_ns - max(info.st_mtime_ns, info.st_ctime_ns) < _RACY_NS
    try:
        if is_young or _look(os.stat(path)) != look:
            return
    except OSError:
        return
    _keep(name, look, digest)


def remember_look(name: str, look: str, age_ns: int, digest: str) -> None:
    """Keep the digest of several files; see `recall_look`.

    Args:
        name: What names them all.
        look: What they looked like before and after they were hashed.
        age_ns: How long before their hashing the last of them changed.
        digest: Their digest.
    """
    if look and age_ns >= _RACY_NS:
        _keep(name, (_FORMAT, look), digest)


def _keep(name: str, look: _Look, digest: str) -> None:
    _recent[name] = (look, digest)
    with _lock:
        _unsaved[name] = (look, digest)
        is_batch = _num_batches > 0
    if not is_batch:
        _save()


def _save() -> None:
    with _lock:
        unsaved = dict(_unsaved)
        _unsaved.clear()
    if not unsaved or not _path:
        return
    rows = [
        (name, repr(look), signatures.sign(digest.encode(), _signed_as(name, look)))
        for name, (look, digest) in unsaved.items()
    ]
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_open()) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, look TEXT, digest BLOB)")
        database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
        database.execute("DELETE FROM files WHERE rowid <= (SELECT MAX(rowid) FROM files) - ?", (_MAX_ROWS,))


def _open() -> sqlite3.Connection:
    return sqlite3.connect(_path, timeout=_BUSY_SECONDS)


def _signed_as(name: str, look: _Look) -> str:
    return f"digest of {name} {look!r}"


def _look(info: os.stat_result) -> _Look:
    return (_FORMAT, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev)
