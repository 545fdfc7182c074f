"""Which runs and sessions live: each keeps a file locked, and the kernel unlocks it however its process ends.

::

    running/{run}        locked while the run lives; JSON, see `RunMarker`
    sessions/{token}     locked while a notebook's session lives; JSON: the runs whose outputs it needs
    keys/{cache key}     locked while a node makes what belongs to it
    starting/            files that are about to become one of these

What is not locked belongs to the dead. Anything else found there is nobody's, and is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TextIO

from headrace.files import names, shared_files
from headrace.runtime.processes import process_groups
from headrace.store.open.sqlite_files import disk_error
from headrace.store.read import ownership, queries

if TYPE_CHECKING:
    from headrace.store.open.store import Store

RUNNING = "running"
SESSIONS = "sessions"
STARTING = "starting"
KEYS = "keys"
_TOKEN = re.compile(r"[0-9a-f]{16}")
_OWNER = "owner"


@dataclass(frozen=True)
class RunMarker:
    """What the file of a run says, for who cleans up after it.

    Attributes:
        token: Names the run's temporary folder.
        store_id: The store that wrote this; a copy of the file is no reason to remove or end anything.
        tmp_parent: Where temporary folders were.
        process: The run's process, see `process_groups.identity`.
        family: The mark of the processes that it started.
    """

    token: str
    store_id: str
    tmp_parent: str
    process: str
    family: str

    @classmethod
    def parse(cls, text: str) -> RunMarker | None:
        """Return what a file says; `None` where it is not of this form."""
        try:
            found = json.loads(text)
            # A later version may have written more.
            marker = cls(**{field.name: found[field.name] for field in fields(cls)})
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        is_text = all(isinstance(value, str) for value in asdict(marker).values())
        return (
            marker if is_text and _TOKEN.fullmatch(marker.token) and _TOKEN.fullmatch(marker.family) else None
        )

    @property
    def tmp_prefix(self) -> str:
        """What the name of the run's temporary folder begins with."""
        return f"headrace-{self.token}-"

    def remove_tmp(self) -> None:
        """Remove the run's temporary folder, if it is that: this user's, no link, and with this store's word in it."""
        try:
            found = [name for name in os.listdir(self.tmp_parent) if name.startswith(self.tmp_prefix)]
        except OSError:
            return
        for name in found:
            path = os.path.join(self.tmp_parent, name)
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                    continue
                if self._owns(path):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    # Its process died before it could leave its word; then nothing else is there.
                    os.rmdir(path)

    def make_tmp(self) -> str:
        """Make the run's temporary folder, for this user alone."""
        path = tempfile.mkdtemp(prefix=self.tmp_prefix, dir=self.tmp_parent)
        with open(os.path.join(path, _OWNER), "x", encoding="ascii") as file:
            file.write(self.store_id)
        return path

    def _owns(self, path: str) -> bool:
        try:
            return bool(self.store_id) and shared_files.read_text(os.path.join(path, _OWNER)) == self.store_id
        except (OSError, ValueError):
            return False


