"""Two runs beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from headrace.store.results import NodeState
from headrace.store.session import FileChange, NodeComparison, PayloadPair, RunComparison
from headrace.ui.differences import difference_data, print_differences
from headrace.ui.json_shapes import (
    NodeComparisonData,
    NumberChangeData,
    PayloadPairData,
    RunDifferenceData,
    number_of,
)
from headrace.ui.listings import plain_table
from headrace.ui.screen import Screen
from headrace.ui.summary import print_table
from headrace.ui.symbols import STYLES, WORDS
from headrace.ui.units import format_count, format_seconds

_MAX_ROWS = 40


@dataclass(frozen=True)
class NumberChange:
    """A number of each run.

    Attributes:
        where: Node and output, such as `"StatisticsGen.statistics"`.
        part: Split or slice.
        name: Feature and measure, or metric.
        old, new: The numbers; `None` where there is none.
    """

    where: str
    part: str
    name: str
    old: float | None
    new: float | None


@dataclass(frozen=True)
class RunDifference:
    """A comparison with the numbers read from the payloads, and what could not be read."""

    runs: RunComparison
    statistics: tuple[NumberChange, ...]
    metrics: tuple[NumberChange, ...]
    verdicts: tuple[tuple[str, str, str], ...]
    unread: tuple[str, ...]


def print_difference(screen: Screen, difference: RunDifference, verbose: bool) -> None:
    """Print what differs between two runs, part by part; a part without differences is left out."""
    runs = difference.runs
    old, new = runs.old.run_id, runs.new.run_id
    _print_title(screen, "Nodes")
    print_table(screen, _node_table(screen, runs))
    if runs.settings:
        _print_title(screen, "Started with")
        table = plain_table("", old, new)
        for change in runs.settings:
            table.add_row(Text(change.name, "dim"), _shown(change.old), _shown(change.new))
        print_table(screen, table)
    changed = [node for node in runs.nodes if node.differences]
    if changed:
        _print_title(screen, "Parameters, code and inputs")
        shown: set[FileChange] = set()
        for node in changed:
            screen.console.print(Text(node.node_id, "bold cyan"))
            print_differences(screen, node.differences, shown)
    _print_numbers(screen, "Data", ("Split", "Feature"), difference.statistics, (old, new), verbose)
    _print_numbers(screen, "Metrics", ("Slice", "Metric"), difference.metrics, (old, new), verbose)
    if difference.verdicts:
        _print_title(screen, "Verdict")
        table = plain_table("", old, new)
        for row in difference.verdicts:
            table.add_row(*row)
        print_table(screen, table)
    for text in difference.unread:
        screen.console.print(Text(text, "yellow"), soft_wrap=True)


def is_empty(difference: RunDifference) -> bool:
    """Whether the two runs computed the same."""
    nodes = difference.runs.nodes
    is_same = all(node.is_equal is not False and not node.differences for node in nodes)
    return is_same and not difference.runs.payloads and all(n.old_state and n.new_state for n in nodes)


def _print_title(screen: Screen, title: str) -> None:
    screen.console.print()
    screen.console.print(Text(title, "bold"))


def _node_table(screen: Screen, runs: RunComparison) -> Table:
    table = plain_table("", runs.old.run_id, "", runs.new.run_id, "", "Outputs")
    table.columns[2].justify = table.columns[4].justify = "right"
    for node in runs.nodes:
        outputs = {True: Text("equal", "dim"), False: Text("differ", "yellow"), None: Text("")}
        table.add_row(
            Text(node.node_id),
            _state(node.old_state),
            _seconds(node, "old"),
            _state(node.new_state),
            _seconds(node, "new"),
            outputs[node.is_equal],
        )
    table.add_row(
        Text("together", "dim"),
        "",
        format_seconds(runs.old.seconds),
        "",
        format_seconds(runs.new.seconds),
        "",
    )
    return table


def _state(state: NodeState | None) -> Text:
    return Text(WORDS[state], STYLES[state]) if state is not None else Text("-", "dim")


def _seconds(node: NodeComparison, side: str) -> str:
    state, seconds = getattr(node, f"{side}_state"), getattr(node, f"{side}_seconds")
    return format_seconds(seconds) if state in (NodeState.DONE, NodeState.FAILED) else ""


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)


def _print_numbers(
    screen: Screen,
    title: str,
    headings: tuple[str, str],
    changes: Sequence[NumberChange],
    run_ids: tuple[str, str],
    verbose: bool,
) -> None:
    if not changes:
        return
    _print_title(screen, title)
    table = plain_table("Of", *headings, *run_ids, "Change")
    for column in table.columns[3:]:
        column.justify = "right"
    shown = changes if verbose else changes[:_MAX_ROWS]
    last = ("", "")
    for change in shown:
        here = (change.where, change.part)
        table.add_row(
            Text(change.where if change.where != last[0] else "", "dim"),
            change.part if here != last else "",
            change.name,
            _number(change.old),
            _number(change.new),
            _change(change),
        )
        last = here
    print_table(screen, table)
    if len(changes) > len(shown):
        more = f"and {len(changes) - len(shown)} more; --all shows them"
        screen.console.print(Text(more, "dim"))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return format_count(int(value)) if float(value).is_integer() else f"{value:.4g}"


def _change(change: NumberChange) -> Text:
    if change.old is None or change.new is None:
        return Text("new" if change.old is None else "gone", "yellow")
    difference = change.new - change.old
    if not math.isfinite(difference):
        return Text("changed", "yellow")
    return Text(f"{'+' if difference > 0 else '-'}{_number(abs(difference))}", "yellow")


def comparison_data(difference: RunDifference) -> RunDifferenceData:
    """Return a comparison as JSON-ready data."""
    runs = difference.runs
    return {
        "format": number_of(RunDifferenceData),
        "runs": [runs.old.run_id, runs.new.run_id],
        "pipelines": [runs.old.pipeline_name, runs.new.pipeline_name],
        "seconds": [round(runs.old.seconds, 3), round(runs.new.seconds, 3)],
        "settings": [{"name": one.name, "old": one.old, "new": one.new} for one in runs.settings],
        "nodes": [_node_data(node) for node in runs.nodes],
        "payloads": [_pair_data(pair) for pair in runs.payloads],
        "statistics": [_change_data(change) for change in difference.statistics],
        "metrics": [_change_data(change) for change in difference.metrics],
        "verdicts": [{"name": name, "old": old, "new": new} for name, old, new in difference.verdicts],
        "unread": list(difference.unread),
    }


def _node_data(node: NodeComparison) -> NodeComparisonData:
    return {
        "node_id": node.node_id,
        "old_state": node.old_state.value if node.old_state else None,
        "new_state": node.new_state.value if node.new_state else None,
        "old_seconds": node.old_seconds,
        "new_seconds": node.new_seconds,
        "differences": [difference_data(one) for one in node.differences],
        "is_equal": node.is_equal,
    }


def _pair_data(pair: PayloadPair) -> PayloadPairData:
    return {
        "node_id": pair.node_id,
        "key": pair.key,
        "type_name": pair.type_name,
        "old_uri": pair.old_uri,
        "new_uri": pair.new_uri,
    }


def _change_data(change: NumberChange) -> NumberChangeData:
    return {
        "where": change.where,
        "part": change.part,
        "name": change.name,
        "old": _number_data(change.old),
        "new": _number_data(change.new),
    }


def _number_data(value: float | None) -> float | str | None:
    """A number; text for what JSON has no number for."""
    return value if value is None or math.isfinite(value) else str(value)
