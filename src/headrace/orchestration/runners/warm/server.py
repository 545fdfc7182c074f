"""The server that stays for the next run: it holds installed libraries, and forks for each run what stands for it.

Started by `client.start` as a process of its own session, with one end of a socket pair on which the first run asks;
others find its socket, see `folder`. Below it are the lender, which has the libraries loaded, and a `RunServer` for each
run. It executes what its user's processes send: others cannot reach its socket, and are not heard.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from headrace.orchestration.runners.local import random_numbers, worker_server
from headrace.orchestration.runners.warm import folder, identity, messages
from headrace.orchestration.runners.warm.leaving import Facts, reason_to_leave
from headrace.orchestration.runners.warm.lender import Lender
from headrace.orchestration.runners.warm.load_record import LoadRecord
from headrace.orchestration.runners.warm.run_server import RunServer
from headrace.orchestration.runners.warm.surroundings import Surroundings
from headrace.runtime.processes import limits
from headrace.runtime.processes.process_groups import (
    adopt_orphans,
    die_with,
    is_stopped,
    kill_strays,
    reaped,
    wake_on_child_exit,
)

_IDLE_TICK_SECONDS = 5.0
# A run may wait for what the lender does not give.
_BUSY_TICK_SECONDS = 2.0
# A peer that says nothing keeps others waiting so long.
_PEER_SECONDS = 1.0
_WAKEUP_BYTES = 4096
_MAX_BYTES = 1 << 16
_REFUSED = "refused"


class WarmServer:
    """The server's main process, which loads nothing heavy and answers at once.

    Args:
        listener: Where runs find it; `None` where it serves the first one alone.
        first: The connection with the run that started it.
        installed: `identity.installed` of the run that started it.
        record: Of what its own loading depended on.
    """

    def __init__(
        self, listener: folder.Listener | None, first: socket.socket, installed: str, record: LoadRecord
    ) -> None:
        self._listener = listener
        self._first = first
        self._installed = installed
        self._record = record
        self._wakeup = wake_on_child_exit()
        self._started = self._last_used = time.time()
        self._idle_since = time.monotonic()
        self._most_idle_seconds = 0.0
        self._runs: set[int] = set()
        self._num_runs = 0
        self._num_loaded = 0
        self._fault = ""
        self._lender, self._lender_pid = self._fork_lender()

    def serve(self) -> NoReturn:
        """Serve until there is a reason to leave, and the last run has ended."""
        self._answer(self._first)
        while True:
            self._reap()
            if self._lender is not None and is_stopped(self._lender_pid):
                # Runs that wait for it load the libraries themselves once it is gone.
                os.kill(self._lender_pid, signal.SIGKILL)
            reason = reason_to_leave(self._facts()) if self._listener is not None else ""
            if reason:
                self._withdraw()
            if self._listener is None and not self._runs:
                # The lender sees the connection end.
                os._exit(0)
            watched: list[Any] = [self._wakeup, *([] if self._listener is None else [self._listener.socket])]
            watched += [] if self._lender is None else [self._lender]
            tick = _BUSY_TICK_SECONDS if self._runs else _IDLE_TICK_SECONDS
            readable, _, _ = select.select(watched, [], [], tick)
            if self._wakeup in readable:
                os.read(self._wakeup, _WAKEUP_BYTES)
            if self._lender in readable:
                self._hear_lender()
            if self._listener is not None and self._listener.socket in readable:
                with contextlib.suppress(OSError):
                    self._answer(self._listener.socket.accept()[0])

    def _facts(self) -> Facts:
        assert self._listener is not None
        return Facts(
            idle_seconds=time.monotonic() - self._idle_since,
            most_idle_seconds=self._most_idle_seconds,
            is_busy=bool(self._runs),
            available_bytes=limits.available_bytes(),
            memory_bytes=limits.memory_bytes(),
            is_socket_there=self._listener.is_there,
            is_same=os.path.isdir(sys.prefix) and identity.installed() == self._installed,
            fault=self._fault,
        )

    def _withdraw(self) -> None:
        if self._listener is not None:
            self._listener.remove()
            self._listener = None

    def _answer(self, peer: socket.socket) -> None:
        """Hear what somebody wants who has connected."""
        try:
            folder.peer(peer)
            message, descriptors = messages.receive(peer, _PEER_SECONDS)
            kind = message.get("kind")
            if kind == "run" and descriptors:
                self._start_run(peer, message, descriptors[0])
            elif kind in ("status", "stop"):
                messages.send(peer, self._status())
                if kind == "stop":
                    self._withdraw()
        except (OSError, TypeError, KeyError, ValueError):
            # What another version, or something else, says.
            pass
        finally:
            peer.close()

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "pids": [os.getpid(), self._lender_pid],
            "python": sys.executable,
            "prefix": sys.prefix,
            "started": self._started,
            "last_used": self._last_used,
            "num_runs": self._num_runs,
            "num_running": len(self._runs),
            "num_loaded": self._num_loaded,
            "most_idle_seconds": self._most_idle_seconds,
        }

    def _start_run(self, line: socket.socket, message: Mapping[str, Any], control: int) -> None:
        with socket.socket(fileno=control) as asking:
            surroundings = Surroundings(**message["surroundings"])
            misfit = self._misfit(surroundings)
            if misfit:
                messages.send(line, {_REFUSED: misfit, "leaves": bool(self._fault)})
                return
            self._most_idle_seconds = float(message["most_idle_seconds"])
            lender = self._connected_with_lender()
            pid = os.fork()
            if not pid:
                self._become_run(line, asking, lender, surroundings, message)
            if lender is not None:
                lender.close()
        self._runs.add(pid)
        self._num_runs += 1
        self._last_used = time.time()

    def _misfit(self, surroundings: Surroundings) -> str:
        fault = self._record.fault(surroundings.environment)
        self._fault = self._fault or fault
        return fault or self._record.hidden_library(surroundings.search_path)

    def _connected_with_lender(self) -> socket.socket | None:
        """Return a run's end of a connection with the lender; `None` where that is gone or takes no more."""
        if self._lender is None:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                socket.send_fds(self._lender, [b"r"], [theirs.fileno()], socket.MSG_DONTWAIT)
            except OSError:
                ours.close()
                return None
        return ours

    def _become_run(
        self,
        line: socket.socket,
        control: socket.socket,
        lender: socket.socket | None,
        surroundings: Surroundings,
        message: Mapping[str, Any],
    ) -> NoReturn:
        stays = self._listener is not None
        try:
            os.setsid()
            self._give_up()
            adopt_orphans()
            signal.set_wakeup_fd(-1)
            os.close(self._wakeup)
            set_variables = self._record.set_variables()
            self._record.stop()
            run = _pidfd(int(message["pid"]))
            surroundings.take_over(set_variables)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            random_numbers.seed_again()
            told = {"pid": os.getpid(), "server": os.getppid(), "started": self._started, "stays": stays}
            messages.send(line, told)
            RunServer(control, line, lender, message["modules"], message["surroundings"], run).serve()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def _give_up(self) -> None:
        """Close what is this process's, in one that it forked."""
        if self._listener is not None:
            self._listener.socket.close()
        if self._lender is not None:
            self._lender.close()

    def _fork_lender(self) -> tuple[socket.socket | None, int]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gc.freeze()
        server = os.getpid()
        pid = os.fork()
        if pid:
            theirs.close()
            return ours, pid
        try:
            # Where it is stopped it does not see the connection end.
            die_with(server)
            ours.close()
            self._first.close()
            if self._listener is not None:
                self._listener.socket.close()
            os.close(self._wakeup)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            adopt_orphans()
            self._record.go_on()
            Lender(theirs, self._record).serve()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def _hear_lender(self) -> None:
        assert self._lender is not None
        try:
            content = self._lender.recv(_MAX_BYTES)
        except OSError:
            content = b""
        if not content:
            self._lender.close()
            self._lender = None
            self._fault = self._fault or "the process with the libraries was killed"
            return
        message = json.loads(content)
        self._num_loaded = int(message.get("loaded", self._num_loaded))
        self._fault = self._fault or str(message.get("leave", ""))

    def _reap(self) -> None:
        for pid, _ in reaped():
            if pid in self._runs:
                self._runs.discard(pid)
                self._idle_since, self._last_used = time.monotonic(), time.time()
        kill_strays({*self._runs, self._lender_pid}, self._lender_pid)

    def stop(self, number: int, frame: object) -> None:
        """Leave, as a signal asks to; runs that go on do so without this process."""
        self._withdraw()
        os._exit(0)


def _pidfd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends; `None` where the kernel has none."""
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return None


def main(first: int, path: str, installed: str, record: LoadRecord, right: int) -> NoReturn:
    """Entry of the server's process.

    Args:
        first: Descriptor of a connection with the run that starts it.
        path: Of its socket.
        installed: What that run found installed.
        record: Begun before this module was imported.
        right: Descriptor of the right to start it, see `folder.right_to_start`; negative where there is none.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    worker_server.import_authoring()
    adopt_orphans()
    record.look()
    listener = None
    # Where it cannot be found it serves the run that started it.
    if not record.is_late and not record.project_module() and identity.installed() == installed:
        with contextlib.suppress(OSError):
            listener = folder.Listener(path)
    if right >= 0:
        folder.give_back_right(path, os.fdopen(right, "w"))
    os.set_inheritable(first, False)
    server = WarmServer(listener, socket.socket(fileno=first), installed, record)
    signal.signal(signal.SIGTERM, server.stop)
    server.serve()
