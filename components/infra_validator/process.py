"""Starts the server process, talks to it with deadlines, and always ends it with its children."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from headrace.components.infra_validator import server
from headrace.files import open_file
from headrace.runtime import messages
from headrace.runtime.processes.fresh_processes import FreshProcess, FreshProcesses

_START_SECONDS = 120.0
_LOG_TAIL_CHARACTERS = 600
_MAX_REASON_CHARACTERS = 400


class ServerFailure(Exception):
    """The server did not do what it was asked.

    Args:
        reason: What happened, as the end of "the model ...".
        may_pass_later: Whether another try can end otherwise.
    """

    def __init__(self, reason: str, may_pass_later: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_pass_later = may_pass_later


class ServerProcess:
    """One fresh process with one model; a context manager that leaves nothing behind.

    Args:
        log_path: Where the process's own output goes.
        fresh_processes: Starts it.
    """

    def __init__(self, log_path: str, fresh_processes: FreshProcesses) -> None:
        self._fresh_processes = fresh_processes
        self._log_path = log_path
        self._process: FreshProcess | None = None

    @property
    def pid(self) -> int:
        """Process id, also its process group's."""
        return self._running.pid

    @property
    def _running(self) -> FreshProcess:
        if self._process is None:
            raise RuntimeError("the server is not started")
        return self._process

    def __enter__(self) -> ServerProcess:
        script = os.path.abspath(server.__file__)
        self._process = self._fresh_processes.start(script, self._log_path, _environment())
        try:
            self._receive(
                time.monotonic() + _START_SECONDS, f"did not get a server in {_START_SECONDS:.0f} s"
            )
        except BaseException:
            self._process.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.end()

    def load(self, path: str, tags: Sequence[str], timeout_seconds: float) -> dict[str, Any]:
        """Load the model; returns `seconds` and `memory_bytes`.

        Raises:
            ServerFailure: If it does not load, or not in time.
        """
        return self._ask(
            {"load": path, "tags": list(tags)},
            timeout_seconds,
            f"did not load within {timeout_seconds:g} s",
        )

    def request(self, signature: str, records: Sequence[bytes], timeout_seconds: float) -> dict[str, Any]:
        """Call a signature; returns `seconds`, `outputs` and `memory_bytes`.

        Raises:
            ServerFailure: If the call fails, or takes too long.
        """
        return self._ask(
            {"signature": signature, "records": [base64.b64encode(record).decode() for record in records]},
            timeout_seconds,
            f"did not answer '{signature}' within {timeout_seconds:g} s",
        )

    def _ask(self, message: dict[str, Any], timeout_seconds: float, late: str) -> dict[str, Any]:
        # A process that is gone is reported when its answer is read.
        with contextlib.suppress(BrokenPipeError):
            server.write_message(self._running.stdin, message)
        answer = self._receive(time.monotonic() + timeout_seconds, late)
        if "error" in answer:
            words = "failed to load" if "load" in message else f"failed on '{message['signature']}'"
            # The log has all of what TensorFlow says.
            reason = " ".join(messages.concise_text(answer["error"]).split())[:_MAX_REASON_CHARACTERS]
            raise ServerFailure(f"{words}: {answer['kind']}: {reason}", may_pass_later=False)
        return answer

    def _receive(self, deadline: float, late: str) -> dict[str, Any]:
        stream = self._running.stdout
        # The server writes a message at once, so only its start needs a deadline.
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise ServerFailure(late, may_pass_later=True)
        message = server.read_message(stream)
        if message is None:
            code = self._running.wait()
            raise ServerFailure(
                f"ended its process (exit code {code}): {self._log_tail()}", may_pass_later=True
            )
        return message

    def _log_tail(self) -> str:
        with open_file(self._log_path) as file:
            text = file.read().decode(errors="replace").strip()
        return " ".join(text[-_LOG_TAIL_CHARACTERS:].split()) or "it said nothing"


def _environment() -> dict[str, str]:
    """A server has no accelerator settings of the trainer, and need not say much."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    # This process was told to use Keras 2 by tensorflow_transform; a server knows no Keras.
    environment.pop("TF_USE_LEGACY_KERAS", None)
    return environment
