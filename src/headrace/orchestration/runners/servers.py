"""The servers of this user that stay between runs: what lives, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from dataclasses import dataclass
from typing import Any

from headrace.orchestration.runners.warm import folder, messages

_ANSWER_SECONDS = 1.0
_SECONDS_TO_END = 5.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class ServerStatus:
    """One server that stays.

    Attributes:
        pid: Its main process.
        prefix: The folder of the Python environment whose packages it has loaded.
        python: The interpreter.
        age_seconds: Since it was started.
        idle_seconds: Since a run began or ended there.
        most_idle_seconds: After which it leaves.
        num_runs: How many runs it has served.
        num_running: How many of them go on.
        num_loaded: How many modules that runs asked for it has loaded.
        memory_bytes: What its processes have for themselves; 0 where that is not known.
        is_silent: Whether it does not answer; then only `pid` is known.
    """

    pid: int
    prefix: str = ""
    python: str = ""
    age_seconds: float = 0.0
    idle_seconds: float = 0.0
    most_idle_seconds: float = 0.0
    num_runs: int = 0
    num_running: int = 0
    num_loaded: int = 0
    memory_bytes: int = 0
    is_silent: bool = False


def servers() -> list[ServerStatus]:
    """Return this user's living servers; sockets that nobody listens at are removed.

    Raises:
        SetupError: If the folder of their sockets is not this user's alone.
    """
    return [found for path in folder.socket_paths(folder.socket_folder()) if (found := _ask(path, "status"))]


def stop_servers() -> list[ServerStatus]:
    """End this user's servers, and return those that were; runs that go on do so without them.

    Raises:
        SetupError: See `servers`.
    """
    stopped = [found for path in folder.socket_paths(folder.socket_folder()) if (found := _ask(path, "stop"))]
    deadline = time.monotonic() + _SECONDS_TO_END
    for server in stopped:
        while not server.num_running and _lives(server.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    return stopped


def _ask(path: str, kind: str) -> ServerStatus | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_SECONDS)
        look = folder.look_at(path)
        try:
            line.connect(path)
            pid, _ = folder.peer(line)
        except ConnectionRefusedError:
            folder.remove(path, look)
            return None
        except OSError:
            # Gone meanwhile, or of another user or container.
            return None
        try:
            messages.send(line, {"kind": kind})
            return _status(messages.receive(line, _ANSWER_SECONDS)[0])
        except (OSError, KeyError, TypeError, ValueError):
            if kind == "stop":
                folder.remove(path, look)
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            return ServerStatus(pid, is_silent=True)


def _status(answer: dict[str, Any]) -> ServerStatus:
    now = time.time()
    return ServerStatus(
        pid=answer["pid"],
        prefix=answer["prefix"],
        python=answer["python"],
        age_seconds=now - answer["started"],
        idle_seconds=now - answer["last_used"],
        most_idle_seconds=answer["most_idle_seconds"],
        num_runs=answer["num_runs"],
        num_running=answer["num_running"],
        num_loaded=answer["num_loaded"],
        memory_bytes=sum(map(_memory_bytes, answer["pids"])),
    )


def _memory_bytes(pid: int) -> int:
    """A process's share of the memory that it has: what several have counts for each in part."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:")), 0)
    return 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
