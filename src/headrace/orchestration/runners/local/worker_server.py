"""The processes that workers are forked from: each library is loaded once, and each file of the user's read once.

Started as `python -m headrace.orchestration.runners.local.worker_server FD MODULE...` with one end of a socket pair.
A request is the descriptor of a connection, over which the `Task` comes and the forked worker reports, and the
address of the process that forks it. There are up to three kinds of these, each forked from the one before:

- the server itself, with what TFX's authoring side needs, answers at once;
- one with the libraries loads the modules in the order given, and answers between them: a request waits for no
  module but those its own node needs;
- templates, below either, have read the user's code of some nodes; see `templates`.

Whatever ends the orchestrating process closes the socket, and the servers end with all workers.
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
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import connection
from typing import Any, NoReturn

from headrace.orchestration.runners.local import random_numbers, templates, worker
from headrace.orchestration.runners.local.library_loading import Loading
from headrace.orchestration.runners.local.messages import Exited, Started
from headrace.orchestration.runners.local.templates import State, Template, Templates
from headrace.orchestration.runners.tasks import Address, Task
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.process_groups import (
    adopt_orphans,
    children_of,
    die_with,
    kill_below,
    kill_group,
    reaped,
    wake_on_child_exit,
)

_WAKEUP_BYTES = 4096
_FAILED = 70

Work = Callable[[Task, connection.Connection], int]


class Server:
    """Forks workers on request; serves one process, and ends with it.

    Args:
        control: This server's end of the socket pair.
        modules: The libraries that the run's nodes need, for the process that loads them.
        loading: What this process itself has still to load.
        is_template: Whether this process has read the code of all that it is asked to run.
    """

    def __init__(
        self,
        control: socket.socket,
        modules: Sequence[str] = (),
        loading: Loading | None = None,
        *,
        is_template: bool = False,
    ) -> None:
        self._control = control
        self._modules = modules
        self._loading = loading or Loading(())
        self._is_template = is_template
        self._children: dict[int, connection.Connection] = {}
        self._templates = Templates()
        self._libraries: tuple[int, socket.socket] | None = None
        self._is_left = False
        self._wakeup = wake_on_child_exit()
        self._fresh_processes = self._loading.fresh_processes

    def serve(self) -> NoReturn:
        """Load and fork until nobody is left to ask."""
        self._prepare()
        while True:
            self._reap()
            is_loading = self._loading.is_due
            reading: dict[Any, Template] = {one.messages: one for one in self._templates.reading()}
            others = self._others()
            watched: list[Any] = [
                self._wakeup,
                *reading,
                *others,
                *([] if self._is_left else [self._control]),
            ]
            readable, _, _ = select.select(watched, [], [], 0.0 if is_loading else None)
            if self._wakeup in readable:
                os.read(self._wakeup, _WAKEUP_BYTES)
            for template in [reading[one] for one in readable if one in reading]:
                self._listen(template)
            for other in [one for one in readable if one in others]:
                self._hear(other)
            if self._control in readable and not self._answer():
                self._is_left = True
            if self._is_left and not (self._is_template and self._children):
                self._end()
            if not readable and is_loading:
                self._loading.load_next()

    def _prepare(self) -> None:
        """Have the libraries loaded while nobody asks yet."""
        if self._modules:
            self._libraries = self._fork_libraries()

    def _others(self) -> list[Any]:
        """Return what else is listened to, by those that are more than this."""
        return []

    def _hear(self, other: Any) -> None:
        """Take what one of those says."""

    def run(self, given: Task, channel: connection.Connection) -> None:
        """Fork the worker of a task that has come already."""
        self._fork(channel, self._run, given)

    def _run(self, task: Task, channel: connection.Connection) -> int:
        return worker.run(task, channel, self._fresh_processes, is_read=self._is_template)

    def _answer(self) -> bool:
        request = templates.receive_request(self._control)
        if request is None:
            return False
        self._loading.has_answered = True
        self._take(*request)
        return True

    def _take(self, address: Address, channel: connection.Connection) -> None:
        """See to it that a task has a worker."""
        if address.needs_libraries and self._modules:
            self._take_with_libraries(address, channel)
        elif self._is_template or not address.code:
            self._fork(channel, self._run)
        else:
            self._take_with_code(address, channel)

    def _take_with_libraries(self, address: Address, channel: connection.Connection) -> None:
        if self._libraries is None:
            self._libraries = self._fork_libraries()
        pass_on(self._libraries[1], address, channel)

    def _take_with_code(self, address: Address, channel: connection.Connection) -> None:
        template = self._templates.fresh(address)
        if template is None:
            self._templates.add(address, self._fork_template(channel))
        elif template.state is State.READY:
            pass_on(template.control, address, channel)
        elif template.state is State.ANEW:
            self._fork(channel, self._run)
        else:
            template.waiting.append((address, channel))

    def _fork_libraries(self) -> tuple[int, socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        server = os.getpid()
        pid = os.fork()
        if pid:
            theirs.close()
            return pid, ours
        try:
            self._become_forked(server)
            ours.close()
            Server(theirs, loading=Loading(self._modules)).serve()
        finally:
            os._exit(_FAILED)

    def _fork_template(self, channel: connection.Connection) -> Template:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)

        def read(task: Task, channel: connection.Connection) -> int:
            ours.close()
            return _read(task, channel, theirs, self._fresh_processes)

        pid = self._fork(channel, read)
        theirs.close()
        return Template(pid, ours)

    def _listen(self, template: Template) -> None:
        """Note whether a process that has read some code is a template, and see to the tasks that waited for it."""
        template.hear()
        if template.state is State.READING:
            return
        if template.state is State.READY:
            # It was the first task's worker so far; that has one of its own now.
            self._children.pop(template.pid).close()
        self._take_waiting(template)

    def _take_waiting(self, template: Template) -> None:
        waiting, template.waiting = template.waiting, []
        for address, channel in waiting:
            self._take(address, channel)

    def _fork(self, channel: connection.Connection, work: Work, given: Task | None = None) -> int:
        """Fork a process that works for a task; it comes over the connection, unless it was given."""
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        server = os.getpid()
        pid = os.fork()
        if pid:
            self._children[pid] = channel
            return pid
        code = _FAILED
        try:
            os.setsid()
            self._become_forked(server)
            if given is None:
                given, log_path = channel.recv()
                _write_to(log_path)
            code = work(given, channel)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            # Interpreter teardown after TensorFlow takes a second and prints noise; nothing is left to do.
            os._exit(code)

    def _become_forked(self, server: int) -> None:
        """Give up what is the server's, in a process that it forked."""
        die_with(server)
        adopt_orphans()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        for other in self._children.values():
            other.close()
        self._templates.give_up()
        if self._libraries is not None:
            self._libraries[1].close()
        random_numbers.seed_again()

    def _reap(self) -> None:
        for pid, status in reaped():
            self._see_off(pid, status)

    def _see_off(self, pid: int, status: int) -> None:
        """Note that a child has ended, and end what it started and left behind."""
        channel = self._children.pop(pid, None)
        template = self._templates.forget(pid)
        if self._libraries is not None and self._libraries[0] == pid:
            self._libraries[1].close()
            self._libraries = None
        elif channel is None and template is None:
            return
        kill_group(pid)
        # It is below this server now, and no worker.
        kill_below(os.getpid(), self._spared())
        if channel is not None:
            with contextlib.suppress(OSError):
                channel.send(Exited(os.waitstatus_to_exitcode(status)))
            channel.close()
        if template is not None:
            self._take_waiting(template)

    def _spared(self) -> list[int]:
        # What a module started when it was imported serves all workers. It is of this process's session, which workers
        # leave at once, and what they start with them.
        ours = os.getsid(0)
        own = [pid for pid in children_of(os.getpid()) or () if _session_of(pid) == ours]
        return [*self._children, *self._templates.pids(), self._fresh_processes.nursery_pid, *own]

    def _end(self) -> NoReturn:
        for pid in self._children:
            kill_group(pid)
        kill_below(os.getpid())
        os._exit(0)


