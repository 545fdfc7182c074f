"""What a worker process says over its connection while it does a task."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.errors import HeadraceError
from headrace.orchestration.runners.tasks import Done


@dataclass(frozen=True)
class Started:
    """The worker process exists; it leads a process group of its own. 0 where it is about to be forked."""

    pid: int


@dataclass(frozen=True)
class Progress:
    """The executor says what it does."""

    doing: str
    rows: int | None


@dataclass(frozen=True)
class Failed:
    """The call raised.

    Attributes:
        error: What to show; `problem` starts with the user's own line where one took part.
        traceback_text: The whole traceback, for the log.
    """

    error: HeadraceError
    traceback_text: str


@dataclass(frozen=True)
class Exited:
    """The server saw the worker process end. Negative: killed by that signal."""

    exit_code: int


@dataclass(frozen=True)
class ServerLost:
    """The server went away while the worker ran; nobody sends this, its silence says so."""


Message = Started | Progress | Done | Failed | Exited | ServerLost
