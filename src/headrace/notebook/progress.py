"""Progress of one step: in the cell of a notebook, on a terminal, or as lines."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from headrace.notebook import pages
from headrace.notebook.shell import current_shell, is_notebook
from headrace.orchestration.events import (
    Event,
    Listener,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from headrace.ui.board import Board
from headrace.ui.live import LiveDisplay
from headrace.ui.plain import PlainDisplay
from headrace.ui.screen import open_error_screen
from headrace.ui.symbols import WORDS

_SECONDS_BETWEEN_DRAWINGS = 0.25


@contextlib.contextmanager
def showing(node_id: str) -> Iterator[Listener]:
    """Show how the step of one node goes, where this process has its user's eyes; yield the listener."""
    if current_shell() is not None and is_notebook():
        with CellDisplay() as cell:
            yield _only(node_id, cell.listen)
        return
    screen = open_error_screen()
    title = f"{node_id}: planning"
    with LiveDisplay(screen, title) if screen.is_live else PlainDisplay(screen, title) as display:
        yield _only(node_id, display.listen)


def _only(node_id: str, listen: Callable[[Event], None]) -> Listener:
    """Leave out the nodes upstream, which only lend their outputs."""

    def heard(event: Event) -> None:
        if isinstance(event, RunStarted):
            listen(RunStarted(event.run_id, event.pipeline_name, (node_id,), ""))
        elif isinstance(event, RunFinished):
            listen(event)
        elif isinstance(event, NodeFinished):
            if event.result.node_id == node_id:
                listen(event)
        elif isinstance(event, (NodeStarted, NodeProgress)) and event.node_id == node_id:
            listen(event)

    return heard


class CellDisplay:
    """Draws the board into the output of the running cell, and leaves nothing behind.

    One thread draws, because events come from several and IPython sends what it is given at once.
    """

    def __init__(self) -> None:
        self._board = Board()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._handle: Any = None

    def listen(self, event: Event) -> None:
        """Take in one event."""
        self._board.apply(event)

    def __enter__(self) -> CellDisplay:
        from IPython.display import display

        self._handle = display(self._bundle(), raw=True, display_id=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        if self._handle is not None:
            self._handle.update({"text/html": "", "text/plain": ""}, raw=True)

    def _draw(self) -> None:
        shown: dict[str, str] = {}
        while not self._is_over.wait(_SECONDS_BETWEEN_DRAWINGS):
            bundle = self._bundle()
            if bundle != shown and self._handle is not None:
                self._handle.update(bundle, raw=True)
                shown = bundle

    def _bundle(self) -> dict[str, str]:
        lines = [f"{line.node_id} {WORDS[line.state]}: {line.text}" for line in self._board.lines()]
        return {"text/html": pages.progress_page(self._board), "text/plain": "\n".join(lines) or "planning"}
