"""The process that workers are forked from: it imports the heavy libraries once.

Started as `python -m headrace.orchestration.runners.local.worker_server FD MODULE...` with one end of a socket pair. It
imports the modules in the order given, and between imports answers requests: a request is the descriptor of
a connection, over which the `Task` comes and the forked worker reports. A request waits for no module but
those its own node needs.

Whatever ends the orchestrating process closes the socket, and the server ends with all its workers.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from multiprocessing import connection
from typing import Any

from headrace.authoring.light import heavy_import, without_collections
from headrace.orchestration.runners.local import worker
from headrace.orchestration.runners.local.messages import Exited
from headrace.orchestration.runners.tasks import Task
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.process_groups import (
    adopt_orphans,
    children_of,
    die_with,
    kill_below,
    kill_group,
    wake_on_child_exit,
)

_WAKEUP_BYTES = 4096
_TENSORFLOW = "tensorflow"
_FRAMEWORKS = (_TENSORFLOW, "apache_beam")


class Server:
    """Serves one orchestrating process.

    Args:
        control: The server's end of the socket pair.
        modules: What to import, in order, while nothing else is asked for.
    """

    def __init__(self, control: socket.socket, modules: list[str]) -> None:
        self._control = control
        self._modules = modules
        self._children: dict[int, connection.Connection] = {}
        self._has_answered = False
        self._wakeup = wake_on_child_exit()
        self._has_imported = False
        self._fresh_processes = FreshProcesses()

    def serve(self) -> None:
        """Import and fork until the orchestrating process goes away."""
        while True:
            self._reap()
            # What the first node needs comes first, then the first node; what others need loads beside it.
            may_import = bool(self._modules) and (self._has_answered or not self._has_imported)
            watched: list[Any] = [self._control, self._wakeup]
            readable, _, _ = select.select(watched, [], [], 0.0 if may_import else None)
            if self._wakeup in readable:
                os.read(self._wakeup, _WAKEUP_BYTES)
            if self._control in readable and not self._answer():
                self._end()
                return
            if not readable and may_import:
                self._import_next()

    def _import_next(self) -> None:
        module = self._modules.pop(0)
        _import_quietly(module)
        self._has_imported = module not in _FRAMEWORKS
        if module == _TENSORFLOW:
            self._fresh_processes.open_nursery()
        # What is loaded stays: collections need not walk it, nor copy its pages in the workers.
        gc.freeze()

    def _answer(self) -> bool:
        word, descriptors, _, _ = socket.recv_fds(self._control, len(b"task"), 1)
        if not word:
            return False
        channel = connection.Connection(descriptors[0])
        try:
            task, log_path = channel.recv()
        except EOFError:
            channel.close()
            return True
        self._has_answered = True
        self._fork(task, log_path, channel)
        return True

    def _fork(self, task: Task, log_path: str, channel: connection.Connection) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        server = os.getpid()
        pid = os.fork()
        if pid:
            self._children[pid] = channel
            return
        code = 70
        try:
            self._become_worker(log_path, server)
            code = worker.run(task, channel, self._fresh_processes)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            # Interpreter teardown after TensorFlow takes a second and prints noise; nothing is left to do.
            os._exit(code)

    def _become_worker(self, log_path: str, server: int) -> None:
        os.setsid()
        die_with(server)
        adopt_orphans()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        for other in self._children.values():
            other.close()
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            channel = self._children.pop(pid, None)
            if channel is None:
                continue
            # What the worker started and left behind ends with it: it is below this server now, and no worker.
            kill_group(pid)
            kill_below(os.getpid(), self._spared())
            with contextlib.suppress(OSError):
                channel.send(Exited(os.waitstatus_to_exitcode(status)))
            channel.close()

    def _spared(self) -> list[int]:
        # What a module started when it was imported serves all workers. It is of this process's session, which workers
        # leave at once, and what they start with them.
        ours = os.getsid(0)
        own = [pid for pid in children_of(os.getpid()) or () if _session_of(pid) == ours]
        return [*self._children, self._fresh_processes.nursery_pid, *own]

    def _end(self) -> None:
        for pid in self._children:
            kill_group(pid)
        kill_below(os.getpid())
        os._exit(0)


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _import_quietly(name: str) -> None:
    """Import ahead of need; a module that fails here fails again, and is reported, when its node runs."""
    importing = heavy_import if name in _FRAMEWORKS else without_collections
    with contextlib.suppress(Exception), importing():
        importlib.import_module(name)


def main(arguments: list[str]) -> None:
    """Entry of the server process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    control: Any = socket.socket(fileno=int(arguments[0]))
    Server(control, arguments[1:]).serve()


if __name__ == "__main__":
    # Imported under its own name, so that pickles and forked workers see one module.
    from headrace.orchestration.runners.local import worker_server

    worker_server.main(sys.argv[1:])
