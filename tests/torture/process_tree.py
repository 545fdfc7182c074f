"""Which processes there are, as /proc tells it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

_POLL_SECONDS = 0.02


def descendants(pid: int) -> list[list[int]]:
    """Return the processes below one, generation after generation."""
    generations: list[list[int]] = []
    current = [pid]
    while current := [child for parent in current for child in _children(parent)]:
        generations.append(current)
    return generations


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(text) for text in (task / "children").read_text().split()]
    return found


def marked(mark: str) -> list[int]:
    """Return the living processes that were started with `mark` in their environment."""
    wanted = mark.encode()
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (path / "environ").read_bytes() and is_running(int(path.name)):
                    found.append(int(path.name))
    return found


def is_running(pid: int) -> bool:
    """Whether a process lives; one that only waits to be seen off does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def name_of(pid: int) -> str:
    """Return a process's command line, shortened."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()[:120]
    return "?"


def send(pids: Iterable[int], number: signal.Signals) -> bool:
    """Send a signal to processes; say whether one of them was there."""
    is_sent = False
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            is_sent = True
    return is_sent


def send_to_group(pid: int, number: signal.Signals) -> bool:
    """Send a signal to the group that a process leads, as a terminal does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
        return True
    return False


def left_after(mark: str, seconds: float) -> list[int]:
    """Return the marked processes that have not ended after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return left
