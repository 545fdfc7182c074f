"""The queue of writers: who holds a lock, as Linux tells it, and what becomes of a turn that nobody takes."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from headrace.files import shared_files
from headrace.store.open import write_queue
from headrace.store.open.write_queue import WriteQueue


def test_locks_for_writing_are_read_from_the_systems_table(tmp_path: Path):
    """Not those for reading, those waited for, one's own, other files', and what is no lock."""
    file = tmp_path / "file"
    file.touch()
    inode = file.stat().st_ino
    table = tmp_path / "locks"
    table.write_text(
        f"1: POSIX  ADVISORY  WRITE 11 fe:00:{inode} 120 120\n"
        f"2: FLOCK  ADVISORY  WRITE 12 fe:00:{inode} 0 EOF\n"
        f"2: -> FLOCK  ADVISORY  WRITE 13 fe:00:{inode} 0 EOF\n"
        f"3: POSIX  ADVISORY  READ 14 fe:00:{inode} 123 123\n"
        f"4: POSIX  ADVISORY  WRITE 15 fe:00:{inode + 1} 0 EOF\n"
        f"5: POSIX  ADVISORY  WRITE {os.getpid()} fe:00:{inode} 0 EOF\n"
        f"6: OFDLCK ADVISORY  WRITE -1 fe:00:{inode} 0 EOF\n"
        "\n"
    )

    assert write_queue.writers_of([str(file), str(tmp_path / "none")], str(table)) == [11, 12]
    assert write_queue.writers_of([str(file)], str(tmp_path / "none")) == []


def test_ctrl_c_while_it_waits_leaves_no_lock_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A notebook keeps the traceback of an interrupted cell; other processes write on all the same."""
    monkeypatch.setattr(write_queue, "_QUIET_SECONDS", 0.01)
    path = tmp_path / "write.lock"
    other = shared_files.locked(str(path), fcntl.LOCK_EX)

    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    queue = WriteQueue(str(path), str(tmp_path / "metadata.db"), interrupt)
    with pytest.raises(KeyboardInterrupt) as kept:
        queue.call("PutExecutions", lambda: None)
    shared_files.release(other)
    for thread in threading.enumerate():
        if thread.name == "headrace-write-queue":
            thread.join(30)

    assert kept.value.__traceback__ is not None
    shared_files.release(shared_files.locked(str(path), fcntl.LOCK_EX | fcntl.LOCK_NB))
