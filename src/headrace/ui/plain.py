"""A run in a pipe or a CI log: one line per change of state, no control characters."""

from __future__ import annotations

import threading
from types import TracebackType

from headrace.orchestration.events import Event, NodeFinished, NodeStarted, NodeState, RunStarted
from headrace.ui.board import Board, describe
from headrace.ui.clean_text import visible
from headrace.ui.screen import Screen
from headrace.ui.symbols import WORDS
from headrace.ui.units import format_seconds, plural


class PlainDisplay:
    """Prints a line when the run starts, when a node starts, and when it ends.

    Args:
        screen: Where the lines go.
        title: The first line, printed at once.
    """

    def __init__(self, screen: Screen, title: str) -> None:
        self._screen = screen
        self._title = title
        self._board = Board()
        self._lock = threading.Lock()

    def listen(self, event: Event) -> None:
        """Print the event's line, if it changes a state."""
        self._board.apply(event)
        text = _line(event)
        if text:
            self._print(text)

    def _print(self, text: str) -> None:
        elapsed = format_seconds(self._board.clock() - self._board.started)
        with self._lock:
            # No rich here: a log's line is as long as it is, and may be read while it grows.
            try:
                self._screen.console.file.write(f"{elapsed:>9}  {visible(text)}\n")
                self._screen.console.file.flush()
            except BrokenPipeError:
                self._screen.console.on_broken_pipe()

    def __enter__(self) -> PlainDisplay:
        self._print(self._title)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing to clean up: every line was written when it was made."""


class QuietDisplay:
    """Shows nothing while the run goes on."""

    def listen(self, event: Event) -> None:
        """Take no notice."""

    def __enter__(self) -> QuietDisplay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing to clean up."""


def _line(event: Event) -> str:
    if isinstance(event, RunStarted):
        log = f", log {event.log_path}" if event.log_path else ""
        return f"{event.pipeline_name} {event.run_id}: {plural(len(event.node_ids), 'node')}{log}"
    if isinstance(event, NodeStarted):
        return f"{event.node_id}: started"
    if not isinstance(event, NodeFinished):
        return ""
    node = event.result
    word = "done" if node.state is NodeState.DONE else WORDS[node.state]
    if node.state is NodeState.FAILED:
        word = f"failed after {format_seconds(node.seconds)}"
    elif node.state is NodeState.DONE:
        word = f"done in {format_seconds(node.seconds)}"
    text = " ".join(describe(node).split())
    if node.state is NodeState.FAILED and text.startswith(f"{node.node_id} failed"):
        # It says so itself, with the time that the executor took.
        return text
    return f"{node.node_id}: {word}: {text}" if text else f"{node.node_id}: {word}"
