"""What the display looks like at given widths and encodings."""

from __future__ import annotations

import io
import os
import threading

import pytest
from rich.console import Console

from headrace.orchestration.events import (
    NodeFinished,
    NodeProgress,
    NodeResult,
    NodeStarted,
    NodeState,
    OutputRecord,
    RunResult,
    RunStarted,
)
from headrace.runtime.implementation import Implementation
from headrace.ui.board import Board
from headrace.ui.live import BoardPicture, LiveDisplay
from headrace.ui.plain import PlainDisplay
from headrace.ui.screen import Screen, open_screen
from headrace.ui.summary import print_summary
from headrace.ui.symbols import ASCII, UNICODE

_LONG = "computing statistics of a split with a name that does not fit on any screen of a usual width"


def _board(num_waiting=1):
    board = Board(clock=lambda: 10.0)
    names = ("CsvExampleGen", "Trainer", *(f"Later{i}" for i in range(num_waiting)))
    board.apply(RunStarted("2026-11-21-1", "taxi", names, "logs"))
    made = (OutputRecord("examples", "Examples", 1, "/e", "train 9,998 rows"),)
    board.apply(NodeFinished(NodeResult("CsvExampleGen", NodeState.DONE, 3.1, outputs=made)))
    board.apply(NodeStarted("Trainer"))
    board.apply(NodeProgress("Trainer", _LONG))
    return board


def _draw(board, width, symbols=UNICODE, height=24):
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    with console.capture() as captured:
        console.print(BoardPicture(board, symbols, "taxi: loading"))
    return captured.get().splitlines()


