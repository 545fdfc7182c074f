"""Where nodes are executed: all that a run knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from headrace.orchestration.runners.tasks import Done, Task


class Cancelled(Exception):
    """The task was stopped because the run was."""


class TimedOut(Exception):
    """The task was stopped because its time was over."""


class NodeRunner(Protocol):
    """Executes tasks, several at once where several threads ask."""

    def expect(self) -> None:
        """Have ready in the background what costs next to nothing: whether there will be a task is not known yet."""
        ...

    def start(self) -> None:
        """Get ready in the background, where that takes time; a task does so too."""
        ...

    def run(
        self,
        task: Task,
        log_path: str,
        on_progress: Callable[[str, int | None], None],
        is_cancelled: Callable[[], bool],
        timeout_seconds: float = 0.0,
    ) -> Done:
        """Do one task and wait for it.

        Args:
            task: What to call.
            log_path: The file that gets what it prints; it is appended to.
            on_progress: Receives what the executor does, and the rows of it where it counts any.
            is_cancelled: Whether to stop.
            timeout_seconds: So long after it began it is stopped too; 0 means never.

        Raises:
            HeadraceError: What the task raised, or how its process died.
            Cancelled: If `is_cancelled` said so.
            TimedOut: If the time was over.
        """
        ...

    def told(self) -> Mapping[str, Any]:
        """Return what to record of where tasks are done, as JSON; nothing where there is nothing to say."""
        ...

    def close(self) -> None:
        """Stop what still runs, and let go of what was held ready."""
        ...
