"""The terminal or pipe that output goes to: its width, its signs, whether it can be drawn on."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from headrace.ui.clean_text import visible
from headrace.ui.symbols import Symbols, fitting

# A pipe has no width. CI logs show lines of this length without a scroll bar.
_PIPE_COLUMNS = 120


@dataclass(frozen=True)
class Screen:
    """Where output goes.

    Attributes:
        console: Rich's console on the stream; colours only on a terminal, none where `NO_COLOR` is set.
        symbols: Signs that the stream's encoding has.
        is_live: Whether lines can be drawn over: a terminal that knows control sequences.
    """

    console: Console
    symbols: Symbols
    is_live: bool


class VisibleConsole(Console):
    """Leaves out control characters that data bring, such as those that begin the clearing of a screen.

    It falls silent where nobody reads any more, as behind `| head`: the run goes on.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See rich: all that is written comes through here; its own control sequences are marked."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """See rich, whose own way is to end the process."""
        self.quiet = True
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


def open_screen(stream: TextIO | None = None) -> Screen:
    """Return the screen of a stream, standard output where none is given.

    `FORCE_COLOR`, which CI services set, brings colours and does not make a pipe drawable.
    """
    stream = stream or sys.stdout
    symbols = fitting(getattr(stream, "encoding", None) or "utf-8")
    if isinstance(stream, io.TextIOWrapper):
        # Summaries may hold characters that the stream's encoding lacks: show '?' rather than fail.
        stream.reconfigure(errors="replace")
    is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    # A new console reads COLUMNS itself; a terminal's own width is asked for at each drawing.
    width = None if is_terminal or os.environ.get("COLUMNS") else _PIPE_COLUMNS
    console = VisibleConsole(
        file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
    )
    return Screen(console, symbols, is_terminal)
