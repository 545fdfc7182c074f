"""The orchestrating side's hold on a workers' server."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from headrace.runtime.processes.process_groups import SERVER_MARK, family, kill_marked

_SECONDS_TO_END = 10
_numbers = itertools.count(1)


class ServerLink(Protocol):
    """A server that forks this run's workers.

    Attributes:
        control: Where it is asked to fork; its end ends the server's part in this run.
        mark: In the environment of all that it starts for this run.
    """

    control: socket.socket
    mark: str

    @property
    def is_gone(self) -> bool:
        """Whether nobody answers any more."""
        ...

    def told(self) -> Mapping[str, Any]:
        """Return what to record of it, as JSON; nothing where there is nothing to say."""
        ...

    def kill(self) -> None:
        """End what does not answer."""
        ...

    def close(self) -> None:
        """End its part in this run, and wait until all workers are gone."""
        ...


class OpenServer(Protocol):
    """What gives a run its server, and the next one where that was lost."""

    def __call__(self, modules: Sequence[str]) -> ServerLink:
        """Return a server that imports some modules ahead of need, in order."""
        ...

    def expect(self, modules: Callable[[], Sequence[str]]) -> None:
        """Look, in the background, for one that is there and would fit; none is started."""
        ...

    def close(self) -> None:
        """Let go of what was found so and is not needed."""
        ...


class OwnServer:
    """A server of this run alone; see `worker_server`.

    Args:
        modules: What it imports ahead of need, in order.
        told: What to record of it.
    """

    def __init__(self, modules: Sequence[str], told: Mapping[str, Any] | None = None) -> None:
        self._told = dict(told or {})
        self.mark = next_mark()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        command = [sys.executable, "-W", "ignore", "-m", "headrace.orchestration.runners.local.worker_server"]
        self._process = subprocess.Popen(
            [*command, str(theirs.fileno()), *dict.fromkeys(modules)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(self.mark),
            # From its first moment: Ctrl-C is for this process, which ends the server when its nodes are closed.
            start_new_session=True,
        )
        theirs.close()

    @property
    def is_gone(self) -> bool:
        """Whether its process has ended."""
        return self._process.poll() is not None

    def told(self) -> Mapping[str, Any]:
        """Return what it was made with."""
        return self._told

    def kill(self) -> None:
        """Kill its process."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let it end with all workers; kill what does not."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_SECONDS_TO_END)
        if self._process.poll() is None:
            self.kill()
        if self._process.returncode:
            kill_marked(self.mark)


class OwnServers:
    """Opens a server of this run alone each time; see `OpenServer`."""

    def __call__(self, modules: Sequence[str]) -> ServerLink:
        """Start one."""
        return OwnServer(modules)

    def expect(self, modules: Callable[[], Sequence[str]]) -> None:
        """None is there."""

    def close(self) -> None:
        """Nothing is held."""


def next_mark() -> str:
    """Return the mark of this process's next server."""
    return f"{family()}.{next(_numbers)}."


def environment(mark: str) -> dict[str, str]:
    """Return the environment of a server: this process's, with what lets it find all that this process finds."""
    variables = dict(os.environ)
    variables[SERVER_MARK] = mark
    variables.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    variables.setdefault("GRPC_VERBOSITY", "ERROR")
    variables["PYTHONUNBUFFERED"] = "1"
    # The user's own modules included.
    variables["PYTHONPATH"] = os.pathsep.join(search_path())
    return variables


def search_path() -> list[str]:
    """Return where this process finds modules, as absolute paths."""
    return list(dict.fromkeys(os.path.abspath(path) if path else os.getcwd() for path in sys.path))
