"""SQLite's files, whoever else has them open: connect, read, copy, and what is wrong with their disk."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from typing import TypeVar

from headrace.errors import StoreError
from headrace.store.open import mlmd_internals
from headrace.store.open.write_queue import LIMIT_SECONDS

Value = TypeVar("Value")

# Run in a process of its own, which may touch any database.
_COPY = "import sqlite3, sys; sqlite3.connect(sys.argv[1], uri=True).backup(sqlite3.connect(sys.argv[2]))"
# What a database on a disk that cannot be written consists of: the log may hold what the file does not.
_ENDINGS = ("", "-wal")


@contextlib.contextmanager
def connect(path: str) -> Iterator[sqlite3.Connection]:
    """Connect to a database that ML Metadata does not have open in this process, and disconnect at the end."""
    with contextlib.closing(sqlite3.connect(path, timeout=LIMIT_SECONDS)) as connection:
        yield connection


def read(path: str, question: Callable[[sqlite3.Connection], Value]) -> Value | None:
    """Return what `question` finds in ML Metadata's tables as they are at one moment.

    `None` where there are none, or where they have not the columns that are known.
    """
    with connect(path) as connection:
        connection.execute("BEGIN")
        is_known = mlmd_internals.has_columns(connection, mlmd_internals.COLUMNS)
        return question(connection) if is_known else None


def copy(database_path: str, path: str, *, is_read_only: bool) -> None:
    """Copy a database as it is at this moment.

    Args:
        database_path: The database.
        path: The file to write.
        is_read_only: Whether the database, or its folder, cannot be written.

    Raises:
        StoreError: If it cannot be read, or the copy not written.
    """
    mode = "ro" if is_read_only else "rw"
    source = f"file:{urllib.parse.quote(os.fsencode(database_path))}?mode={mode}"
    command = [sys.executable, "-I", "-S", "-c", _COPY, source, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and is_read_only:
        # SQLite cannot make the files beside the database that it shares with other processes. On a disk that
        # is read-only nobody writes to it either.
        with contextlib.suppress(OSError):
            for ending in _ENDINGS:
                if os.path.exists(database_path + ending):
                    shutil.copyfile(database_path + ending, path + ending)
            return
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise StoreError(
            f"{database_path} cannot be copied to {path}: {reason}.",
            "free some space in the temporary folder, or restore the database from a copy.",
        )


def why_read_only(*paths: str) -> str:
    """Return what the system says of the first path that cannot be written; empty where all can."""
    for path in paths:
        if not os.access(path, os.W_OK):
            try:
                # That its disk is read-only, or that it is another's.
                os.utime(path)
            except OSError as error:
                return str(error)
            return str(PermissionError(errno.EACCES, os.strerror(errno.EACCES), path))
    return ""


def is_disk_trouble(message: str) -> bool:
    """Whether SQLite speaks of a disk that is full, read-only or damaged."""
    return any(
        words in message.lower()
        for words in ("disk is full", "readonly", "read-only", "unable to open", "disk i/o")
    )


def damage_error(path: str, message: str) -> StoreError:
    """Return the error for a file that is no SQLite database, or a damaged one."""
    return StoreError(
        f"{path} is not a usable SQLite database: {message}.",
        "move it away to start anew, or restore it from a copy.",
    )


def disk_error(path: str, message: str) -> StoreError:
    """Return the error for a store on a full or read-only disk."""
    return StoreError(
        f"the store {path} cannot be written: {message}",
        "free some space or make the folder writable, or name another store with --store DIR.",
    )
