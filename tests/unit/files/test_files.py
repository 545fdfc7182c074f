"""Locks are one process's own: forks, and tracebacks that somebody keeps, hold none on."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.files import shared_files


@contextmanager
def _fork_that_waits() -> Iterator[None]:
    """A child with all that this process has open, as of a pool of the user's own."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(theirs, b"x")
        time.sleep(600)
        os._exit(0)
    os.read(ours, 1)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ours)
        os.close(theirs)


def _is_free(path: Path) -> bool:
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_lock_that_ends_is_free_though_a_fork_lives(tmp_path: Path) -> None:
    """Other runs go on at once, and do not wait for the pool of a script to end."""
    path = tmp_path / "write.lock"
    file = shared_files.locked(str(path), fcntl.LOCK_EX)
    with _fork_that_waits():
        assert not _is_free(path)
        shared_files.release(file)
        assert _is_free(path)


def test_a_lock_does_not_outlive_its_process_in_a_fork(tmp_path: Path) -> None:
    """A run whose process was killed is seen as dead, though a pool that its script started lives on."""
    path = tmp_path / "run"
    ours, theirs = os.pipe()
    holder = os.fork()
    if not holder:
        try:
            held = shared_files.locked(str(path), fcntl.LOCK_EX)
            pool = os.fork()
            if not pool:
                time.sleep(600)
                os._exit(0)
            os.write(theirs, f"{pool}\n".encode())
            time.sleep(600)
            held.close()
        finally:
            os._exit(0)
    pool = int(os.read(ours, 100))
    try:
        assert not _is_free(path)
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        # The pool may not have run its first line yet.
        deadline = time.monotonic() + 30
        while not _is_free(path) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _is_free(path)
    finally:
        os.kill(pool, signal.SIGKILL)
        os.close(ours)
        os.close(theirs)


def test_a_fork_that_closes_what_it_inherited_closes_nothing_else(tmp_path: Path) -> None:
    """The child's descriptor stays taken: a file that it opens next is not closed with the lock."""
    held = shared_files.locked(str(tmp_path / "lock"), fcntl.LOCK_EX)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            opened = os.open(tmp_path / "own", os.O_CREAT | os.O_WRONLY)
            held.close()
            os.write(opened, b"x")
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not _is_free(tmp_path / "lock")
    shared_files.release(held)


@pytest.mark.skipif(sys.platform != "linux", reason="errors as Linux gives them")
def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is told that the place has no locks, and not only an error's number."""

    def refuse(file: object, kind: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with pytest.raises(OSError, match="has no locks for processes"):
        shared_files.locked(str(tmp_path / "lock"), fcntl.LOCK_EX)
