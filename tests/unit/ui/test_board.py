"""The state behind the display."""

from __future__ import annotations

import pytest

from headrace.errors import TrainingError
from headrace.orchestration.events import (
    NodeFinished,
    NodeProgress,
    NodeResult,
    NodeStarted,
    NodeState,
    OutputRecord,
    RunStarted,
)
from headrace.ui.board import Board, NodeLine, describe, made, select


def test_a_node_from_waiting_to_done():
    """Each event moves its line on."""
    now = [100.0]
    board = Board(clock=lambda: now[0])
    board.apply(RunStarted("r1", "taxi", ("A", "B"), "logs"))
    board.apply(NodeStarted("A"))
    now[0] = 102.0
    board.apply(NodeProgress("A", "reading", 12000))

    running, waiting = board.lines()

    assert (running.state, running.elapsed(now[0]), running.text) == (
        NodeState.RUNNING,
        2.0,
        "reading, 12,000 rows",
    )
    assert (waiting.state, waiting.elapsed(now[0])) == (NodeState.WAITING, None)

    board.apply(NodeFinished(NodeResult("A", NodeState.DONE, 2.5)))
    assert board.lines()[0].elapsed(200.0) == 2.5


def _output(key, summary=""):
    return OutputRecord(key, "Model", 1, "/uri", summary)


@pytest.mark.parametrize(
    ("outputs", "lines"),
    [
        ((), []),
        ((_output("model"), _output("model_run")), ["model, model_run"]),
        ((_output("model", "good"), _output("model_run")), ["good"]),
        ((_output("a", "x"), _output("b", "y")), ["a: x", "b: y"]),
    ],
)
def test_what_was_made(outputs, lines):
    """Summaries; keys where there is none."""
    assert made(NodeResult("A", NodeState.DONE, outputs=outputs)) == lines


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (
            NodeResult("A", NodeState.FAILED, error=TrainingError("A: NaN loss.\n  at 7", "fix")),
            "A: NaN loss.",
        ),
        (NodeResult("A", NodeState.FAILED), "no reason was recorded; see its log"),
        (NodeResult("A", NodeState.SKIPPED, reason="B failed"), "B failed"),
        (NodeResult("A", NodeState.CACHED, reason="same", outputs=(_output("m", "5 rows"),)), "5 rows"),
    ],
)
def test_how_a_node_ended_in_one_line(node, text):
    """The first line of an error, the reason of a skip."""
    assert describe(node) == text


def _lines(states):
    by_letter = {"d": NodeState.DONE, "r": NodeState.RUNNING, "f": NodeState.FAILED, "w": NodeState.WAITING}
    return [NodeLine(f"{i}", by_letter[letter]) for i, letter in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "room", "shown", "num_hidden"),
    [
        ("ddrw", 4, "0123", 0),
        ("ddddrwwww", 5, "23456", 4),
        ("fdddddrww", 4, "0567", 5),
        ("ddddd", 2, "34", 3),
        ("rrrr", 2, "01", 2),
    ],
)
def test_what_is_shown_where_not_all_fits(states, room, shown, num_hidden):
    """Running and failed first, then the last that ended and the next to start in turn."""
    chosen, hidden = select(_lines(states), room)

    assert ("".join(line.node_id for line in chosen), hidden) == (shown, num_hidden)
