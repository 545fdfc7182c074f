"""Run tasks in worker processes: the orchestrating side."""

from __future__ import annotations

import itertools
import math
import multiprocessing.connection
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from headrace.errors import ExecutorError, SetupError
from headrace.orchestration.runners.base import Cancelled, TimedOut
from headrace.orchestration.runners.local import templates
from headrace.orchestration.runners.local.messages import (
    Exited,
    Failed,
    Message,
    Progress,
    ServerLost,
    Started,
)
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime.processes.process_groups import SERVER_MARK, family, kill_group, kill_marked

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
_numbers = itertools.count(1)


class Workers:
    """A server process, and one process forked from it for each task; see `worker_server`.

    Args:
        modules: Asked when the server starts: what it imports ahead of need, in the order of need.

    The server starts with the first task, or with `start`. Use as a context manager; leaving it ends the
    server and whatever still runs.
    """

    def __init__(self, modules: Callable[[], Sequence[str]] = tuple) -> None:
        self._modules = modules
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._is_closed = False
        self._mark = ""

    def start(self) -> None:
        """Start the server, unless it runs; it loads its libraries in the background."""
        with self._lock:
            self._start()

    def _start(self) -> None:
        if self._is_closed or (self._server is not None and self._server.poll() is None):
            return
        if self._control is not None:
            # Somebody killed the server: those that ran have failed, and those that follow get another one.
            self._control.close()
            kill_marked(self._mark)
        self._mark = f"{family()}.{next(_numbers)}."
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        command = [sys.executable, "-W", "ignore", "-m", "headrace.orchestration.runners.local.worker_server"]
        self._server = subprocess.Popen(
            [*command, str(theirs.fileno()), *dict.fromkeys(self._modules())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(self._mark),
            # From its first moment: Ctrl-C is for this process, which ends the server when its nodes are closed.
            start_new_session=True,
        )
        theirs.close()
        self._control = ours

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
        channel = self._submit(task, log_path)
        deadline = math.inf
        pid = 0
        is_done = False
        try:
            while True:
                message = _receive(channel)
                if isinstance(message, Started):
                    pid = message.pid
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
            is_server_gone = self._server is None or self._server.poll() is not None
            mark = self._mark
        if is_server_gone:
            kill_marked(mark)

    def _submit(self, task: Task, log_path: str) -> multiprocessing.connection.Connection:
        with self._lock:
            for attempt in range(_SUBMIT_ATTEMPTS):
                self._start()
                if self._control is None:
                    raise Cancelled(task.node_id)
                ours, theirs = multiprocessing.Pipe()
                try:
                    templates.send_request(self._control, task.address, theirs)
                    ours.send((task, log_path))
                    return ours
                except OSError as error:
                    ours.close()
                    self._end_server()
                    if attempt + 1 == _SUBMIT_ATTEMPTS:
                        raise SetupError(
                            f"the worker server died before {task.node_id} could start: {error}.",
                            "look for a crash of Python or a lack of memory in the system's log; headrace doctor "
                            "checks both.",
                        ) from error
                finally:
                    theirs.close()
        raise AssertionError("unreachable")

    def _end_server(self) -> None:
        """End a server that does not answer, so that the next task starts another."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def close(self) -> None:
        """End the server and every worker."""
        with self._lock:
            self._is_closed = True
            server, control = self._server, self._control
            self._server = self._control = None
        if control is not None:
            control.close()
        if server is not None:
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            if server.returncode:
                kill_marked(self._mark)

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
        raise ExecutorError(
            f"{task.node_id}: the server of the worker processes was killed, and this node with it.",
            "look for a lack of memory in the system's log; other nodes get a new server",
        )
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


def _signal_name(number: int) -> str:
    """A signal's name; its number where it has none, as most of the real-time ones."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _environment(mark: str) -> dict[str, str]:
    environment = dict(os.environ)
    environment[SERVER_MARK] = mark
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    environment.setdefault("GRPC_VERBOSITY", "ERROR")
    environment["PYTHONUNBUFFERED"] = "1"
    # The server must find what the orchestrating process finds, the user's own modules included.
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path or os.getcwd() for path in sys.path))
    return environment
