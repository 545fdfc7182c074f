"""The process of a warm server that has libraries loaded, and forks processes with them for runs.

It finds installed libraries only. What a run needs beside them, its own processes import. It answers between two
modules, and lends what it has by then: while it still loads, a run asks again for its next node.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any, NoReturn

from headrace.orchestration.runners.local import random_numbers
from headrace.orchestration.runners.local.library_loading import Loading
from headrace.orchestration.runners.local.worker_server import Server
from headrace.orchestration.runners.warm.load_record import LoadRecord
from headrace.orchestration.runners.warm.surroundings import Surroundings
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.process_groups import adopt_orphans, kill_strays, reaped, wake_on_child_exit

_MAX_BYTES = 1 << 10
_WAKEUP_BYTES = 4096


@dataclass
class _Borrower:
    """A run, once it has said what it needs."""

    surroundings: Surroundings
    modules: list[str]


class Lender:
    """Loads what runs need, and lends it.

    Args:
        server: Where the warm server hands runs over, and is told what was loaded.
        record: Of what the loading depends on.
    """

    def __init__(self, server: socket.socket, record: LoadRecord) -> None:
        self._server = server
        self._record = record
        self._loading = Loading(())
        self._borrowers: dict[socket.socket, _Borrower | None] = {}
        self._lent: set[int] = set()
        self._wakeup = wake_on_child_exit()
        self._fault = ""

    def serve(self) -> NoReturn:
        """Load and lend until the warm server is gone."""
        while True:
            self._reap()
            is_loading = self._loading.is_due
            watched: list[Any] = [self._wakeup, self._server, *self._borrowers]
            readable, _, _ = select.select(watched, [], [], 0.0 if is_loading else None)
            if self._wakeup in readable:
                os.read(self._wakeup, _WAKEUP_BYTES)
            if self._server in readable:
                self._take_run()
            for one in [one for one in self._borrowers if one in readable]:
                self._hear(one)
            if not readable and is_loading:
                self._load_next()

    def _take_run(self) -> None:
        content, descriptors, _, _ = socket.recv_fds(self._server, 1, 1)
        if not content:
            # What was lent goes on without this process.
            os._exit(0)
        self._borrowers[socket.socket(fileno=descriptors[0])] = None

    def _hear(self, run: socket.socket) -> None:
        try:
            content, descriptors, _, _ = socket.recv_fds(run, _MAX_BYTES, 1)
        except OSError:
            content, descriptors = b"", []
        if not content:
            del self._borrowers[run]
            run.close()
            return
        borrower = self._borrowers[run]
        if borrower is not None:
            self._lend(run, borrower)
            return
        with os.fdopen(descriptors[0], "rb") as file:
            file.seek(0)
            asked = json.load(file)
        borrower = _Borrower(Surroundings(**asked["surroundings"]), asked["modules"])
        self._borrowers[run] = borrower
        if self._fault:
            self._answer(run, {"refused": f"its libraries do not fit: {self._fault}"})
            return
        self._loading.add(borrower.modules)
        if not self._loading.is_pending:
            # A fork of so much memory takes a moment, which nobody waits for yet.
            self._lend(run, borrower)

    def _lend(self, run: socket.socket, borrower: _Borrower) -> None:
        self._loading.has_answered = True
        misfit = self._misfit(borrower)
        if misfit:
            self._answer(run, {"refused": misfit})
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pid = os.fork()
        if not pid:
            ours.close()
            self._become_lent(theirs, borrower)
        theirs.close()
        self._lent.add(pid)
        self._answer(run, {"is_whole": not self._loading.is_pending}, [ours.fileno()])
        ours.close()

    def _misfit(self, borrower: _Borrower) -> str:
        """Why what is loaded is not what this run would load; empty where it is."""
        fault = self._record.fault(borrower.surroundings.environment)
        if fault:
            self._fault = fault
            self._tell({"leave": fault})
        misfit = fault or self._record.hidden_library(borrower.surroundings.search_path)
        return f"its libraries do not fit: {misfit}" if misfit else ""

    def _answer(
        self, run: socket.socket, answer: dict[str, Any], descriptors: list[int] | None = None
    ) -> None:
        # Where the run is gone, what was forked for it sees its own connection end.
        with contextlib.suppress(OSError):
            socket.send_fds(run, [json.dumps(answer).encode()], descriptors or [])

    def _become_lent(self, control: socket.socket, borrower: _Borrower) -> NoReturn:
        try:
            os.setsid()
            set_variables = self._record.set_variables()
            self._record.stop()
            self._server.close()
            for other in self._borrowers:
                other.close()
            adopt_orphans()
            signal.set_wakeup_fd(-1)
            os.close(self._wakeup)
            borrower.surroundings.take_over(set_variables)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            random_numbers.seed_again()
            rest = (
                []
                if self._loading.is_pending
                else [one for one in borrower.modules if one not in sys.modules]
            )
            Server(control, loading=Loading(rest, self._branch(borrower.surroundings.umask))).serve()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def _branch(self, umask: int) -> FreshProcesses:
        shared = self._loading.fresh_processes
        branch = shared.branch(umask)
        shared.close()
        return branch

    def _load_next(self) -> None:
        self._loading.load_next()
        self._record.look()
        loaded = self._record.project_module()
        if loaded:
            self._fault = self._fault or f"{loaded}, which installed libraries load, may be edited"
        if self._record.is_late:
            self._fault = self._fault or "files changed while they were loaded"
        self._tell({"leave": self._fault} if self._fault else {"loaded": self._loading.num_loaded})

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._server.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)

    def _reap(self) -> None:
        for pid, _ in reaped():
            self._lent.discard(pid)
        nursery = self._loading.fresh_processes.nursery_pid
        kill_strays({*self._lent, nursery}, nursery)
