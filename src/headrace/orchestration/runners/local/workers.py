"""Run tasks in worker processes: the orchestrating side."""

from __future__ import annotations

import math
import multiprocessing.connection
import pickle
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headrace.errors import ExecutorError, SetupError
from headrace.orchestration.runners.base import Cancelled, TimedOut
from headrace.orchestration.runners.local import templates
from headrace.orchestration.runners.local.links import OpenServer, OwnServers, ServerLink
from headrace.orchestration.runners.local.messages import (
    Exited,
    Failed,
    Message,
    Progress,
    ServerLost,
    Started,
)
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime.processes.process_groups import kill_group, kill_marked

_POLL_SECONDS = 0.1
# How long a killed worker's server is given to end what the worker started.
_ENDING_SECONDS = 15.0
_SUBMIT_ATTEMPTS = 2
# What ends a whole group of processes: a service manager's stop, a terminal that goes, a batch system. It reaches
# workers and their server too, and maybe before the run knows of it.
_ENDS_GROUPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CRASH = ("Native code of a library crashed.", "look there for the last library that was at work")
_ENDED = ("Another process ended it, or its own code did.", "look for who sends that signal")
# Who sends a signal, and what helps.
_SIGNALS: dict[int, tuple[str, str]] = {
    signal.SIGKILL: (
        "The system kills a process so when memory runs out.",
        "give the node less data at once or more memory",
    ),
    **dict.fromkeys((signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT), _CRASH),
    **dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), _ENDED),
    signal.SIGXCPU: ("A limit on processor time was reached.", "raise the limit (ulimit -t)"),
    signal.SIGXFSZ: ("A limit on the size of files was reached.", "raise the limit (ulimit -f)"),
    signal.SIGALRM: ("A timer that its code set ran out.", "look for who sets the timer"),
}
_STOPPING_SECONDS = 1.0


