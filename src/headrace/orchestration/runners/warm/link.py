"""A run's hold on its part of a warm server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from headrace.errors import SetupError
from headrace.orchestration.runners.warm import messages
from headrace.runtime.processes.process_groups import kill_marked

# A server answers within milliseconds, on a machine with much to do within a second, or hangs.
ANSWER_SECONDS = 3.0
_SECONDS_TO_END = 10.0


class WarmLink:
    """A warm server's part in this run; see `ServerLink`.

    Args:
        line: Where the server says what becomes of it; it ends with the last process of this run.
        control: Where that process is asked to fork.
        mark: Of what it starts.
        starting: The process that starts the server; `None` where it was there.

    Attributes:
        reason: Why the server did less than was asked of it; empty where it did all, or did not say.
    """

    def __init__(
        self, line: socket.socket, control: socket.socket, mark: str, starting: subprocess.Popen[bytes] | None
    ) -> None:
        self.control = control
        self.mark = mark
        self._line = line
        self._starting = starting
        self._answer: dict[str, Any] = {}
        self.reason = ""

    def wait(self) -> bool:
        """Wait for the server's answer; return whether it takes this run, and does not make room for another server.

        Raises:
            SetupError: If it refuses.
            OSError: If it does not answer in time.
        """
        message, _ = messages.receive(self._line, ANSWER_SECONDS)
        self._take(message)
        if not self._answer and not message.get("leaves"):
            raise SetupError(f"the warm server does not fit: {self.reason}")
        return bool(self._answer)

    def _take(self, message: Mapping[str, Any]) -> None:
        if "pid" in message:
            self._answer = dict(message)
        self.reason = str(message.get("refused") or message.get("loads_itself") or self.reason)

    @property
    def is_gone(self) -> bool:
        """Whether the process that stands for this run has ended."""
        try:
            return not self.control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def told(self) -> Mapping[str, Any]:
        """Return how it came to this run, which process it is, and how long it lived."""
        self._read_line(0.0)
        found: dict[str, Any] = {"reason": self.reason} if self.reason else {}
        if self._answer:
            found |= {"pid": self._answer["server"], "age_seconds": time.time() - self._answer["started"]}
        stays = self._answer.get("stays", True)
        return how("warm" if self._starting is None else "started" if stays else "own", **found)

    def _read_line(self, seconds: float) -> bool:
        """Take what was said; return whether it ended within some seconds."""
        deadline = time.monotonic() + seconds
        while True:
            self._line.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                if not self._line.recv(1, socket.MSG_PEEK):
                    return True
                self._take(messages.receive(self._line, ANSWER_SECONDS)[0])
            except TimeoutError:
                if time.monotonic() >= deadline:
                    return False
            except OSError:
                return True

    def kill(self) -> None:
        """Kill the process that stands for this run, and what it forked."""
        self._read_line(0.0)
        if self._answer:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._answer["pid"], signal.SIGKILL)
        self.control.close()
        kill_marked(self.mark)

    def leave(self) -> None:
        """Let this run's part end, which was never asked for anything; nobody waits for it."""
        self.control.close()
        self._line.close()

    def close(self) -> None:
        """Let this run's part end with all workers; kill what does not."""
        self.control.close()
        if not self._read_line(_SECONDS_TO_END):
            self.kill()
        if self._starting is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._starting.wait(timeout=_SECONDS_TO_END)
        self._line.close()


def how(kind: str, **more: Any) -> dict[str, Any]:
    """What a run records: `warm`, a server that was there; `started`, one that stays; `own`, and why."""
    return {"server": {"kind": kind, **more}}
