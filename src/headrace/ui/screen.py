"""The terminal or pipe that output goes to: its width, its signs, whether it can be drawn on."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from headrace.ui.clean_text import closed, visible
from headrace.ui.streams import Stream
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
        is_turned = self.is_terminal and self.encoding.startswith("utf")
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else visible(segment.text)
            yield segment if segment.control else Segment(closed(text) if is_turned else text, segment.style)

    def on_broken_pipe(self) -> None:
        """See rich, whose own way is to end the process."""
        self.quiet = True
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


def open_error_screen() -> Screen:
    """Return the screen of standard error, which never fails: where nothing can be said, the exit code must do."""
    return _screen(sys.stderr, "standard error", is_vital=False)


def open_screen(stream: TextIO | None = None, *, is_vital: bool = True) -> Screen:
    """Return the screen of a stream, standard output where none is given.

    `FORCE_COLOR`, which CI services set, brings colours and does not make a pipe drawable.

    Args:
        stream: The stream.
        is_vital: Whether it is an error that the stream cannot be written: a closed one, or one on a full disk. What
            is shown of a run is not vital: the run goes on.
    """
    return _screen(
        stream or sys.stdout, "standard output" if stream is None else "the output", is_vital=is_vital
    )


def _screen(stream: TextIO | None, name: str, *, is_vital: bool) -> Screen:
    symbols = fitting(getattr(stream, "encoding", None) or "utf-8")
    if isinstance(stream, io.TextIOWrapper):
        # Summaries may hold characters that the stream's encoding lacks: show '?' rather than fail.
        stream.reconfigure(errors="replace")
    is_terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    # A new console reads COLUMNS itself; a terminal's own width is asked for at each drawing.
    width = None if is_terminal or os.environ.get("COLUMNS") else _PIPE_COLUMNS
    console = VisibleConsole(
        file=cast("TextIO", Stream(stream, name, is_vital=is_vital)),
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    return Screen(console, symbols, is_terminal)
