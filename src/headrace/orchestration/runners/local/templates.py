"""Processes that have read the user's code once, and from which the workers of its nodes are forked.

A fork is a copy of what the code left in memory, and of nothing else: of threads only the one that forks goes on,
and what is open is shared. So a process in which the code started threads or processes, opened files or sockets, or
waits for children, is no template: it does the work of the task that it was made for, and each other task reads the
code anew. So it is where the code seeded random numbers, which are seeded again in a fork, or keeps a generator of them,
of which each node would get the same. The same holds where a file that was read has changed since.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing import connection
from typing import Any

from headrace.files.payloads import is_kept
from headrace.orchestration.runners.local import random_numbers
from headrace.orchestration.runners.tasks import Address
from headrace.runtime.processes.process_groups import children_of
from headrace.usercode.module_files import is_project_file

_WRITES = os.O_WRONLY | os.O_RDWR
# How far the clock of a file system may be behind: of one that counts whole seconds, and of others.
_COARSE_NS = 2_000_000_000
_TICK_NS = 20_000_000
# Those of a run's files; in the server of a session, of as many steps.
_MAX_TEMPLATES = 16

# What tells a file from a later one: size, times of the last change of content and of status, and inode; `None` of
# what is absent, or no plain file.
Look = tuple[int, int, int, int] | None


class State(Enum):
    """What is known of a process that was made to read some code."""

    READING = "reading"
    READY = "ready"
    ANEW = "each task must read the code for itself"
    ENDED = "ended"


@dataclass
class Template:
    """What a server knows of a process that it forked to read some code.

    Attributes:
        pid: The process; 0 where it is none to fork from.
        control: This server's end of the socket on which it is asked to fork.
        state: How far it is.
        waiting: Tasks that came while it read.
        looks: The files that it has read.
    """

    pid: int
    control: socket.socket
    state: State = State.READING
    waiting: list[tuple[Address, connection.Connection]] = field(default_factory=list)
    looks: dict[str, Look] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.messages = connection.Connection(os.dup(self.control.fileno()), writable=False)

    @property
    def is_fresh(self) -> bool:
        """Whether the files that it has read are still the same."""
        return all(look_of(path) == look for path, look in self.looks.items())

    def hear(self) -> None:
        """Receive what the process says when it has read the code, see `tell`."""
        try:
            looks = self.messages.recv()
        except (EOFError, OSError):
            self.state = State.ENDED
            return
        self.state = State.ANEW if looks is None else State.READY
        self.looks = looks or {}
        if looks is None:
            self.pid = 0

    def close(self) -> None:
        """Close this process's ends of the connections to it."""
        self.control.close()
        self.messages.close()


class Templates:
    """The templates of a server, by the code that they have read."""

    def __init__(self) -> None:
        self._current: dict[Address, Template] = {}
        # Nothing more is asked of these; workers that they forked may still be at work.
        self._old: list[Template] = []

    def fresh(self, address: Address) -> Template | None:
        """Return what is known of the code's reading; `None` where there is none, or its files have changed since."""
        template = self._current.get(address)
        if template is None or template.is_fresh:
            return template
        self._retire(address)
        return None

    def add(self, address: Address, template: Template) -> None:
        """Note a process that has begun to read some code."""
        self._current[address] = template
        done = [key for key, one in self._current.items() if one.state is not State.READING]
        for old in done[: max(len(self._current) - _MAX_TEMPLATES, 0)]:
            self._retire(old)

    def _retire(self, address: Address) -> None:
        """Ask no more of a template: it ends with the last of its workers."""
        template = self._current.pop(address)
        if template.state is State.READY:
            template.close()
            self._old.append(template)

    def forget(self, pid: int) -> Template | None:
        """Forget the template of a process that has ended, and return it."""
        for template in [one for one in self._old if one.pid == pid]:
            self._old.remove(template)
            return template
        for address, template in self._current.items():
            if template.pid == pid:
                template.close()
                return self._current.pop(address)
        return None

    def reading(self) -> list[Template]:
        """Return those that are about to say something."""
        return [template for template in self._current.values() if template.state is State.READING]

    def pids(self) -> list[int]:
        """Return the processes."""
        return [template.pid for template in [*self._current.values(), *self._old]]

    def give_up(self) -> None:
        """Close all that is the server's, in a process that it forked."""
        for template in [*self._current.values(), *self._old]:
            template.close()
            for _, channel in template.waiting:
                channel.close()