class Workers:
    """A server process, and one process forked from it for each task; see `worker_server`.

    Args:
        modules: Asked when the server starts: what it imports ahead of need, in the order of need.
        open_server: Gives a server, or the next one where one was lost; one of its own where left out.

    The server starts with the first task, or with `start`. Use as a context manager; leaving it ends the
    server and whatever still runs.
    """

    def __init__(
        self, modules: Callable[[], Sequence[str]] = tuple, open_server: OpenServer | None = None
    ) -> None:
        self._modules = modules
        self._open_server = open_server or OwnServers()
        self._lock = threading.Lock()
        self._server: ServerLink | None = None
        self._is_closed = False

    def expect(self) -> None:
        """Have a server ready that is there already, in the background; none is started."""
        self._open_server.expect(self._modules)

    def start(self) -> None:
        """Start the server, unless it runs; it loads its libraries in the background."""
        with self._lock:
            self._start()

    def _start(self) -> None:
        if self._is_closed or (self._server is not None and not self._server.is_gone):
            return
        if self._server is not None:
            # Somebody killed the server: those that ran have failed, and those that follow get another one.
            self._server.close()
            kill_marked(self._server.mark)
        self._server = self._open_server(self._modules())

    def told(self) -> Mapping[str, Any]:
        """Return what to record of where nodes were executed; see `NodeRunner`."""
        return {} if self._server is None else self._server.told()

    def run(
        self,
        task: Task,
        log_path: str,
        on_progress: Callable[[str, int | None], None],
        is_cancelled: Callable[[], bool],
        timeout_seconds: float = 0.0,
    ) -> Done:
        """Do one task in a fresh process; see `NodeRunner`.

        Ten times a second it is asked whether to stop; the process is killed then, with all that it started.
        """
        for _ in range(_SUBMIT_ATTEMPTS):
            done = self._do(task, log_path, on_progress, is_cancelled, timeout_seconds)
            if done is not None:
                return done
        raise _server_lost(task)

    def _do(
        self,
        task: Task,
        log_path: str,
        on_progress: Callable[[str, int | None], None],
        is_cancelled: Callable[[], bool],
        timeout_seconds: float,
    ) -> Done | None:
        """Do one task; `None` where its server was lost before a worker had begun it."""
        channel = self._submit(task, log_path)
        deadline = math.inf
        pid = 0
        has_begun = is_done = False
        try:
            while True:
                message = _receive(channel)
                if isinstance(message, Started):
                    pid, has_begun = message.pid, True
                    deadline = time.monotonic() + (timeout_seconds or math.inf)
                elif isinstance(message, Progress):
                    on_progress(message.doing, message.rows)
                elif message is not None:
                    # A worker that is done has ended what it started; the server sees to the end of its process.
                    is_done = isinstance(message, Done)
                    if isinstance(message, Exited | ServerLost):
                        pid = 0
                        if _is_stopped_with_run(message, is_cancelled):
                            raise Cancelled(task.node_id)
                    if isinstance(message, ServerLost) and not has_begun:
                        return None
                    return _judge(task, message, log_path)
                if is_cancelled():
                    raise Cancelled(task.node_id)
                if time.monotonic() > deadline:
                    raise TimedOut(task.node_id)
        finally:
            if not is_done:
                self._end_worker(pid, channel)
            channel.close()

    def _end_worker(self, pid: int, channel: multiprocessing.connection.Connection) -> None:
        """Kill a worker with all it started, and wait until they are gone: none writes on after its node."""
        if pid:
            kill_group(pid)
            deadline = time.monotonic() + _ENDING_SECONDS
            while time.monotonic() < deadline:
                message = _receive(channel)
                if isinstance(message, Exited):
                    return
                if isinstance(message, ServerLost):
                    break
        with self._lock:
            # Another thread may have started the next server meanwhile, which has another mark.
            lost = self._server if self._server is not None and self._server.is_gone else None
        if lost is not None:
            kill_marked(lost.mark)

    def _submit(self, task: Task, log_path: str) -> multiprocessing.connection.Connection:
        with self._lock:
            for attempt in range(_SUBMIT_ATTEMPTS):
                self._start()
                if self._server is None:
                    raise Cancelled(task.node_id)
                ours, theirs = multiprocessing.Pipe()
                try:
                    templates.send_request(self._server.control, task.address, theirs)
                    ours.send((task, log_path))
                    return ours
                except OSError as error:
                    ours.close()
                    # Whatever does not answer is ended, so that the next task starts another.
                    self._server.kill()
                    if attempt + 1 == _SUBMIT_ATTEMPTS:
                        raise SetupError(
                            f"the worker server died before {task.node_id} could start: {error}.",
                            "look for a crash of Python or a lack of memory in the system's log; headrace doctor "
                            "checks both.",
                        ) from error
                finally:
                    theirs.close()
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the server, or its part in this run, and every worker."""
        with self._lock:
            self._is_closed = True
            server, self._server = self._server, None
        self._open_server.close()
        if server is not None:
            server.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _receive(channel: multiprocessing.connection.Connection) -> Message | None:
    """Return the next message; `None` where none came within the time to look at other things."""
    if not channel.poll(_POLL_SECONDS):
        return None
    try:
        message: Message = channel.recv()
    except (EOFError, ConnectionResetError):
        # The server is gone too, and with it whoever could say how the worker ended.
        return ServerLost()
    except (OSError, pickle.UnpicklingError):
        # A part of a message: its process was killed while it wrote, and nothing after it can be read.
        return Exited(-signal.SIGKILL)
    return message


def _is_stopped_with_run(message: Exited | ServerLost, is_cancelled: Callable[[], bool]) -> bool:
    """Whether a process went because all of the run's were told to end."""
    if isinstance(message, Exited) and -message.exit_code not in _ENDS_GROUPS:
        return False
    deadline = time.monotonic() + _STOPPING_SECONDS
    while not is_cancelled():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS / 10)
    return True


def _judge(task: Task, message: Done | Failed | Exited | ServerLost, log_path: str) -> Done:
    if isinstance(message, Done):
        return message
    if isinstance(message, Failed):
        raise message.error
    if isinstance(message, ServerLost):
        raise _server_lost(task)
    if message.exit_code < 0:
        number = -message.exit_code
        why, what_helps = _SIGNALS.get(number, ("", ""))
        raise ExecutorError(
            f"{task.node_id}: its process was killed by signal {_signal_name(number)}. {why}".rstrip(),
            f"read {log_path}" + (f"; {what_helps}." if what_helps else ""),
        )
    raise ExecutorError(
        f"{task.node_id}: its process ended with exit code {message.exit_code} and no result.",
        f"read {log_path}",
    )


def _server_lost(task: Task) -> ExecutorError:
    return ExecutorError(
        f"{task.node_id}: the server of the worker processes was killed, and this node with it.",
        "look for a lack of memory in the system's log; other nodes get a new server",
    )


def _signal_name(number: int) -> str:
    """A signal's name; its number where it has none, as most of the real-time ones."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
