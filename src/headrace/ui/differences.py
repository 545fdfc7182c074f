"""Why a node ran, and what changed, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from headrace.store.session import Difference, Explanation, FileChange
from headrace.ui.json_shapes import DifferenceData, ExplanationData, number_of
from headrace.ui.listings import implementation_data
from headrace.ui.screen import Screen
from headrace.ui.symbols import STYLES, WORDS

_TITLES = {
    "hit": "cached",
    "miss": "not cached",
    "first": "not cached",
    "off": "not cached",
    "unknown": "not cached",
}
_MAX_LINES = 80
_MAX_VALUE = 200
_NOTHING = "(nothing)"


def print_explanation(screen: Screen, explanation: Explanation) -> None:
    """Print why a node was cached, or what caused the miss."""
    state = explanation.state
    line = Text(f"{screen.symbols.states[state]} ", STYLES[state])
    line.append(f"{explanation.node_id} ", "bold").append(f"of run {explanation.run_id} ", "not bold")
    line.append(_TITLES.get(explanation.outcome, WORDS[state]), STYLES[state])
    line.append(f": {explanation.text}", "not bold default")
    screen.console.print(line, soft_wrap=not screen.is_live)
    if explanation.implementation.note:
        told = f"  {explanation.node_id} {explanation.implementation.note}."
        screen.console.print(Text(told, "yellow"), soft_wrap=not screen.is_live)
    print_differences(screen, explanation.differences)


def print_differences(
    screen: Screen, differences: Sequence[Difference], shown: set[FileChange] | None = None
) -> None:
    """Print what differs: parameters with both values, inputs with who made them, code with its lines.

    Args:
        screen: Where to.
        differences: What differs.
        shown: Files that were printed before and are only named now; those printed here are added.
    """
    indent = "  "
    shown = shown if shown is not None else set()
    for difference in differences:
        line = Text(f"{indent}{_heading(difference)}", "bold")
        if difference.note:
            line.append(f"  {difference.note}", "not bold")
        screen.console.print(line, soft_wrap=True)
        if difference.kind in ("code", "file"):
            _print_files(screen, difference.files, f"{indent}  ", shown)
        elif not _is_short(difference):
            _print_values(screen, difference, f"{indent}  ")


def _is_short(difference: Difference) -> bool:
    """Whether both values stand in the heading, as in `keras 3.4 -> 3.5`."""
    values = (difference.old, difference.new)
    return difference.kind == "version" and all(
        value is not None and len(str(value)) < 40 for value in values
    )


def _heading(difference: Difference) -> str:
    if _is_short(difference):
        return f"{difference.name} {difference.old} -> {difference.new}"
    if difference.kind == "version":
        return f"{difference.name} changed"
    words = {"parameter": "parameter", "code": "code of", "file": "files of", "input": "input"}
    return f"{words[difference.kind]} {difference.name} changed"


def _print_values(screen: Screen, difference: Difference, indent: str) -> None:
    for sign, style, value in (("-", "red", difference.old), ("+", "green", difference.new)):
        for text in _texts(value):
            screen.console.print(Text(f"{indent}{sign} {text}", style), soft_wrap=True)


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_input_text(item) for item in value] or [_NOTHING]
    text = _NOTHING if value is None else str(value)
    return [text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}... ({len(text):,} characters)"]


def _input_text(item: Any) -> str:
    """One input artifact; of a comparison of runs only the content's digest is known."""
    if not isinstance(item, dict):
        return f"content {str(item)[:12]}"
    made = f" by {item['node_id']}" if item["node_id"] else ""
    run = f" in run {item['run_id']}" if item["run_id"] else ""
    return f"artifact {item['artifact_id']}{made}{run}"


def _print_files(screen: Screen, files: Sequence[FileChange], indent: str, shown: set[FileChange]) -> None:
    for file in files:
        if not file.lines or file in shown:
            text = "as above" if file in shown else file.change
            text = "changed; its earlier text is not kept" if text == "changed" else text
            screen.console.print(Text(f"{indent}{file.name}: {text}"), soft_wrap=True)
            continue
        shown.add(file)
        # The first two lines of a unified diff name the file twice.
        screen.console.print(Text(f"{indent}{file.name}"), soft_wrap=True)
        lines = file.lines[2:]
        for line in lines[:_MAX_LINES]:
            screen.console.print(Text(f"{indent}  {line}", _diff_style(line)), soft_wrap=True)
        if len(lines) > _MAX_LINES:
            more = f"{len(lines) - _MAX_LINES} more lines; --json has them all"
            screen.console.print(Text(f"{indent}  {more}", "dim"), soft_wrap=True)


def _diff_style(line: str) -> str:
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")


def difference_data(difference: Difference) -> DifferenceData:
    """Return what differs as JSON-ready data."""
    return {
        "kind": difference.kind,
        "name": difference.name,
        "old": difference.old,
        "new": difference.new,
        "files": [
            {"name": file.name, "change": file.change, "lines": list(file.lines)} for file in difference.files
        ],
        "note": difference.note,
    }


def explanation_data(explanation: Explanation) -> ExplanationData:
    """Return an explanation as JSON-ready data."""
    return {
        "format": number_of(ExplanationData),
        "run_id": explanation.run_id,
        "node_id": explanation.node_id,
        "state": explanation.state.value,
        "outcome": explanation.outcome,
        "text": explanation.text,
        "compared_run": explanation.compared_run,
        "compared_execution": explanation.compared_execution,
        "differences": [difference_data(difference) for difference in explanation.differences],
        "implementation": implementation_data(explanation.implementation),
    }