def tell(control: socket.socket, looks: dict[str, Look] | None) -> None:
    """Say that this process has read the code, and which files: it is a template now; `None` where it is not."""
    with contextlib.closing(connection.Connection(os.dup(control.fileno()), readable=False)) as messages:
        messages.send(looks)


def send_request(control: socket.socket, address: Address, channel: connection.Connection) -> None:
    """Ask a server to run the task that comes over a connection."""
    socket.send_fds(control, [address.to_bytes()], [channel.fileno()])


def receive_request(control: socket.socket) -> tuple[Address, connection.Connection] | None:
    """Return the next request; `None` where nobody is left to ask."""
    content, descriptors, _, _ = socket.recv_fds(control, Address.NUM_BYTES, 1)
    if not content:
        return None
    return Address.from_bytes(content), connection.Connection(descriptors[0])


class Reading:
    """The reading of the user's code in this process; begins when it is made.

    Use `recorded` around the reading, and ask `looks` after it.
    """

    def __init__(self) -> None:
        self._started_ns = time.time_ns()
        self._open = _descriptors()
        self._random = random_numbers.state()
        self._modules = set(sys.modules)
        self._paths: set[str] = set()

    @contextlib.contextmanager
    def recorded(self) -> Iterator[None]:
        """Note the files that are opened inside."""
        is_on = True

        def note(event: str, arguments: tuple[Any, ...]) -> None:
            if is_on and event == "open" and not arguments[2] & _WRITES:
                with contextlib.suppress(TypeError, ValueError):
                    self._paths.add(os.path.abspath(os.fsdecode(arguments[0])))

        # It cannot be taken away again.
        sys.addaudithook(note)
        try:
            yield
        finally:
            is_on = False

    def looks(self) -> dict[str, Look] | None:
        """Return how the files look that were read; `None` where this process cannot be a template."""
        if _is_busy() or _descriptors() != self._open or random_numbers.state() != self._random:
            return None
        modules = [module for name, module in sys.modules.items() if name not in self._modules]
        projects = [module for module in modules if _project_file(module)]
        if random_numbers.keeps_generator([*projects, sys.modules["__main__"]]):
            return None
        paths = self._paths | {_project_file(module) for module in projects}
        # Bytecode is made anew where its source has changed.
        found = {path: look_of(path) for path in paths if is_kept(path) and "__pycache__" not in path}
        if any(self._is_young(look) for look in found.values()):
            return None
        return found

    def _is_young(self, look: Look) -> bool:
        """Whether a file may have changed since it was read, and look the same."""
        if look is None:
            return False
        changed = max(look[1:3])
        tick = _TICK_NS if changed % 1_000_000 else _COARSE_NS
        return changed > self._started_ns - tick


def _project_file(module: Any) -> str:
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) and is_project_file(path) else ""


def look_of(path: str) -> Look:
    """Return how a path looks; to be compared with how it looks later."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(info.st_mode):
        return None
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def _is_busy() -> bool:
    """Whether this process has threads or children, or waits for some."""
    try:
        num_threads = len(os.listdir("/proc/self/task"))
    except OSError:
        return True
    # What the kernel does not tell may be.
    has_children = children_of(os.getpid()) != set()
    return num_threads > 1 or has_children or signal.getsignal(signal.SIGCHLD) != signal.SIG_DFL


def _descriptors() -> frozenset[tuple[str, str]]:
    """What this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        # The folder itself was open while it was read.
        with contextlib.suppress(OSError):
            found.add((name, os.readlink(f"/proc/self/fd/{name}")))
    return frozenset(found)
