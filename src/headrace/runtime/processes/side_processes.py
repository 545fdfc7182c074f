"""Processes beside the one that runs a node, so that a data stage uses every processor.

Beam's in-process runner has threads, and Python lets one of them run at a time; its own processes start
anew, load TensorFlow for seconds, and turn what a step raises into text. These are forked from the node's
process at its start, when it has the libraries and no thread yet, and what they are given, return and raise
is pickled. One more is forked with them, the *reserve*: it does nothing but fork another in the place of one that
was killed, which the node's process, with its threads, could not. Where there are none, as under TFX's own runners, work is done where it is asked for.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import pickle
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from headrace.errors import ExecutorError
from headrace.runtime.local_objects import LocalObject
from headrace.runtime.processes import limits
from headrace.runtime.processes.process_groups import die_with
from headrace.runtime.progress import Progress

_KEPT_FUNCTIONS = 8


class RemoteTraceback(Exception):
    """The cause of an error that comes from a side process: its traceback there."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass
class _SideProcess:
    channel: connection.Connection
    doing: str = ""
    num_rows: int = 0


def num_processors() -> int:
    """Return the number of processors that this process may use, a part of one counted as one."""
    return max(math.ceil(limits.num_processors()), 1)


class SideProcesses(LocalObject):
    """The processes beside that of one execution; they end with it.

    Args:
        number: How many to fork: before this process has threads.
        progress: Where they say what they do.
    """

    def __init__(self, number: int = 0, progress: Progress | None = None) -> None:
        super().__init__()
        self._progress = progress or Progress()
        self._idle: queue.LifoQueue[_SideProcess] = queue.LifoQueue()
        self._started: list[_SideProcess] = []
        self._num_alive = number
        self._counting = threading.Lock()
        if number:
            # Else the first collection of garbage in each fork copies the memory that holds the libraries, 0.3 s.
            gc.freeze()
        self._reserve = self._fork_reserve() if number else None
        for _ in range(number):
            self._fork()

    def _fork(self) -> None:
        ours, theirs = connection.Pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        if not os.fork():
            ours.close()
            for other in self._started:
                other.channel.close()
            if self._reserve is not None:
                self._reserve.close()
            try:
                _serve(theirs, parent, self._progress)
            finally:
                os._exit(0)
        theirs.close()
        self._started.append(_SideProcess(ours))
        self._idle.put(self._started[-1])

    def _fork_reserve(self) -> socket.socket:
        """Fork the reserve; return where it takes the channels of those that it is to fork."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        if not os.fork():
            ours.close()
            try:
                _stand_by(theirs, parent, self._progress)
            finally:
                os._exit(0)
        theirs.close()
        return ours

    def _replacement(self) -> _SideProcess | None:
        """Have the reserve fork a process in the place of a dead one; `None` where the reserve is dead too."""
        ours, theirs = connection.Pipe()
        with theirs:
            try:
                assert self._reserve is not None
                socket.send_fds(self._reserve, [b"fork"], [theirs.fileno()])
            except OSError:
                ours.close()
                return None
        return _SideProcess(ours)

    def __len__(self) -> int:
        """The number of side processes; 0 where work is done in this process."""
        return len(self._started)

    @property
    def num_alive(self) -> int:
        """How many of them there are, with those that took the place of dead ones."""
        return self._num_alive

    def call(self, key: str, make: bytes, load: Callable[[bytes], Any], arguments: Sequence[Any]) -> Any:
        """Call a function in a side process that is idle, waiting for one; progress is passed on.

        Args:
            key: Tells functions apart: a side process loads each once.
            make: The function, pickled.
            load: Unpickles it.
            arguments: What to call it with.

        Raises:
            Exception: What the function raised.
            ExecutorError: If the side process died.
        """
        process = self._idle.get()
        is_alive = True
        try:
            process.channel.send((key, make, load, tuple(arguments)))
            while True:
                kind, *content = process.channel.recv()
                if kind == "progress":
                    self._pass_on(process, *content)
                    continue
                break
        except (EOFError, OSError) as error:
            is_alive = False
            raise ExecutorError(
                "a process that worked beside the node's own was killed. The system does so when memory runs out.",
                "read the node's log; give the node less data at once or more memory.",
            ) from error
        finally:
            self._give_back(process, is_alive=is_alive)
        if kind == "error":
            raised, text = content
            raised.__cause__ = RemoteTraceback(f"\n{text}")
            raise raised
        return content[0]

    def _give_back(self, process: _SideProcess, *, is_alive: bool) -> None:
        with self._counting:
            if not is_alive and (another := self._replacement()) is not None:
                process.channel.close()
                process, is_alive = another, True
            self._num_alive = max(0, self._num_alive - (not is_alive))
            # The last dead one too: whoever takes it next is told so, instead of waiting for ever.
            if is_alive or self._num_alive < 1:
                self._idle.put(process)

    def _pass_on(self, process: _SideProcess, doing: str, num_rows: int | None) -> None:
        """Report what a side process reported; rows of all of them are added up."""
        if num_rows is None:
            process.num_rows = 0
            if doing != process.doing:
                process.doing = doing
                self._progress.report_once(doing)
            return
        self._progress.add_rows(num_rows - process.num_rows)
        process.num_rows = num_rows


def _stand_by(requests: socket.socket, parent: int, progress: Progress) -> None:
    """Fork a side process for each channel that comes, until the node's process goes away."""
    die_with(parent)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that its children leave no zombies
    reserve = os.getpid()
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 16, 1)
        if not request:
            return
        if not os.fork():
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                _serve(connection.Connection(descriptors[0]), reserve, progress)
            finally:
                os._exit(0)
        os.close(descriptors[0])


def _serve(channel: connection.Connection, parent: int, progress: Progress) -> None:
    """Answer calls until the node's process goes away."""
    die_with(parent)
    # This fork's own copy of the object, which the functions that come here name.
    progress.redirect(lambda doing, rows: channel.send(("progress", doing, rows)))
    functions: dict[str, Any] = {}
    with contextlib.suppress(EOFError, OSError):
        while True:
            key, make, load, arguments = channel.recv()
            try:
                if key not in functions:
                    if len(functions) >= _KEPT_FUNCTIONS:
                        functions.clear()
                    functions[key] = load(make)
                channel.send(("done", functions[key](*arguments)))
            except BaseException as error:
                text = traceback.format_exc()  # before the traceback is taken off what is sent
                channel.send(("error", _picklable(error), text))


def _picklable(error: BaseException) -> BaseException:
    error.__traceback__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
