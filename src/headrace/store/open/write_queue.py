"""One writer at a time: who writes to the database waits in a queue, and says for whom.

SQLite lets one process write. ML Metadata gives up at once where another does, and tries again five times. Here
each write first takes its place at a lock that all processes of the store share, in the order in which they come;
then the only one to wait for is a process that is not Headrace's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from headrace.authoring.light import authoring
from headrace.errors import StoreError
from headrace.files import shared_files
from headrace.store.open import mlmd_internals

with authoring():
    from ml_metadata import errors as mlmd_errors

# How long a write waits before it is given up, and before it says that it waits.
LIMIT_SECONDS = 600.0
_QUIET_SECONDS = 3.0
_PAUSES_SECONDS = (0.02, 0.2)
_READING = ("Get", "List")


class WriteQueue:
    """The queue of one store's writers.

    Args:
        lock_path: The lock that they share.
        database_path: The SQLite file; empty where the database is a server.
        report: Told once for each long wait what is waited for.
    """

    def __init__(self, lock_path: str, database_path: str, report: Callable[[str], None]) -> None:
        self._lock_path = lock_path
        self._database_path = database_path
        self._report = report

    def attach(self, mlmd_store: Any) -> None:
        """Let each write of an ML Metadata store wait here, in the place of its own five tries."""
        mlmd_internals.queue_calls(mlmd_store, self.call)

    def call(self, name: str, action: Callable[[], Any]) -> Any:
        """Do what one of ML Metadata's methods does, when it is our turn and nobody else's.

        Args:
            name: The method.
            action: Does it; raises `AbortedError` where another process writes.

        Raises:
            StoreError: If others have not ended within `LIMIT_SECONDS`, naming who they are.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        if name.startswith(_READING) or not self._database_path:
            return self._insist(action, deadline)
        with self._turn(deadline):
            return self._insist(action, deadline)

    def _insist(self, action: Callable[[], Any], deadline: float) -> Any:
        speaks_at = time.monotonic() + _QUIET_SECONDS
        while True:
            try:
                return action()
            except mlmd_errors.AbortedError as error:
                if time.monotonic() > deadline:
                    raise self._given_up() from error
            if time.monotonic() > speaks_at:
                speaks_at = deadline + 1
                self._report(f"waiting for the store's database: {self._holders()}")
            time.sleep(random.uniform(*_PAUSES_SECONDS))

    @contextlib.contextmanager
    def _turn(self, deadline: float) -> Iterator[None]:
        try:
            file = shared_files.open_lock(self._lock_path)
            try:
                shared_files.lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._wait(file, deadline)
            except BaseException:
                file.close()
                raise
        except OSError as error:
            raise StoreError(
                f"the store's lock {self._lock_path} cannot be taken: {error}.",
                "free some space or make the folder writable, or name another store with --store DIR.",
            ) from error
        try:
            yield
        finally:
            shared_files.release(file)

    def _wait(self, file: TextIO, deadline: float) -> None:
        """Wait in the kernel's queue, which is fair; a thread does, because that wait has no limit.

        Where this is left without the turn, the thread gives the turn on when it comes, and closes the file.
        """
        has_turn, is_left = threading.Event(), threading.Event()
        deciding = threading.Lock()

        def wait() -> None:
            with contextlib.suppress(OSError, ValueError):
                fcntl.flock(file, fcntl.LOCK_EX)
            with deciding:
                has_turn.set()
                if is_left.is_set():
                    shared_files.release(file)

        try:
            threading.Thread(target=wait, name="headrace-write-queue", daemon=True).start()
            if not has_turn.wait(_QUIET_SECONDS):
                self._report(f"waiting for the store's database: {self._holders()}")
                has_turn.wait(max(deadline - time.monotonic(), 0.0))
            with deciding:
                if not has_turn.is_set():
                    raise self._given_up()
        except BaseException:
            # Also at Ctrl-C: a traceback that somebody keeps would keep the lock with it.
            with deciding:
                is_left.set()
                if has_turn.is_set():
                    shared_files.release(file)
            raise

    def _given_up(self) -> StoreError:
        return StoreError(
            f"the store's database {self._database_path} was in use by another process for "
            f"{LIMIT_SECONDS:.0f} s: {self._holders()}.",
            "end that process, or what it does with the database, then start again; what was recorded is kept.",
        )

    def _holders(self) -> str:
        # In write-ahead mode SQLite locks its shared memory; else the file itself.
        paths = [f"{self._database_path}-shm", self._database_path, self._lock_path]
        pids = writers_of(paths) if self._database_path else []
        return (
            ", ".join(_described(pid) for pid in pids)
            or "another process uses it, and the system does not say which"
        )


def writers_of(paths: list[str], table: str = "/proc/locks") -> list[int]:
    """Return the other processes that hold a lock for writing on files, as Linux tells them.

    Args:
        paths: The files; those that do not exist are passed over.
        table: Where Linux lists the locks.
    """
    inodes = set()
    for path in paths:
        with contextlib.suppress(OSError):
            inodes.add(os.stat(path).st_ino)
    try:
        with open(table, encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        # "1: POSIX  ADVISORY  WRITE 1345 fe:00:10666390 120 120"; a waiting one has "->" after the number.
        fields = line.split()
        if len(fields) < 6 or fields[1] == "->" or fields[3] != "WRITE":
            continue
        pid, inode = int(fields[4]), int(fields[5].rpartition(":")[2])
        if inode in inodes and pid > 0 and pid != os.getpid():
            found.append(pid)
    return sorted(set(found))


def _described(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        words = ""
    command = "".join(letter if letter.isprintable() else "?" for letter in words)
    command = command if len(command) <= 120 else f"{command[:117]}..."
    return f"process {pid} ({command})" if command else f"process {pid}"
