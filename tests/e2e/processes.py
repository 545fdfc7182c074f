"""Servers that a test starts, and that end for certain with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# A server that is asked to end may wait for its own children for minutes.
_POLITE_SECONDS = 10.0
_SECONDS_TO_DIE = 30.0


@contextlib.contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server in a session of its own; it and everything below it is gone when the block ends.

    Args:
        command: The command line.
        options: Those of `subprocess.Popen`.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], polite_seconds: float = _POLITE_SECONDS) -> None:
    """Ask a server to end, and kill it and all below it where it does not; never raises for its slowness.

    Args:
        process: A process that leads its own session.
        polite_seconds: How long it may take to end by itself.
    """
    # Taken before it ends: what it leaves behind then belongs to init. Kernels lead sessions of their own.
    below = descendants(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=polite_seconds)
    below |= descendants(process.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _kill(below)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_SECONDS_TO_DIE)


def _kill(processes: Iterable[tuple[int, str]]) -> None:
    """Kill processes, unless an id was given to another one meanwhile."""
    for pid, started_at in processes:
        if _started_at(pid) == started_at:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> set[tuple[int, str]]:
    """Return the processes below one, each as its id and when it started."""
    found: set[tuple[int, str]] = set()
    waiting = [pid]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                children = [int(text) for text in task.read_text().split()]
                waiting += children
                found |= {(child, _started_at(child)) for child in children}
    return found


def _started_at(pid: int) -> str:
    """The start of a process in ticks; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def has_ended(pid: int) -> bool:
    """Wait until a process that was told to end is gone; `False` where it is there after half a minute."""
    end = time.monotonic() + _SECONDS_TO_DIE
    while _is_running(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
