"""Processes with TensorFlow loaded and nothing else that a model could lean on.

Who tries a model as a server would needs a process that ran none of the user's code and knows no op but
TensorFlow's own. To start Python and import TensorFlow takes two seconds. The worker server imports TensorFlow
first of all, and forks a *nursery* right then, which forks a fresh process for each request. Where there is
none, as under TFX's own runners, Python is started.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Mapping
from typing import Any, BinaryIO, NoReturn, cast

from headrace.runtime.processes.process_groups import (
    adopt_orphans,
    below,
    die_with,
    kill_group,
    reaped,
    wake_on_child_exit,
)

# In the environment of a fork: how much of the libraries' files was in the memory of the process that loaded
# them. A fork counts that as its own only where it touches it; Python started anew counts all of it.
FILE_BYTES = "HEADRACE_LIBRARY_FILE_BYTES"
_MAX_REQUEST_BYTES = 1 << 20
_WAKEUP_BYTES = 4096
_LAST_STREAM = 2
# What is sent of a process: its pid when it begins, its exit code when it ends.
_NUMBER = struct.Struct("=i")


class FreshProcess:
    """A process that runs a script; it ends with the process that asked for it.

    Attributes:
        pid: Process id, also its process group's.
        stdin: Pipe to its standard input.
        stdout: Pipe from its standard output.
    """

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO

    def wait(self) -> int:
        """Wait for its end; returns the exit code, negative for the signal that ended it."""
        raise NotImplementedError

    def end(self) -> None:
        """Kill it with all it started, and wait until it is gone."""
        started = below(self.pid)
        kill_group(self.pid)
        for pid in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.wait()
        for stream in (self.stdin, self.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


class _Started(FreshProcess):
    """A Python of its own."""

    def __init__(self, script: str, log: int, folder: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.stdin, self.stdout = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)

    def wait(self) -> int:
        return self._process.wait()


class _Forked(FreshProcess):
    """A fork of the nursery."""

    def __init__(
        self, nursery: socket.socket, script: str, log: int, folder: str, environment: Mapping[str, str]
    ) -> None:
        request = json.dumps({"script": script, "folder": folder, "environment": dict(environment)})
        stdin, to_stdin = os.pipe()
        from_stdout, stdout = os.pipe()
        self._status, status = os.pipe()
        self.stdin, self.stdout = os.fdopen(to_stdin, "wb"), os.fdopen(from_stdout, "rb")
        try:
            socket.send_fds(nursery, [request.encode()], [stdin, stdout, log, status])
        finally:
            for descriptor in (stdin, stdout, status):
                os.close(descriptor)
        self.pid = self._number()
        self._code: int | None = None

    def _number(self) -> int:
        content = os.read(self._status, _NUMBER.size)
        if len(content) < _NUMBER.size:
            raise ProcessLookupError("the nursery of fresh processes is gone")
        return int(_NUMBER.unpack(content)[0])

    def wait(self) -> int:
        if self._code is None:
            try:
                self._code = self._number()
            except ProcessLookupError:
                # Whatever ended the nursery ended its processes with it.
                self._code = -signal.SIGKILL
            os.close(self._status)
        return self._code


class FreshProcesses:
    """Starts fresh processes: forks of its nursery where one was opened, else Pythons of their own.

    Args:
        nursery: Where an open one takes requests; `None` where there is none.

    Attributes:
        nursery_pid: Process id of the nursery that was opened here; 0 where none was.
    """

    def __init__(self, nursery: socket.socket | None = None) -> None:
        self._nursery = nursery
        self.nursery_pid = 0

    def start(self, script: str, log_path: str, environment: Mapping[str, str]) -> FreshProcess:
        """Run a script as `__main__` in a fresh process, with pipes for its standard input and output.

        Args:
            script: Path of a Python file.
            log_path: Where its standard error goes; its folder becomes the working directory.
            environment: All its environment variables.
        """
        folder = os.path.dirname(os.path.abspath(log_path))
        with open(log_path, "wb") as log:
            if self._nursery is not None:
                with contextlib.suppress(OSError):
                    return _Forked(self._nursery, script, log.fileno(), folder, environment)
            return _Started(script, log.fileno(), folder, environment)

    def open_nursery(self) -> None:
        """Fork the nursery from this process as it is now: before it has threads. Again, it changes nothing."""
        if self._nursery is not None or sys.platform != "linux":
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        file_bytes = resident_file_bytes()
        self.nursery_pid = os.fork()
        if self.nursery_pid:
            theirs.close()
            self._nursery = ours
            return
        try:
            _close_all_but(theirs.fileno())
            die_with(parent)
            _Nursery(theirs, file_bytes).serve()
        finally:
            os._exit(0)

    def branch(self, umask: int) -> FreshProcesses:
        """Return fresh processes for one of several that this process works for; they end with whoever has them.

        Args:
            umask: For files that they make.
        """
        if self._nursery is None:
            return FreshProcesses()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                socket.send_fds(self._nursery, [json.dumps({"umask": umask}).encode()], [theirs.fileno()])
            except OSError:
                ours.close()
                return FreshProcesses()
        return FreshProcesses(ours)

    def close(self) -> None:
        """Close this process's end of the connection to the nursery."""
        if self._nursery is not None:
            self._nursery.close()


