"""How processes end with those that they belong to.

A process may leave its group, its session and its parent. What it cannot leave is the nearest *subreaper* above it,
which the kernel makes the parent of orphans, and the environment that it was started with. So what a node started
is found as what is below the node's worker, what is below the server without a worker, and, where those were
killed, by a mark in the environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import sys
import time
from collections.abc import Collection, Iterator

# In the environment of a worker server and of all that it starts: the family of the process that started it, and
# which of its servers.
SERVER_MARK = "HEADRACE_FAMILY"
# What a process has in its place that will do the work of several: room for the mark of each, see `take_mark`.
NO_MARK = "-" * 64
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SECONDS_TO_END = 5.0
_PAUSE_SECONDS = 0.01
# Fields of /proc/PID/stat after the name, see proc(5).
_STATE, _PARENT, _START, _ENVIRONMENT_START = 0, 1, 19, 47

_families: dict[int, str] = {}


def kill_group(pid: int) -> None:
    """Kill a process that leads a group, with all of the group; nothing where they are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, however it dies.

    Args:
        parent: The parent's id, read before the fork: it may have died since.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of whatever below this process loses its own."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_below(pid: int, spared: Collection[int] = ()) -> None:
    """Kill all processes below one, in whatever session, until there are none.

    Args:
        pid: The process; it lives on. This process itself, or one whose orphans it does not adopt.
        spared: Children of it that live on with all that is below them.
    """
    deadline = time.monotonic() + _SECONDS_TO_END
    while time.monotonic() < deadline:
        found = below(pid, spared)
        if not found:
            return
        for other in found:
            _kill(other)
        if pid == os.getpid():
            _reap(found)
        # Who was about to fork may have done so; the next look finds the child.
        time.sleep(_PAUSE_SECONDS)


def kill_strays(known: Collection[int], forking: int) -> None:
    """Kill children of this process that it did not fork: they come to it where all that should end them was killed.

    A process of its own session was started by a module that it imported, and lives on.

    Args:
        known: Those that it forked.
        forking: That of them whose children go on without it: once it has ended none is killed. 0 for none.
    """
    found = (children_of(os.getpid()) or set()) - set(known)
    if not found or (forking and not _is_living_child(forking)):
        return
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) != os.getsid(0):
                os.kill(pid, signal.SIGKILL)


def _is_living_child(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def reaped() -> Iterator[tuple[int, int]]:
    """Take note of all children that have ended, one after another: yield the id and the wait status of each.

    For a process that waits for none of its children elsewhere; see `wake_on_child_exit`.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def is_stopped(pid: int) -> bool:
    """Whether somebody has stopped a process (SIGSTOP), which then does nothing until it is told to go on."""
    fields = _stat(pid)
    return bool(fields) and fields[_STATE] == "T"


def below(pid: int, spared: Collection[int] = ()) -> list[int]:
    """Return the living processes below one, those nearest to it first."""
    # The usual case after a node: a machine's thousands of processes need not be looked at. The kernel leaves children
    # of another process out of its list while one before them is reaped, so that is no proof of there being none.
    direct = children_of(pid) if pid == os.getpid() else None
    if direct is not None and direct.issubset(spared):
        return []
    children: dict[int, list[int]] = {}
    for other in _all():
        fields = _stat(other)
        if fields and fields[_STATE] not in "ZX":
            children.setdefault(int(fields[_PARENT]), []).append(other)
    found: list[int] = []
    waiting = [child for child in children.get(pid, ()) if child not in spared]
    while waiting:
        found += waiting
        waiting = [child for other in waiting for child in children.get(other, ())]
    return found


def children_of(pid: int) -> set[int] | None:
    """Return the children of a process, ended ones too; `None` where the kernel does not say."""
    found: set[int] = set()
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.update(map(int, file.read().split()))
    except OSError:
        # It was built without that list, or a thread ended meanwhile and left its children to another.
        return None
    return found


def family() -> str:
    """Return what this process calls itself in the environment of what it starts."""
    pid = os.getpid()
    if pid not in _families:
        # A fork has a family of its own.
        _families.clear()
        _families[pid] = secrets.token_hex(8)
    return _families[pid]


def kill_marked(mark: str) -> None:
    """Kill this user's processes with a `SERVER_MARK` in their environment that begins so, until there are none.

    Args:
        mark: A family, or one of its servers; each ends with a `.` there.
    """
    start = f"{SERVER_MARK}={mark}".encode()
    deadline = time.monotonic() + _SECONDS_TO_END
    while time.monotonic() < deadline:
        found = [pid for pid in _all() if pid != os.getpid() and _has_mark(pid, start)]
        if not found:
            return
        for pid in found:
            _kill(pid)
        time.sleep(_PAUSE_SECONDS)


def take_mark(mark: str) -> None:
    """Put a mark in the place of `NO_MARK`: in what the kernel shows as the environment that this process began with.

    That is memory of the process, which its forks copy; to change `os.environ` does not reach it.
    """
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        start, end = (int(fields[number]) for number in (_ENVIRONMENT_START, _ENVIRONMENT_START + 1))
        offset = ctypes.string_at(start, end - start).find(f"{SERVER_MARK}={NO_MARK}".encode())
    except (OSError, ValueError, IndexError):
        return
    if start and offset >= 0:
        shown = mark.ljust(len(NO_MARK), "-")[: len(NO_MARK)].encode()
        ctypes.memmove(start + offset + len(SERVER_MARK) + 1, shown, len(shown))


def identity(pid: int) -> str:
    """Return what tells a process from a later one of the same id, on this start of the system; empty if gone."""
    fields = _stat(pid)
    if not fields or fields[_STATE] in "ZX":
        return ""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
    except OSError:
        boot = ""
    return f"{pid} {fields[_START]} {boot}"


def wake_on_child_exit() -> int:
    """Return a descriptor that becomes readable when a child ends; for the main thread."""
    wakeup, signalled = os.pipe()
    os.set_blocking(wakeup, False)
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return wakeup


def _all() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name; empty where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def _has_mark(pid: int, start: bytes) -> bool:
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return False
        with open(f"/proc/{pid}/environ", "rb") as file:
            return any(variable.startswith(start) for variable in file.read().split(b"\0"))
    except OSError:
        return False


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _reap(pids: Collection[int]) -> None:
    """Take note of the end of children; those of others are not ours to take."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
