"""Two runs beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from headrace.formats.changes import DATA, METRICS, VERDICT, Change, Measured
from headrace.store.results import NodeState
from headrace.store.session import FileChange, NodeComparison, PayloadPair, RunComparison
from headrace.ui.differences import difference_data, print_differences
from headrace.ui.json_shapes import (
    NodeComparisonData,
    NumberChangeData,
    OtherChangeData,
    PayloadPairData,
    RunDifferenceData,
    VerdictChangeData,
    number_of,
)
from headrace.ui.listings import plain_table
from headrace.ui.screen import Screen
from headrace.ui.summary import print_table
from headrace.ui.symbols import STYLES, WORDS
from headrace.ui.units import format_count, format_seconds

_MAX_ROWS = 40


# Headings of part and name in tables that have words of their own.
_HEADINGS = {DATA: ("Split", "Feature"), METRICS: ("Slice", "Metric")}
_OWN_TABLES = (DATA, METRICS, VERDICT)
_USUAL_HEADINGS = ("Part", "Name")


@dataclass(frozen=True)
class PlacedChange:
    """A value that differs, with the output that it was read from."""

    node_id: str
    key: str
    type_name: str
    change: Change

    @property
    def where(self) -> str:
        """Node and output; of an evaluation, which has one, the node."""
        return self.node_id if self.change.table in (METRICS, VERDICT) else f"{self.node_id}.{self.key}"


@dataclass(frozen=True)
class RunDifference:
    """A comparison with what differs in the payloads, and what could not be read."""

    runs: RunComparison
    changes: tuple[PlacedChange, ...]
    unread: tuple[str, ...]

    def of_table(self, table: str) -> list[PlacedChange]:
        """Return the changes that stand in a table."""
        return [one for one in self.changes if one.change.table == table]

    @property
    def tables(self) -> list[str]:
        """The tables: data and metrics first, the verdict last."""
        names = dict.fromkeys(one.change.table for one in self.changes)
        return [name for name in dict.fromkeys([DATA, METRICS, *names]) if name in names and name != VERDICT]


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
    for name in difference.tables:
        _print_changes(screen, name, difference.of_table(name), (old, new), verbose)
    if verdicts := difference.of_table(VERDICT):
        _print_title(screen, VERDICT)
        table = plain_table("", old, new)
        for one in verdicts:
            table.add_row(*_verdict_row(one))
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


def _verdict_row(one: PlacedChange) -> tuple[str, str, str]:
    """The verdict stands under the node's name, its thresholds below."""
    name = f"  {one.change.name}" if one.change.name else one.node_id
    return name, _shown(one.change.old), _shown(one.change.new)


def _print_changes(
    screen: Screen, title: str, changes: Sequence[PlacedChange], run_ids: tuple[str, str], verbose: bool
) -> None:
    _print_title(screen, title)
    table = plain_table("Of", *_HEADINGS.get(title, _USUAL_HEADINGS), *run_ids, "Change")
    for column in table.columns[3:]:
        column.justify = "right"
    shown = changes if verbose else changes[:_MAX_ROWS]
    last = ("", "")
    for one in shown:
        change, here = one.change, (one.where, one.change.part)
        table.add_row(
            Text(one.where if one.where != last[0] else "", "dim"),
            change.part if here != last else "",
            change.name,
            _value(change.old),
            _value(change.new),
            _difference(change),
        )
        last = here
    print_table(screen, table)
    if len(changes) > len(shown):
        more = f"and {len(changes) - len(shown)} more; --all shows them"
        screen.console.print(Text(more, "dim"))


def _value(value: Measured) -> str:
    if value is None or isinstance(value, str):
        return _shown(value)
    return format_count(int(value)) if float(value).is_integer() else f"{value:.4g}"


def _difference(change: Change) -> Text:
    if change.old is None or change.new is None:
        return Text("new" if change.old is None else "gone", "yellow")
    if isinstance(change.old, str) or isinstance(change.new, str):
        return Text("changed", "yellow")
    difference = change.new - change.old
    if not math.isfinite(difference):
        return Text("changed", "yellow")
    return Text(f"{'+' if difference > 0 else '-'}{_value(abs(difference))}", "yellow")


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
        "statistics": [_change_data(one) for one in difference.of_table(DATA)],
        "metrics": [_change_data(one) for one in difference.of_table(METRICS)],
        "verdicts": [_verdict_data(one) for one in difference.of_table(VERDICT)],
        "others": [_other_data(one) for one in difference.changes if one.change.table not in _OWN_TABLES],
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


def _change_data(one: PlacedChange) -> NumberChangeData:
    return {
        "where": one.where,
        "part": one.change.part,
        "name": one.change.name,
        "old": _value_data(one.change.old),
        "new": _value_data(one.change.new),
    }


def _verdict_data(one: PlacedChange) -> VerdictChangeData:
    name, old, new = _verdict_row(one)
    return {"name": name, "old": old, "new": new}


def _other_data(one: PlacedChange) -> OtherChangeData:
    return {**_change_data(one), "type_name": one.type_name, "table": one.change.table}


def _value_data(value: Measured) -> float | str | None:
    """A number or a text; text for what JSON has no number for."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