@contextlib.contextmanager
def living_run(store: Store, run_id: str, root: str) -> Iterator[str]:
    """Keep the run's lock; its file is gone when the run ends in order.

    Where the body raises, the run did not get to its end: the file stays, unlocked, and the next start mends.

    Args:
        store: The open store.
        run_id: The run.
        root: Where its artifacts go; claimed for the store where that is outside of it.

    Yields:
        A folder for temporary files; it is removed with the run, however that ends.
    """
    names.check_run_id(run_id)
    # Not in the store: sockets are made here too, and their paths must be short.
    marker = RunMarker(
        token=secrets.token_hex(8),
        store_id=store.store_id,
        tmp_parent=tempfile.gettempdir(),
        process=process_groups.identity(os.getpid()),
        family=process_groups.family(),
    )
    path = os.path.join(store.path, RUNNING, run_id)
    with store.handle() as handle:
        newest_execution = queries.newest_execution(handle)
    try:
        ownership.claim(store, root, newest_execution)
        file = _locked_file(store, path, json.dumps(asdict(marker)).encode())
    except OSError as error:
        raise disk_error(store.path, str(error)) from error
    try:
        try:
            tmp_path = marker.make_tmp()
        except OSError as error:
            os.remove(path)
            raise disk_error(marker.tmp_parent, str(error)) from error
        try:
            yield tmp_path
        finally:
            shutil.rmtree(tmp_path, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    finally:
        shared_files.release(file)


class SessionMarker:
    """Keeps what a notebook's session made from garbage collection, until the process ends.

    Args:
        store: The session's store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._file: TextIO | None = None
        self._pid = 0
        self._run_ids: dict[str, str] = {}

    def add(self, component_id: str, run_id: str) -> None:
        """Keep the outputs of the run that a component had last, also when newer runs follow.

        Raises:
            StoreError: If the store cannot be written.
        """
        self._run_ids[component_id] = run_id
        text = json.dumps(list(self._run_ids.values()))
        try:
            # A fork's file is its parent's, and leads nowhere.
            if self._file is None or self._pid != os.getpid():
                path = os.path.join(self._store.path, SESSIONS, secrets.token_hex(8))
                self._file, self._pid = _locked_file(self._store, path, text.encode()), os.getpid()
            else:
                # A reader that sees half of it sees no JSON, and looks again.
                self._file.seek(0)
                self._file.truncate()
                self._file.write(text)
                self._file.flush()
        except OSError as error:
            raise disk_error(self._store.path, str(error)) from error


def living_runs(store: Store) -> list[str]:
    """Return the ids of the runs that live, and of those that a living session needs."""
    found = {name for name in _files(store, RUNNING) if is_living(store, name)}
    for name in _files(store, SESSIONS):
        path = os.path.join(store.path, SESSIONS, name)
        if _is_locked(path):
            found.update(_run_ids(path))
    return sorted(found)


def is_living(store: Store, run_id: str) -> bool:
    """Whether a run lives: its file is there, and locked."""
    return names.is_plain(run_id) and _is_locked(os.path.join(store.path, RUNNING, run_id))


def dead_files(store: Store) -> Iterator[tuple[str, str, TextIO]]:
    """Yield the files of the dead, held locked meanwhile: the folder's name, the file's, and the open file."""
    for folder in (RUNNING, SESSIONS, STARTING, KEYS):
        for name in sorted(_files(store, folder)):
            try:
                file = shared_files.open_plain(os.path.join(store.path, folder, name))
            except OSError:
                continue
            with file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    # A run that ended in order since it was opened has removed its file.
                    is_there = os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
                except OSError:
                    continue
                if is_there:
                    yield folder, name, file


def _files(store: Store, folder: str) -> list[str]:
    """The plain files of a folder: no links, and nothing whose opening would wait."""
    path = os.path.join(store.path, folder)
    if os.path.islink(path):
        return []
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _is_locked(path: str) -> bool:
    try:
        with shared_files.open_plain(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _run_ids(path: str) -> list[str]:
    for _ in range(100):
        with contextlib.suppress(OSError, ValueError):
            found: Any = shared_files.read_json(path)
            return [run_id for run_id in found if isinstance(run_id, str)] if isinstance(found, list) else []
    return []


def write_whole(store: Store, path: str, content: bytes) -> None:
    """Let a file appear with all of its content; what a kill leaves of it goes with the next start.

    Raises:
        OSError: If it cannot be written; then nothing of it is there.
    """
    _locked_file(store, path, content).close()


def _locked_file(store: Store, path: str, content: bytes) -> TextIO:
    """Let a file appear that is locked from its first moment: an unlocked one looks like a dead run's."""
    for folder in (os.path.dirname(path), os.path.join(store.path, STARTING)):
        os.makedirs(folder, exist_ok=True)
    temporary_path = os.path.join(store.path, STARTING, secrets.token_hex(8))
    while True:
        file = shared_files.open_lock(temporary_path)
        try:
            shared_files.lock(file, fcntl.LOCK_EX)
            file.buffer.write(content)
            file.flush()
            os.rename(temporary_path, path)
        except FileNotFoundError:
            # Another process's `mend` took it before it was locked.
            file.close()
            continue
        except BaseException:
            file.close()
            with contextlib.suppress(OSError):
                os.remove(temporary_path)
            raise
        return file
