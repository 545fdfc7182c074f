"""The store: a folder with the metadata database, the artifacts, the logs and the locks of running runs.

::

    .headrace/
    ├── metadata.db     ML Metadata in SQLite
    ├── artifacts/      {node}/{output key}/{execution id}/, unless the pipeline names its own root
    ├── unpublished/    {execution id}-{token}/: what a running execution makes, see `headrace.store.record.unpublished`
    ├── logs/           {run}/{node}.log
    ├── sources/        {sha256}: the texts behind cache keys, for `headrace explain`
    ├── kept/           {sha256}: what executors found in one input, for later windows of several; a gigabyte at most
    ├── digests.db      digests of large input files, by what a stat tells; losing it costs time only
    ├── running/        {run}: a file that its process keeps locked while it lives; likewise `sessions/`
    ├── keys/           {cache key}: locked while a node makes what belongs to it
    ├── starting/       files that are about to become one of `running/` or `sessions/`
    ├── metadata_at     which SQLite file the last run named, where that is not `metadata.db`
    ├── place.json      where the store lay when it was opened last
    ├── identity.json   which store this is, with `stamp`: a copy is another one
    ├── open.lock       held while a process opens the database
    ├── write.lock      held while one writes to it: the queue of the writers
    ├── choice.lock     held while a node chooses earlier artifacts, and while garbage is marked
    ├── gc.lock         held by the one garbage collection
    └── gc.json         what garbage collection is removing; gone when it has ended
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from headrace.authoring.light import authoring
from headrace.errors import StoreError
from headrace.files import addresses, shared_files
from headrace.store.open import identity, relocation, sqlite_files, strangers
from headrace.store.open.write_queue import LIMIT_SECONDS, WriteQueue

with authoring():
    from ml_metadata import errors as mlmd_errors
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata as tfx_metadata

DEFAULT_PATH = ".headrace"
_FOLDERS_WITHOUT_LINKS = ("running", "starting", "sessions", "keys", "unpublished")

Value = TypeVar("Value")

# Databases that ML Metadata has open in this process, links followed. Python's `sqlite3` is another copy of
# SQLite: it must not touch one of them, because POSIX file locks belong to the process, and closing the file
# drops ML Metadata's.
_opened: Counter[str] = Counter()
_opening = threading.Lock()
# What ML Metadata says when another process writes.
_BUSY = ("Concurrent writes", "database is locked")


class Store:
    """One store, opened by one process; safe to use from its threads. Who only reads takes a `ReadStore`.

    Args:
        path: The store's folder; made where it is missing.
        connection_config: Another place for the metadata, as TFX's `metadata_connection_config` gives it. A
            SQLite file is remembered: who opens the folder to read finds it.

    A store that this user cannot write is read from a copy of its database; `check_writable` says so to who writes.

    Attributes:
        store_id: Which store this is; empty before it was opened, and where it cannot be written.
        connection_config: The connection where it is not a SQLite file; `None` where it is.
        database_path: The SQLite file.
        given_path: `path` as it was given: what a person would type to name the store.
        report: Told what a write waits for, when it waits long; prints to standard error at first.
        project_path: The folder that the store lies in: paths below it do not tie a cache entry to this
            machine.

    Raises:
        StoreError: If the folder cannot be made, or the database cannot be opened.
        UnsupportedFeatureError: If the path has a scheme of another machine.
    """

    _how_to_open = "use it inside `with store.open():`."

    def __init__(
        self, path: str = DEFAULT_PATH, connection_config: metadata_store_pb2.ConnectionConfig | None = None
    ) -> None:
        self.given_path = path
        self.path = addresses.absolute_path(path, "the store")
        _check_text(self.path)
        self.store_id = ""
        named = connection_config.sqlite.filename_uri if connection_config else ""
        self._named_database = addresses.local_path(named, "the metadata database")
        self.connection_config = None if self._named_database else connection_config
        self.database_path = self._find_database()
        self.project_path = os.path.dirname(self.path)
        self._lock = threading.RLock()
        self._handle: Any = None
        self._trouble = ""
        self._why_read_only = ""
        self.report: Callable[[str], None] = _print_to_stderr

    @classmethod
    def existing(cls, path: str) -> Store:
        """Return the store in a folder.

        Raises:
            StoreError: If there is none.
        """
        store = cls(path)
        store.check_exists()
        return store

    def _find_database(self) -> str:
        """The file that was named, the folder's own, or the one that the last run named."""
        own_path = os.path.join(self.path, "metadata.db")
        if self._named_database or os.path.exists(own_path):
            return os.path.abspath(self._named_database) if self._named_database else own_path
        # Only this store's own note counts: a copy, or a store from elsewhere, must not open another's database.
        store_id = identity.read(self.path) if os.path.isdir(self.path) else ""
        with contextlib.suppress(OSError):
            noted_id, _, noted_path = shared_files.read_text(self._note_path).partition("\n")
            if store_id and noted_id == store_id and os.path.exists(noted_path):
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

    def check_exists(self) -> None:
        """Do nothing where there is a store to read.

        Raises:
            StoreError: If there is none.
        """
        if not self.exists():
            raise StoreError(
                f"there is no store in {self.path}.",
                "run a pipeline first: headrace run taxi, or name the store with --store DIR.",
            )

    @contextlib.contextmanager
    def open(self) -> Iterator[Store]:
        """Connect, and disconnect at the end; the folders exist inside, unless the store can only be read."""
        if self._is_read_only():
            with self._copy() as copied_path:
                yield from self._opened(copied_path)
            return
        self._make_folders()
        yield from self._opened("")

    def _opened(self, copied_path: str) -> Iterator[Store]:
        opened_path = os.path.realpath(copied_path or self.database_path)
        self._trouble = ""
        try:
            with _opening:
                handle = self._connect(copied_path)
                _opened[opened_path] += 1
        except (RuntimeError, mlmd_errors.StatusError) as error:
            if sqlite_files.is_disk_trouble(str(error)):
                raise sqlite_files.disk_error(self.path, str(error)) from error
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
                _opened[opened_path] -= 1

    def _connect(self, copied_path: str) -> Any:
        if copied_path:
            handle = tfx_metadata.Metadata(tfx_metadata.sqlite_metadata_connection_config(copied_path))
            handle.__enter__()
            return handle
        queue = WriteQueue(
            os.path.join(self.path, "write.lock"),
            "" if self.connection_config is not None else self.database_path,
            lambda text: self.report(text),
        )
        with self._alone():
            handle = tfx_metadata.Metadata(self._prepared_connection())
            # The first to connect makes the tables.
            queue.call("MakeTables", lambda: insisting(handle.__enter__))
        queue.attach(handle.store)
        return handle

    def check_writable(self) -> None:
        """Do nothing where the store can be written.

        Raises:
            StoreError: If it can only be read.
        """
        if self._why_read_only:
            raise sqlite_files.disk_error(self.path, self._why_read_only)

    def _is_read_only(self) -> bool:
        """Whether there is a store that can only be read."""
        self._why_read_only = ""
        if self.connection_config is None and os.path.isfile(self.database_path):
            # Where the database is one that the pipeline names, the folder may have to be made yet.
            folder = (self.path,) if os.path.isdir(self.path) else ()
            self._why_read_only = sqlite_files.why_read_only(*folder, self.database_path)
        return bool(self._why_read_only)

    @contextlib.contextmanager
    def _copy(self) -> Iterator[str]:
        """A copy of the database in a temporary folder, with the places of a store that was moved corrected."""
        with tempfile.TemporaryDirectory(prefix="headrace-read-") as folder:
            path = os.path.join(folder, "metadata.db")
            self.copy_database(path)
            with sqlite_files.connect(path) as connection:
                relocation.settle(self.path, connection, is_noted=False)
            yield path

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
            if self.connection_config is not None or _opened[os.path.realpath(self.database_path)]:
                return None
            if self._is_read_only():
                with self._copy() as path:
                    return sqlite_files.read(path, read)
            self._make_folders()
            with self._alone():
                self._prepare_database()
            return sqlite_files.read(self.database_path, read)

    def copy_database(self, path: str) -> None:
        """Copy the SQLite file, as it is at this moment, to `path`; do nothing where there is none yet.

        Raises:
            StoreError: If it cannot be read, or the copy not written.
        """
        if os.path.exists(self.database_path):
            sqlite_files.copy(self.database_path, path, is_read_only=self._is_read_only())

    @contextlib.contextmanager
    def handle(self) -> Iterator[Any]:
        """Hold TFX's metadata handle; one thread at a time, because MLMD's connection is not shared safely.

        Raises:
            StoreError: If the database is full, read-only or damaged.
        """
        with self._lock:
            if self._handle is None:
                raise StoreError(f"the store {self.path} is not open.", self._how_to_open)
            try:
                yield self._handle
            except mlmd_errors.StatusError as error:
                if sqlite_files.is_disk_trouble(str(error)):
                    self._trouble = str(error)
                if not self._trouble:
                    raise
                # A transaction whose commit failed stays open in ML Metadata; every later call fails for that.
                raise sqlite_files.disk_error(self.path, self._trouble) from error

    def _make_folders(self) -> None:
        try:
            for path in (self.path, self.artifacts_path, os.path.join(self.path, "running")):
                os.makedirs(path, exist_ok=True)
            for name in _FOLDERS_WITHOUT_LINKS:
                if os.path.islink(os.path.join(self.path, name)):
                    raise OSError(
                        errno.ELOOP, "a link stands in the place of a folder", os.path.join(self.path, name)
                    )
            if not os.access(self.path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.path)
        except OSError as error:
            raise sqlite_files.disk_error(self.path, str(error)) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time open the store: the first makes the tables, which two must not do at once."""
        try:
            file = shared_files.locked(os.path.join(self.path, "open.lock"), fcntl.LOCK_EX)
        except OSError as error:
            raise sqlite_files.disk_error(self.path, str(error)) from error
        try:
            try:
                strangers.refuse_links(self.path)
                self.store_id = identity.settle(self.path)
            except OSError as error:
                raise sqlite_files.disk_error(self.path, str(error)) from error
            yield
        finally:
            shared_files.release(file)

    def _prepared_connection(self) -> metadata_store_pb2.ConnectionConfig:
        if self.connection_config is not None:
            return self.connection_config
        if self._named_database:
            os.makedirs(os.path.dirname(self.database_path), exist_ok=True)
            shared_files.replace(self._note_path, f"{self.store_id}\n{self.database_path}")
        self._prepare_database()
        return tfx_metadata.sqlite_metadata_connection_config(self.database_path)

    def _prepare_database(self) -> None:
        """Turn on SQLite's write-ahead log: readers then never wait for the writer. Follow a moved store."""
        if _opened[os.path.realpath(self.database_path)]:
            return
        try:
            with sqlite_files.connect(self.database_path) as connection:
                # Switching needs the database for oneself; a store that another process uses has switched.
                if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    connection.execute("PRAGMA journal_mode=WAL")
                relocation.settle(self.path, connection)
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise StoreError(
                    f"{self.database_path} was in use by another process for {LIMIT_SECONDS:.0f} s.",
                    "end that process, or what it does with the database, then start again.",
                ) from error
            if isinstance(error, sqlite3.OperationalError) and sqlite_files.is_disk_trouble(str(error)):
                raise sqlite_files.disk_error(self.path, str(error)) from error
            raise sqlite_files.damage_error(self.database_path, str(error)) from error


def insisting(connect: Callable[[], Value]) -> Value:
    """Connect; raise MLMD's `AbortedError`, upon which a `WriteQueue` tries again, where another process is at it."""
    try:
        return connect()
    except RuntimeError as error:
        if any(word in str(error) for word in _BUSY):
            raise mlmd_errors.AbortedError(str(error)) from error
        raise


def _print_to_stderr(text: str) -> None:
    print(f"headrace: {text}", file=sys.stderr, flush=True)


def handle_for(connection_config: bytes) -> Any:
    """Return TFX's metadata handle, not yet open, for a serialized MLMD connection."""
    return tfx_metadata.Metadata(metadata_store_pb2.ConnectionConfig.FromString(connection_config))


def _check_text(path: str) -> None:
    """Refuse a path that ML Metadata cannot record."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise StoreError(
            f"the store's path, {shown}, holds bytes that are not UTF-8, and ML Metadata records paths in UTF-8.",
            "rename that folder, or give another one.",
        ) from error
