"""The process that stands for one run in a warm server: all that the run's own server would be, and forked in its place.

It forks the run's workers, and ends with the run. Processes with the libraries loaded it borrows from the lender (see
`lender`); where that is gone, or has loaded what does not fit this run, it loads the libraries itself. So whatever ends
the server or the lender, this process, and those that it borrowed, go on.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from multiprocessing import connection
from typing import Any, NoReturn

from headrace.orchestration.runners.local.worker_server import Server, pass_on
from headrace.orchestration.runners.tasks import Address
from headrace.orchestration.runners.warm import messages

ASK = b"ask"
_MAX_ANSWER_BYTES = 1 << 16
_SECONDS_TO_END = 5.0


class RunServer(Server):
    """A server of one run.

    Args:
        control: Where the run asks.
        line: Where the run is told what becomes of this process; open as long as it lives.
        lender: Where processes with the libraries are asked for; `None` where nobody lends any.
        modules: The libraries that the run's nodes need.
        surroundings: What the lender is to give to these processes.
        run: A descriptor that becomes readable when the run's process ends; `None` where there is none.
    """

    def __init__(
        self,
        control: socket.socket,
        line: socket.socket,
        lender: socket.socket | None,
        modules: Sequence[str],
        surroundings: Mapping[str, Any],
        run: int | None,
    ) -> None:
        super().__init__(control, modules)
        self._line = line
        self._lender = lender
        self._surroundings = surroundings
        self._run_process = run
        self._waiting: list[tuple[Address, connection.Connection]] = []
        self._lent: list[socket.socket] = []
        # That which has all libraries; others were lent while the lender was still loading.
        self._whole: socket.socket | None = None
        self._by_code: dict[bytes, socket.socket] = {}

    def _prepare(self) -> None:
        if self._lender is None or not self._modules:
            super()._prepare()
            return
        asked = {"surroundings": self._surroundings, "modules": list(self._modules)}
        try:
            # An environment may be larger than what such a socket takes at once.
            with os.fdopen(os.memfd_create("headrace"), "wb") as file:
                file.write(json.dumps(asked).encode())
                file.flush()
                socket.send_fds(self._lender, [ASK], [file.fileno()])
        except OSError as error:
            self._do_without_lender(f"the libraries' process does not answer: {error}")

    def _others(self) -> list[Any]:
        found: list[Any] = [*self._lent, *([] if self._lender is None else [self._lender])]
        return found if self._run_process is None else [*found, self._run_process]

    def _hear(self, other: Any) -> None:
        if other is self._lender:
            self._take_lent()
        elif other in self._lent:
            # It says nothing: it has ended.
            self._forget(other)
        elif other == self._run_process:
            self._is_left, self._run_process = True, None

    def _take_with_libraries(self, address: Address, channel: connection.Connection) -> None:
        known = self._by_code.get(address.code) or self._whole
        if known is not None:
            pass_on(known, address, channel)
        elif self._lender is None:
            super()._take_with_libraries(address, channel)
        else:
            self._waiting.append((address, channel))
            try:
                self._lender.send(ASK)
            except OSError:
                self._do_without_lender("the libraries' process is gone")

    def _take_lent(self) -> None:
        """Receive a process with libraries, or hear that there will be none."""
        assert self._lender is not None
        try:
            content, descriptors, _, _ = socket.recv_fds(self._lender, _MAX_ANSWER_BYTES, 1)
        except OSError:
            content, descriptors = b"", []
        answer = json.loads(content) if content else {"refused": "the libraries' process is gone"}
        if not descriptors:
            self._do_without_lender(str(answer.get("refused", "the libraries' process gave none")))
            return
        lent = socket.socket(fileno=descriptors[0])
        self._lent.append(lent)
        if answer["is_whole"]:
            self._whole = lent
        for address, channel in self._taken_waiting():
            if address.code:
                self._by_code[address.code] = lent
            pass_on(lent, address, channel)

    def _do_without_lender(self, reason: str) -> None:
        """Load the libraries here from now on, and tell the run why."""
        if self._lender is not None:
            self._lender.close()
            self._lender = None
        with contextlib.suppress(OSError):
            messages.send(self._line, {"loads_itself": reason})
        if self._whole is None:
            super()._prepare()
        for address, channel in self._taken_waiting():
            self._take_with_libraries(address, channel)

    def _taken_waiting(self) -> list[tuple[Address, connection.Connection]]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _forget(self, lent: socket.socket) -> None:
        self._lent.remove(lent)
        self._by_code = {code: one for code, one in self._by_code.items() if one is not lent}
        if self._whole is lent:
            self._whole = None
        lent.close()

    def _become_forked(self, server: int) -> None:
        super()._become_forked(server)
        self._line.close()
        for other in [*self._lent, *([] if self._lender is None else [self._lender])]:
            other.close()
        for _, channel in self._waiting:
            channel.close()
        if self._run_process is not None:
            os.close(self._run_process)

    def _end(self) -> NoReturn:
        """End what was borrowed first: the run waits for this process's end alone."""
        for lent in self._lent:
            with contextlib.suppress(OSError):
                lent.shutdown(socket.SHUT_WR)
        for lent in self._lent:
            with contextlib.suppress(OSError):
                lent.settimeout(_SECONDS_TO_END)
                lent.recv(1)
        super()._end()
