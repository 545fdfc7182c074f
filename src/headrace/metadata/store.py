"""The store: a folder with the metadata database, the artifacts, the logs and the locks of running runs.

::

    .headrace/
    ├── metadata.db     ML Metadata in SQLite
    ├── artifacts/      {node}/{output key}/{execution id}/, unless the pipeline names its own root
    ├── logs/           {run}/{node}.log
    ├── sources/        {sha256}: the texts behind cache keys, for `headrace explain`
    ├── kept/           {sha256}: what executors found in one input, for later windows of several; a gigabyte at most
    ├── digests.db      digests of large input files, by what a stat tells; losing it costs time only
    ├── running/        {run}: a file that its process keeps locked while it lives
    ├── choice.lock     held while a node chooses earlier artifacts, and while garbage is marked
    └── gc.json         the files that garbage collection is removing; gone when it has ended
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from headrace.errors import StoreError
from headrace.metadata import relocation
from headrace.sdk.light import authoring

with authoring():
    from ml_metadata import errors as mlmd_errors
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata as tfx_metadata

DEFAULT_PATH = ".headrace"

Value = TypeVar("Value")

# Databases that ML Metadata has open in this process. Python's `sqlite3` is another copy of SQLite: it must not
# touch one of them, because POSIX file locks belong to the process, and closing the file drops ML Metadata's.
_opened: Counter[str] = Counter()
_opening = threading.Lock()
# Run in a process of its own, which may touch any database.
_COPY = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))"


class Store:
    """One store, opened by one process; safe to use from its threads.

    Args:
        path: The store's folder; made where it is missing.
        connection_config: Another place for the metadata, as TFX's `metadata_connection_config` gives it. A
            SQLite file is remembered: who opens the folder to read finds it.

    Attributes:
        connection_config: The connection where it is not a SQLite file; `None` where it is.
        database_path: The SQLite file.
        given_path: `path` as it was given: what a person would type to name the store.
        project_path: The folder that the store lies in: paths below it do not tie a cache entry to this
            machine.

    Raises:
        StoreError: If the folder cannot be made or written, or the database cannot be opened.
    """

    def __init__(
        self, path: str = DEFAULT_PATH, connection_config: metadata_store_pb2.ConnectionConfig | None = None
    ) -> None:
        self.given_path = path
        self.path = os.path.abspath(path)
        self._named_database = connection_config.sqlite.filename_uri if connection_config else ""
        self.connection_config = None if self._named_database else connection_config
        self.database_path = self._find_database()
        self.project_path = os.path.dirname(self.path)
        self._lock = threading.RLock()
        self._handle: Any = None
        self._trouble = ""

    @classmethod
    def at(cls, place: str | Store) -> Store:
        """Return the store in a folder; a store that is given already, as it is."""
        return place if isinstance(place, Store) else cls(place)

    @classmethod
    def existing(cls, place: str | Store) -> Store:
        """Return the store in a folder, or the one given.

        Raises:
            StoreError: If there is none.
        """
        store = cls.at(place)
        if not store.exists():
            raise StoreError(
                f"there is no store in {store.path}.",
                "run a pipeline first: headrace run taxi, or name the store with --store DIR.",
            )
        return store

    def _find_database(self) -> str:
        """The file that was named, the folder's own, or the one that the last run named."""
        own_path = os.path.join(self.path, "metadata.db")
        if self._named_database or os.path.exists(own_path):
            return os.path.abspath(self._named_database) if self._named_database else own_path
        with contextlib.suppress(OSError), open(self._note_path, encoding="utf-8") as file:
            noted_path = file.read()
            if os.path.exists(noted_path):
                return noted_path
        return own_path

    @property
    def _note_path(self) -> str:
        return os.path.join(self.path, "metadata_at")

    @property
    def artifacts_path(self) -> str:
        """Where artifacts go when the pipeline names no root of its own."""
        return os.path.join(self.path, "artifacts")

    @property
    def kept_path(self) -> str:
        """Where executors keep partial results."""
        return os.path.join(self.path, "kept")

    def logs_path(self, run_id: str) -> str:
        """The folder for one run's log files."""
        return os.path.join(self.path, "logs", run_id)

    def exists(self) -> bool:
        """Whether there is a store to read."""
        return self.connection_config is not None or os.path.exists(self.database_path)

    @contextlib.contextmanager
    def open(self) -> Iterator[Store]:
        """Connect, and disconnect at the end; the folders exist inside."""
        self._make_folders()
        try:
            with _opening, self._alone():
                handle = tfx_metadata.Metadata(self._prepared_connection())
                handle.__enter__()
                _opened[self.database_path] += 1
        except (RuntimeError, mlmd_errors.StatusError) as error:
            if _is_disk_trouble(str(error)):
                raise disk_error(self.path, str(error)) from error
            raise StoreError(
                f"the metadata store of {self.path} cannot be opened: {error}",
                "check the connection, and that the store was not written by a newer ML Metadata.",
            ) from error
        self._handle = handle
        try:
            yield self
        finally:
            self._handle = None
            with _opening:
                handle.__exit__(None, None, None)
                _opened[self.database_path] -= 1

    def read_sqlite(self, read: Callable[[sqlite3.Connection], Value]) -> Value | None:
        """Read from SQLite itself what ML Metadata has no query for that is quick enough.

        Args:
            read: Called with a connection that shows the database as it is at one moment.

        Returns:
            What `read` returned; `None` where the metadata are not in this store's SQLite file, this process has
            it open, or it has no tables yet.

        Raises:
            StoreError: As at opening.
        """
        with _opening:
            if self.connection_config is not None or _opened[self.database_path]:
                return None
            self._make_folders()
            with self._alone():
                self._prepare_database()
            with contextlib.closing(sqlite3.connect(self.database_path, timeout=60)) as connection:
                connection.execute("BEGIN")
                has_tables = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
                return read(connection) if has_tables else None

    def copy_database(self, path: str) -> None:
        """Copy the SQLite file, as it is at this moment, to `path`; do nothing where there is none yet.

        Raises:
            StoreError: If it cannot be read, or the copy not written.
        """
        if not os.path.exists(self.database_path):
            return
        command = [sys.executable, "-I", "-S", "-c", _COPY, self.database_path, path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip().rpartition("\n")[2]
            raise StoreError(
                f"{self.database_path} cannot be copied to {path}: {reason}.",
                "free some space in the temporary folder, or restore the database from a copy.",
            )

    @contextlib.contextmanager
    def handle(self) -> Iterator[Any]:
        """Hold TFX's metadata handle; one thread at a time, because MLMD's connection is not shared safely.

        Raises:
            StoreError: If the database is full, read-only or damaged.
        """
        with self._lock:
            if self._handle is None:
                raise StoreError(f"the store {self.path} is not open.", "use it inside `with store.open():`.")
            try:
                yield self._handle
            except mlmd_errors.StatusError as error:
                if _is_disk_trouble(str(error)):
                    self._trouble = str(error)
                if not self._trouble:
                    raise
                # A transaction whose commit failed stays open in ML Metadata; every later call fails for that.
                raise disk_error(self.path, self._trouble) from error

    def _make_folders(self) -> None:
        try:
            for path in (self.path, self.artifacts_path, os.path.join(self.path, "running")):
                os.makedirs(path, exist_ok=True)
            if not os.access(self.path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.path)
        except OSError as error:
            raise disk_error(self.path, str(error)) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time open the store: the first makes the tables, which two must not do at once."""
        with open(os.path.join(self.path, "open.lock"), "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _prepared_connection(self) -> metadata_store_pb2.ConnectionConfig:
        if self.connection_config is not None:
            return self.connection_config
        if self._named_database:
            os.makedirs(os.path.dirname(self.database_path), exist_ok=True)
            with open(self._note_path, "w", encoding="utf-8") as file:
                file.write(self.database_path)
        self._prepare_database()
        return tfx_metadata.sqlite_metadata_connection_config(self.database_path)

    def _prepare_database(self) -> None:
        """Turn on SQLite's write-ahead log: readers then never wait for the writer. Follow a moved store."""
        if _opened[self.database_path]:
            return
        try:
            connection = sqlite3.connect(self.database_path, timeout=60)
            try:
                # Switching needs the database for oneself; a store that another process uses has switched.
                if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    connection.execute("PRAGMA journal_mode=WAL")
                relocation.settle(self.path, connection)
            finally:
                connection.close()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and _is_disk_trouble(str(error)):
                raise disk_error(self.path, str(error)) from error
            raise StoreError(
                f"{self.database_path} is not a usable SQLite database: {error}.",
                "move it away to start anew, or restore it from a copy.",
            ) from error


def handle_for(connection_config: bytes) -> Any:
    """Return TFX's metadata handle, not yet open, for a serialized MLMD connection."""
    return tfx_metadata.Metadata(metadata_store_pb2.ConnectionConfig.FromString(connection_config))


def _is_disk_trouble(message: str) -> bool:
    return any(
        words in message.lower()
        for words in ("disk is full", "readonly", "read-only", "unable to open", "disk i/o")
    )


def disk_error(path: str, message: str) -> StoreError:
    """Return the error for a store on a full or read-only disk."""
    return StoreError(
        f"the store {path} cannot be written: {message}",
        "free some space or make the folder writable, or name another store with --store DIR.",
    )