def test_the_board_at_80_columns():
    """One line per node; what does not fit is cut, never wrapped."""
    assert _draw(_board(), 80) == [
        "⠋ taxi 2026-11-21-1 · 1 of 3 nodes · 0.0 s",
        "  ✓  CsvExampleGen   3.1 s  train 9,998 rows",
        "  ⠋  Trainer         0.0 s  computing statistics of a split with a name that do…",
        "  ·  Later0                 waiting",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_screen(width):
    """Else the terminal would break it and the drawing would not come out even."""
    assert all(len(line) <= width for line in _draw(_board(), width))


def test_more_nodes_than_lines():
    """The rest is counted; the drawing leaves a line of the terminal free."""
    lines = _draw(_board(num_waiting=50), 80, height=10)

    assert len(lines) == 9
    assert lines[1] == "    and 45 waiting"


def test_a_terminal_without_unicode():
    """Signs of ASCII alone."""
    lines = _draw(_board(), 120, ASCII)

    assert lines[0].startswith(("|", "/", "-", "\\"))
    assert lines[1].startswith("  +  CsvExampleGen")
    assert all(line.isascii() for line in lines)


def test_before_the_plan_is_known():
    """Something is on the screen at once."""
    assert _draw(Board(clock=lambda: 0.0), 80) == ["⠋ taxi: loading · 0.0 s"]


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_the_live_display_leaves_nothing_behind(monkeypatch):
    """Its last act is to clear its lines, for the table to stand there."""
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    screen = open_screen(stream)
    assert screen.is_live

    with LiveDisplay(screen, "taxi: loading") as display:
        display.listen(RunStarted("r", "taxi", ("A",), ""))

    assert "taxi: loading" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K\x1b[?25h") or stream.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize(("term", "is_live"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_is_not_drawn_on(monkeypatch, term, is_live):
    """It knows no control sequences."""
    monkeypatch.setenv("TERM", term)

    assert open_screen(_Terminal()).is_live is is_live


def test_no_color_is_honoured(monkeypatch):
    """No colour, in any line."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = _Terminal()
    result = RunResult("r", "taxi", (NodeResult("A", NodeState.FAILED),), 1.0, "")

    print_summary(open_screen(stream), result)

    assert "\x1b[3" not in stream.getvalue()
    assert "\x1b[1;3" not in stream.getvalue()


def test_plain_lines_of_many_threads_stay_whole():
    """The engine calls from several threads."""
    stream = io.StringIO()
    display = PlainDisplay(Screen(Console(file=stream), UNICODE, False), "taxi: loading")

    def tell(name):
        for _ in range(50):
            display.listen(NodeStarted(name))

    with display:
        threads = [threading.Thread(target=tell, args=(f"Node{i}",)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = stream.getvalue().splitlines()
    assert len(lines) == 401
    assert all(line.endswith(": started") for line in lines[1:])


def _made(name, kind, summary, state=NodeState.DONE, log_path="log"):
    outputs = (OutputRecord("o", kind, 1, "/uri", summary),)
    return NodeResult(name, state, 1.0, outputs=outputs, log_path=log_path)


def test_verdicts_and_pushes_stand_below_the_table():
    """Refusals too; what the cache gave is marked as such."""
    stream = io.StringIO()
    screen = Screen(Console(file=stream, width=100), UNICODE, False)
    result = RunResult(
        "r",
        "taxi",
        (
            _made("Evaluator", "ModelBlessing", "NOT BLESSED: accuracy 0.5 < 0.6"),
            _made("InfraValidator", "InfraBlessing", "INFRA BLESSED: loads in 1 s", NodeState.CACHED),
            _made("Pusher", "PushedModel", ""),
            NodeResult("Late", NodeState.CANCELLED, reason="stopped by Ctrl-C"),
        ),
        3.0,
        "",
    )

    print_summary(screen, result, next_commands=["headrace runs"])

    assert stream.getvalue() == (
        "taxi r cancelled after 3.0 s: 2 ran, 1 cached, 1 cancelled\n"
        "\n"
        "   Node            State       Time  Made\n"
        "✓  Evaluator       ran        1.0 s  NOT BLESSED: accuracy 0.5 < 0.6\n"
        "≡  InfraValidator  cached            INFRA BLESSED: loads in 1 s\n"
        "✓  Pusher          ran        1.0 s  o\n"
        "■  Late            cancelled         stopped by Ctrl-C\n"
        "\n"
        "Verdict  Evaluator: NOT BLESSED: accuracy 0.5 < 0.6\n"
        "Verdict  InfraValidator (cached): INFRA BLESSED: loads in 1 s\n"
        "Model    pushed: /uri\n"
        "Next     headrace runs\n"
    )


def test_an_earlier_runs_blessing_is_no_verdict():
    """A resolver finds the latest blessed model: that says nothing of the model of this run."""
    stream = io.StringIO()
    screen = Screen(Console(file=stream, width=100), UNICODE, False)
    resolver = _made("LatestBlessedModel", "ModelBlessing", "BLESSED: accuracy 0.9 >= 0.6", log_path="")

    print_summary(screen, RunResult("r", "taxi", (resolver,), 3.0, ""), with_table=False)

    assert stream.getvalue() == "taxi r done in 3.0 s: 1 ran\n"


def test_a_reader_that_goes_away_stops_nothing():
    """As behind `| head`: what is left of the run goes on, unseen."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as nobody:
        screen = open_screen(nobody)
        with PlainDisplay(screen, "taxi: planning") as display:
            display.listen(NodeStarted("Trainer"))
        screen.console.print("done")
        assert screen.console.quiet


@pytest.mark.parametrize("is_plain", [True, False])
def test_what_nodes_say_does_not_command_the_terminal(is_plain):
    """A summary may hold what a file was called, or a value; an escape sequence in it does nothing."""
    made = (OutputRecord("schema", "Schema", 1, "/s", "columns \x1b]0;title\x07"),)
    node = NodeResult("SchemaGen", NodeState.DONE, 1.0, outputs=made)
    stream = io.StringIO()
    screen = open_screen(stream)

    if is_plain:
        PlainDisplay(screen, "t").listen(NodeFinished(node))
    else:
        print_summary(screen, RunResult("1", "p", (node,), 1.0, "/store"))

    assert "columns" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_nodes_that_ran_slower_than_they_could_are_told():
    """Below the table, also where the result is an earlier one's; not of a node that the run left out."""
    text = io.StringIO()
    screen = Screen(Console(file=text, width=200), UNICODE, False)
    ran = Implementation("stock", "force_tf_compat_v1 is on")
    states = {"A": NodeState.DONE, "B": NodeState.CACHED, "C": NodeState.NOT_SELECTED}
    results = tuple(NodeResult(name, state, implementation=ran) for name, state in states.items())

    print_summary(screen, RunResult("1", "demo", (*results, NodeResult("D", NodeState.DONE)), 1.0, ""))

    sentence = "ran TFX's own implementation: force_tf_compat_v1 is on; slower"
    told = [line for line in text.getvalue().splitlines() if "implementation" in line]
    assert told == [f"Slower   A: {sentence}", f"         B (cached): {sentence}"]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"kind": "warm", "pid": 7, "age_seconds": 125.0}, "Server   warm for 2 min 05 s"),
        ({"kind": "started", "pid": 7}, "Server   stays for the next run: headrace server"),
        ({"kind": "own", "reason": "/tmp/x is no folder"}, "Server   of this run alone: /tmp/x is no folder"),
        (
            {"kind": "warm", "age_seconds": 1.0, "reason": "a.py has the name of a library"},
            "Server   warm for 1.0 s; this run loaded libraries itself: a.py has the name of a library",
        ),
    ],
)
def test_the_server_that_nodes_came_from_is_told_in_a_line(told: dict[str, object], line: str):
    text = io.StringIO()
    screen = Screen(Console(file=text, width=200), UNICODE, False)
    print_summary(screen, RunResult("1", "demo", (), 1.0, "", details={"server": told}))
    assert text.getvalue().splitlines()[1:] == [line]


@pytest.mark.parametrize("parameters", [{}, {"server": "of another version"}])
def test_where_nothing_is_known_of_a_server_nothing_is_told(parameters: dict[str, object]):
    text = io.StringIO()
    screen = Screen(Console(file=text, width=200), UNICODE, False)
    print_summary(screen, RunResult("1", "demo", (), 1.0, "", details=parameters))
    assert len(text.getvalue().splitlines()) == 1
