"""The signs of the display, and what stands in for them where a terminal cannot show Unicode."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.orchestration.events import NodeState


@dataclass(frozen=True)
class Symbols:
    """One set of signs.

    Attributes:
        states: One character for each state of a node; `RUNNING` is drawn with `spinner` where it can move.
        spinner: The pictures of a moving sign, in order.
        separator: Stands between two facts on one line.
        ellipsis: Stands for text that was cut.
        good, warning, bad: Outcomes of a check.
    """

    states: dict[NodeState, str]
    spinner: str
    separator: str
    ellipsis: str
    good: str
    warning: str
    bad: str


UNICODE = Symbols(
    states={
        NodeState.WAITING: "·",
        NodeState.RUNNING: "▸",
        NodeState.DONE: "✓",
        NodeState.CACHED: "≡",
        NodeState.FAILED: "✗",
        NodeState.SKIPPED: "○",
        NodeState.CANCELLED: "■",
        NodeState.NOT_SELECTED: "–",
    },
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    separator="·",
    ellipsis="…",
    good="✓",
    warning="!",
    bad="✗",
)

ASCII = Symbols(
    states={
        NodeState.WAITING: ".",
        NodeState.RUNNING: ">",
        NodeState.DONE: "+",
        NodeState.CACHED: "=",
        NodeState.FAILED: "x",
        NodeState.SKIPPED: "o",
        NodeState.CANCELLED: "#",
        NodeState.NOT_SELECTED: "-",
    },
    spinner="|/-\\",
    separator="-",
    ellipsis="...",
    good="+",
    warning="!",
    bad="x",
)

STYLES = {
    NodeState.WAITING: "dim",
    NodeState.RUNNING: "cyan",
    NodeState.DONE: "green",
    NodeState.CACHED: "blue",
    NodeState.FAILED: "bold red",
    NodeState.SKIPPED: "dim",
    NodeState.CANCELLED: "yellow",
    NodeState.NOT_SELECTED: "dim",
}

WORDS = {
    NodeState.WAITING: "waiting",
    NodeState.RUNNING: "running",
    NodeState.DONE: "ran",
    NodeState.CACHED: "cached",
    NodeState.FAILED: "failed",
    NodeState.SKIPPED: "skipped",
    NodeState.CANCELLED: "cancelled",
    NodeState.NOT_SELECTED: "not selected",
}


def fitting(encoding: str) -> Symbols:
    """Return the signs that a stream of this encoding can show."""
    return UNICODE if encoding.lower().replace("-", "").startswith("utf") else ASCII