def pass_on(control: socket.socket, address: Address, channel: connection.Connection) -> None:
    """Hand a request on to another server of the run."""
    # Where that process was killed, who asked sees the connection end.
    with contextlib.suppress(OSError):
        templates.send_request(control, address, channel)
    channel.close()


def _read(
    task: Task, channel: connection.Connection, control: socket.socket, fresh_processes: FreshProcesses
) -> int:
    """Read the user's code, and be its template from then on; or do the task's work, where it cannot be one."""
    reading = templates.Reading()
    with reading.recorded():
        is_read = worker.read(task, channel)
    if not is_read:
        return 1
    looks = reading.looks()
    templates.tell(control, looks)
    if looks is not None:
        _be_template(task, channel, control, fresh_processes)
    return worker.run(task, channel, fresh_processes, is_read=True)


def _be_template(
    task: Task, channel: connection.Connection, control: socket.socket, fresh_processes: FreshProcesses
) -> NoReturn:
    gc.freeze()
    server = Server(control, loading=Loading((), fresh_processes), is_template=True)
    # To stop the task from now on is not to stop this process, which others need.
    channel.send(Started(0))
    server.run(task, channel)
    server.serve()


def _write_to(log_path: str) -> None:
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def import_authoring() -> None:
    """Import what TFX's artifact types do whenever a process makes its first artifact: 40 ms for each worker."""
    for name in ("setuptools", "tfx.extensions"):
        importlib.import_module(name)


def main(arguments: list[str]) -> None:
    """Entry of the server process."""
    import_authoring()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    control: Any = socket.socket(fileno=int(arguments[0]))
    Server(control, arguments[1:]).serve()


if __name__ == "__main__":
    # Imported under its own name, so that pickles and forked workers see one module.
    from headrace.orchestration.runners.local import worker_server

    worker_server.main(sys.argv[1:])
