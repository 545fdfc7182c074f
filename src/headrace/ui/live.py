"""A run on a terminal: one line per node, drawn in place."""

from __future__ import annotations

from collections import Counter
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from headrace.orchestration.events import Event, NodeState
from headrace.ui.board import ENDED, Board, NodeLine, select
from headrace.ui.screen import Screen
from headrace.ui.symbols import STYLES, WORDS, Symbols
from headrace.ui.units import format_seconds, plural

_DRAWINGS_PER_SECOND = 10
# Longer ids are cut so that what a node does keeps most of the line.
_MAX_NAME_COLUMNS = 34
_TIME_COLUMNS = 8


class LiveDisplay:
    """Draws the board until the run ends, then leaves the place to the final table.

    Args:
        screen: A screen that can be drawn on.
        title: What the first line says until the run is known.

    Use as a context manager around the run; `listen` is the engine's listener.
    """

    def __init__(self, screen: Screen, title: str) -> None:
        self._board = Board()
        self._live = Live(
            BoardPicture(self._board, screen.symbols, title),
            console=screen.console,
            refresh_per_second=_DRAWINGS_PER_SECOND,
            transient=True,
            vertical_overflow="crop",
        )

    def listen(self, event: Event) -> None:
        """Take in one event; the drawing thread shows it within a tenth of a second."""
        self._board.apply(event)

    def __enter__(self) -> LiveDisplay:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()


class BoardPicture:
    """The board as Rich draws it, made anew at each drawing for the terminal's size at that moment."""

    def __init__(self, board: Board, symbols: Symbols, title: str) -> None:
        self._board = board
        self._symbols = symbols
        self._title = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now = self._board.clock()
        lines = self._board.lines()
        spinner = self._symbols.spinner[int(now * _DRAWINGS_PER_SECOND) % len(self._symbols.spinner)]
        if not lines:
            yield _title_line(spinner, self._title, format_seconds(now - self._board.started), self._symbols)
            return
        # Title, note on what is left out, and one line so that the terminal never scrolls.
        shown, num_hidden = select(lines, max(1, (options.height or console.height) - 3))
        name = f"{self._board.pipeline_name} {self._board.run_id}"
        yield _title_line(spinner, name, self._counts(lines, now), self._symbols)
        if num_hidden:
            yield _hidden_line(lines, shown)
        name_columns = min(_MAX_NAME_COLUMNS, max(len(line.node_id) for line in lines))
        for line in shown:
            yield self._line(line, name_columns, now, spinner)

    def _counts(self, lines: list[NodeLine], now: float) -> str:
        num_ended = sum(line.state in ENDED for line in lines)
        return (
            f"{num_ended} of {plural(len(lines), 'node')} {self._symbols.separator} "
            f"{format_seconds(now - self._board.started)}"
        )

    def _line(self, line: NodeLine, name_columns: int, now: float, spinner: str) -> Text:
        style = STYLES[line.state]
        sign = spinner if line.state is NodeState.RUNNING else self._symbols.states[line.state]
        is_aside = line.state in (NodeState.WAITING, NodeState.SKIPPED, NodeState.NOT_SELECTED)
        name = Text(line.node_id, "dim" if is_aside else "")
        name.truncate(name_columns, overflow="ellipsis", pad=True)
        elapsed = line.elapsed(now)
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"  {sign}  ", style).append(name)
        text.append(f"{format_seconds(elapsed) if elapsed is not None else '':>{_TIME_COLUMNS}}  ", "dim")
        return text.append(_said(line), "" if line.state is NodeState.RUNNING else style)


def _said(line: NodeLine) -> str:
    word = WORDS[line.state]
    if line.state in (NodeState.RUNNING, NodeState.DONE, NodeState.FAILED):
        return line.text
    return f"{word}: {line.text}" if line.text else word


def _title_line(spinner: str, name: str, rest: str, symbols: Symbols) -> Text:
    title = Text(no_wrap=True, overflow="ellipsis")
    title.append(f"{spinner} ", "cyan").append(name, "bold").append(f" {symbols.separator} {rest}", "dim")
    return title


def _hidden_line(lines: list[NodeLine], shown: list[NodeLine]) -> Text:
    counts = Counter(line.state for line in lines)
    counts.subtract(line.state for line in shown)
    parts = [f"{count} {WORDS[state]}" for state, count in counts.items() if count > 0]
    return Text(f"    and {', '.join(parts)}", "dim", no_wrap=True, overflow="ellipsis")
