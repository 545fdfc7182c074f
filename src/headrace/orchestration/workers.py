"""Run tasks in worker processes: the orchestrating side."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from headrace.errors import ExecutorError, SetupError
from headrace.orchestration.tasks import Done, Exited, Failed, Message, Progress, Started, Task

_POLL_SECONDS = 0.1


class Cancelled(Exception):
    """The task was stopped because the run was."""


class TimedOut(Exception):
    """The task was stopped because its time was over."""


class Workers:
    """A server process with the heavy libraries loaded, and one process forked from it for each task.

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

    def start(self) -> None:
        """Start the server, unless it runs; it loads its libraries in the background."""
        with self._lock:
            if self._server is not None or self._is_closed:
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            command = [sys.executable, "-W", "ignore", "-m", "headrace.orchestration.worker_server"]
            self._server = subprocess.Popen(
                [*command, str(theirs.fileno()), *dict.fromkeys(self._modules())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
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
        """Run one task in a fresh process and wait for it.

        Args:
            task: What to call.
            log_path: Where all it prints goes.
            on_progress: Receives what the executor says of itself.
            is_cancelled: Asked ten times a second; when true, the process and its children are killed.
            timeout_seconds: After so many seconds they are killed too; 0 means never.

        Raises:
            HeadraceError: What the task raised, or how its process died.
            Cancelled: If `is_cancelled` said so.
            TimedOut: If the time was over.
        """
        self.start()
        channel = self._submit(task, log_path)
        started = time.monotonic()
        pid = 0
        is_ended = False
        try:
            while True:
                message = _receive(channel)
                if isinstance(message, Started):
                    pid = message.pid
                elif isinstance(message, Progress):
                    on_progress(message.doing, message.rows)
                elif message is not None:
                    # The worker has nothing more to do; the server sees to the end of its process.
                    is_ended = True
                    return _judge(task, message, log_path)
                if is_cancelled():
                    raise Cancelled(task.node_id)
                if timeout_seconds and time.monotonic() - started > timeout_seconds:
                    raise TimedOut(task.node_id)
        finally:
            if not is_ended and pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            channel.close()

    def _submit(self, task: Task, log_path: str) -> multiprocessing.connection.Connection:
        ours, theirs = multiprocessing.Pipe()
        with self._lock:
            if self._control is None or self._is_closed:
                raise Cancelled(task.node_id)
            try:
                socket.send_fds(self._control, [b"task"], [theirs.fileno()])
                ours.send((task, log_path))
            except OSError as error:
                raise SetupError(
                    f"the worker server died before {task.node_id} could start: {error}.",
                    "look for a crash of Python or a lack of memory in the system's log; headrace doctor checks both.",
                ) from error
        theirs.close()
        return ours

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
        return Exited(-signal.SIGKILL)
    return message


def _judge(task: Task, message: Done | Failed | Exited, log_path: str) -> Done:
    if isinstance(message, Done):
        return message
    if isinstance(message, Failed):
        raise message.error
    if message.exit_code < 0:
        name = signal.Signals(-message.exit_code).name
        hint = (
            "The system kills a process so when memory runs out. "
            if message.exit_code == -signal.SIGKILL
            else ""
        )
        raise ExecutorError(
            f"{task.node_id}: its process was killed by signal {name}. {hint}".rstrip(),
            f"read {log_path}; give the node less data at once or more memory.",
        )
    raise ExecutorError(
        f"{task.node_id}: its process ended with exit code {message.exit_code} and no result.",
        f"read {log_path}",
    )


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    environment.setdefault("GRPC_VERBOSITY", "ERROR")
    environment["PYTHONUNBUFFERED"] = "1"
    # The server must find what the orchestrating process finds, the user's own modules included.
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path or os.getcwd() for path in sys.path))
    return environment