class _Nursery:
    """Forks processes on request, tells how they end, and ends those that nobody holds the input of."""

    def __init__(self, requests: socket.socket, file_bytes: int) -> None:
        self._requests = requests
        self._file_bytes = file_bytes
        # By pid: a copy of its standard input, to see it closed, and where its exit code goes.
        self._children: dict[int, tuple[int, int]] = {}
        self._wakeup = wake_on_child_exit()

    def serve(self) -> None:
        """Answer until nobody is left to ask."""
        while True:
            poll = select.poll()
            poll.register(self._requests, select.POLLIN)
            poll.register(self._wakeup, select.POLLIN)
            for stdin, _ in self._children.values():
                # Only that the other end was closed: what is written there is the child's.
                poll.register(stdin, 0)
            ready = {descriptor for descriptor, _ in poll.poll()}
            for pid, (stdin, _) in list(self._children.items()):
                if stdin in ready:
                    kill_group(pid)
            if self._wakeup in ready:
                os.read(self._wakeup, _WAKEUP_BYTES)
            self._reap()
            if self._requests.fileno() in ready and not self._answer():
                return

    def _answer(self) -> bool:
        request, descriptors, _, _ = socket.recv_fds(self._requests, _MAX_REQUEST_BYTES, 4)
        if not request:
            return False
        asked = json.loads(request)
        if "umask" in asked:
            self._branch(asked["umask"], descriptors[0])
            return True
        stdin, stdout, log, status = descriptors
        nursery = os.getpid()
        pid = os.fork()
        if not pid:
            self._become(asked, (stdin, stdout, log), nursery)
        os.close(stdout)
        os.close(log)
        self._children[pid] = (stdin, status)
        with contextlib.suppress(OSError):
            os.write(status, _NUMBER.pack(pid))
        return True

    def _branch(self, umask: int, requests: int) -> None:
        """Fork a nursery that takes other requests, and ends when nobody is left to make them."""
        if os.fork():
            os.close(requests)
            return
        try:
            os.setsid()
            os.umask(umask)
            signal.set_wakeup_fd(-1)
            _close_all_but(requests)
            _Nursery(socket.socket(fileno=requests), self._file_bytes).serve()
        finally:
            os._exit(0)

    def _become(self, request: dict[str, Any], streams: tuple[int, int, int], nursery: int) -> NoReturn:
        code = 1
        try:
            os.setsid()
            die_with(nursery)
            adopt_orphans()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for target, descriptor in enumerate(streams):
                os.dup2(descriptor, target)
            _close_all_but()
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"] | {FILE_BYTES: str(self._file_bytes)})
            sys.argv = [request["script"]]
            import runpy

            gc.freeze()
            gc.enable()
            runpy.run_path(request["script"], run_name="__main__")
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        for pid, ended in reaped():
            if pid not in self._children:
                # A branch, which nobody waits for.
                continue
            stdin, status = self._children.pop(pid)
            # What it started and left behind ends with it.
            kill_group(pid)
            with contextlib.suppress(OSError):
                os.write(status, _NUMBER.pack(os.waitstatus_to_exitcode(ended)))
            os.close(status)
            os.close(stdin)


def resident_file_bytes() -> int:
    """Return the memory of this process, in bytes, that holds pages of files, such as libraries."""
    with open("/proc/self/status", encoding="ascii") as file:
        # In kB, see proc(5).
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("RssFile:")), 0)


def _close_all_but(*kept: int) -> None:
    """Close what is not a standard stream: a descriptor held by chance keeps others from seeing it closed."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > _LAST_STREAM and int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))
