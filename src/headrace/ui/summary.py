"""What is left on the screen when a run has ended: the table, the verdict, the failures, what to do next."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from headrace.artifact_types import registry
from headrace.errors import HeadraceError
from headrace.orchestration.events import NodeResult, NodeState, OutputRecord, RunResult
from headrace.ui.board import describe, made
from headrace.ui.screen import Screen
from headrace.ui.symbols import STYLES, WORDS
from headrace.ui.units import format_seconds

_COLORS = {"good": "green", "warning": "yellow", "bad": "red"}
_LABEL_COLUMNS = 8


def print_summary(
    screen: Screen, result: RunResult, *, next_commands: Sequence[str] = (), with_table: bool = True
) -> None:
    """Print how a run ended.

    Args:
        screen: Where to.
        result: The run.
        next_commands: Commands to try next, most useful first.
        with_table: Whether the nodes are listed; failures are always shown.
    """
    print_headline(screen, result)
    if with_table and result.nodes:
        screen.console.print()
        print_table(screen, node_table(screen, result))
        screen.console.print()
    _print_headlines(screen, result)
    _print_slower(screen, result)
    _print_server(screen, result)
    for node in result.failed:
        print_failure(screen, node)
    fixes = [node.error.fix for node in result.failed if node.error is not None]
    # What the last line of an error says already is not said again.
    next_commands = [command for command in next_commands if not any(fix.endswith(command) for fix in fixes)]
    print_labelled(screen, "Next", next_commands, "cyan")


def print_headline(screen: Screen, result: RunResult) -> None:
    """Print one line: pipeline, run, how it ended, how long, how many nodes in which state."""
    if result.failed:
        word, style = "failed", "bold red"
    elif any(node.state is NodeState.CANCELLED for node in result.nodes):
        word, style = "cancelled", "bold yellow"
    elif any(node.state in (NodeState.RUNNING, NodeState.WAITING) for node in result.nodes):
        word, style = "not finished", "bold yellow"
    else:
        word, style = "done", "bold green"
    counts = Counter(node.state for node in result.nodes)
    parts = [f"{counts[state]} {WORDS[state]}" for state in NodeState if counts[state]]
    line = Text()
    line.append(f"{result.pipeline_name} {result.run_id} ", "bold")
    line.append(word, style).append(f" after {format_seconds(result.seconds)}" if word != "done" else "")
    line.append(f" in {format_seconds(result.seconds)}" if word == "done" else "")
    line.append(f": {', '.join(parts)}" if parts else "")
    screen.console.print(line, soft_wrap=True)


def print_plan(screen: Screen, result: RunResult, next_commands: Sequence[str] = ()) -> None:
    """Print what a dry run found: which nodes would run, which are cached, and why."""
    # A resolver looks up what there is: it did so for the plan.
    words = {**WORDS, NodeState.WAITING: "would run", NodeState.DONE: "resolved"}
    counts = Counter(node.state for node in result.nodes)
    parts = [f"{counts[state]} {words[state]}" for state in NodeState if counts[state]]
    heading = Text(f"{result.pipeline_name} ", "bold")
    screen.console.print(
        heading.append(f"plan: {', '.join(parts) or 'no nodes'}", "not bold"), soft_wrap=True
    )
    screen.console.print()
    table = _table("Node", "Plan", "Why")
    for node in result.nodes:
        state = NodeState.RUNNING if node.state is NodeState.WAITING else node.state
        style = STYLES[state]
        table.add_row(
            Text(screen.symbols.states[state], style),
            node.node_id,
            Text(words[node.state], style),
            Text(node.reason or describe(node), "dim"),
        )
    print_table(screen, table)
    screen.console.print()
    print_labelled(screen, "Next", next_commands, "cyan")


def node_table(screen: Screen, result: RunResult) -> Table:
    """Return the table of a run's nodes: how each ended, how long it took, what it made."""
    table = _table("Node", "State", "Time", "Made")
    table.columns[3].justify = "right"
    for node in result.nodes:
        style = STYLES[node.state]
        is_reused = node.state in (NodeState.CACHED, NodeState.NOT_SELECTED)
        table.add_row(
            Text(screen.symbols.states[node.state], style),
            Text(node.node_id),
            Text(WORDS[node.state], style),
            Text(format_seconds(node.seconds) if node.seconds and not is_reused else "", "dim"),
            _made_cell(node),
        )
    return table


def _table(*headings: str) -> Table:
    """A table without lines: narrow terminals have no columns to spare for them."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=1)
    for heading in headings[:-1]:
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=34)
    table.add_column(headings[-1], overflow="fold")
    return table


def _made_cell(node: NodeResult) -> Text:
    if node.state in (NodeState.DONE, NodeState.CACHED):
        has_summary = any(output.summary for output in node.outputs)
        return Text("\n".join(made(node)), "" if has_summary else "dim")
    # An error has no room in a cell: it stands whole below the table.
    text = "see below" if node.state is NodeState.FAILED else describe(node)
    return Text(text, STYLES[node.state])


def _print_headlines(screen: Screen, result: RunResult) -> None:
    """Print what is told on lines of its own, verdicts and where a model went; then what cannot be told."""
    problems: dict[str, None] = {}
    for node in result.nodes:
        # A resolver hands on what an earlier run made and leaves no log: its blessing is no verdict of this run.
        is_told = (node.state is NodeState.DONE and node.log_path) or node.state is NodeState.CACHED
        for output in node.outputs if is_told else ():
            found = registry.find(output.type_name)
            problem = found.problem or _print_headline(screen, node, output, found)
            problems.update({problem: None} if problem else {})
    print_labelled(screen, "Note", list(problems), "yellow", is_prose=True)


def _print_headline(
    screen: Screen, node: NodeResult, output: OutputRecord, found: registry.Registration
) -> str:
    """Print the line of one output, where it has one; return why it has no colour, where code of others fails."""
    headline = found.artifact_type.headline
    text = output.summary or (headline.otherwise.replace("{uri}", output.uri) if headline else "")
    if headline is None or not text:
        return ""
    problem, color = "", ""
    try:
        with registry.of_others():
            color = _COLORS.get(headline.tone(output.summary), "")
    except (Exception, SystemExit) as error:
        problem = f"{found.place} failed to colour a {output.type_name}: {type(error).__name__}: {error}"
    cached = " (cached)" if node.state is NodeState.CACHED else ""
    style = f"bold {color}".strip()
    if headline.is_alone:
        print_labelled(screen, headline.label, [f"{node.node_id}{cached}: {text}"], style, is_prose=True)
    else:
        print_labelled(screen, headline.label, [f"{text}{cached}"], style)
    return problem


def _print_slower(screen: Screen, result: RunResult) -> None:
    """Say which nodes Headrace's own implementation did not run, or not all of them, and why."""
    told = [
        f"{node.node_id}{' (cached)' if node.state is NodeState.CACHED else ''}: {node.implementation.note}"
        for node in result.nodes
        if node.implementation.note and node.state in (NodeState.DONE, NodeState.CACHED)
    ]
    print_labelled(screen, "Slower", told, "yellow", is_prose=True)


def _print_server(screen: Screen, result: RunResult) -> None:
    """Say which server the nodes came from, where one that stays was wanted."""
    told = result.details.get("server")
    if not isinstance(told, dict):
        return
    kind, reason = told.get("kind"), told.get("reason")
    if kind == "own":
        text = f"of this run alone: {reason or 'it could not be kept'}"
    elif kind == "warm":
        text = f"warm for {format_seconds(float(told.get('age_seconds', 0.0)))}"
    else:
        text = "stays for the next run: headrace server"
    if reason and kind != "own":
        text = f"{text}; this run loaded libraries itself: {reason}"
    print_labelled(screen, "Server", [text], "dim", is_prose=True)


def print_failure(screen: Screen, node: NodeResult) -> None:
    """Print what stopped one node, and where its log is."""
    print_error(screen, node.error or HeadraceError(node.reason or f"{node.node_id} failed."))
    print_labelled(screen, "Log", [_from_here(node.log_path)] if node.log_path else [])
    screen.console.print()


def _from_here(path: str) -> str:
    """Return a path from the working directory where it is below it."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def print_error(screen: Screen, error: HeadraceError) -> None:
    """Print an error in the form `UnknownSplitError: problem`, its fix indented below."""
    text = Text()
    text.append(type(error).__name__, "bold red").append(f": {error.problem}")
    if error.fix:
        text.append("\n  Fix: ", "bold").append(error.fix)
    # A terminal would break words; a log's reader searches for whole lines.
    screen.console.print(text, soft_wrap=not screen.is_live)


def print_labelled(
    screen: Screen, label: str, values: Sequence[str], style: str = "", *, is_prose: bool = False
) -> None:
    """Print values below each other, the label before the first.

    Args:
        screen: Where to.
        label: What the values are.
        values: One line each.
        style: Rich style of the values.
        is_prose: Whether a long value may be broken at words; commands and paths stay whole to be copied.
    """
    for index, value in enumerate(values):
        if is_prose and screen.is_live:
            grid = Table.grid(padding=(0, 1, 0, 0))
            grid.add_column(width=_LABEL_COLUMNS)
            grid.add_row(Text("" if index else label, "dim"), Text(value, style))
            screen.console.print(grid)
            continue
        line = Text(f"{'' if index else label:<{_LABEL_COLUMNS}} ", "dim")
        screen.console.print(line.append(value, f"not dim {style}"), soft_wrap=True)


def print_table(screen: Screen, table: Table) -> None:
    """Print a table; in a pipe without the blanks that fill its last column."""
    if screen.is_live:
        screen.console.print(table)
        return
    with screen.console.capture() as captured:
        screen.console.print(table)
    lines = [line.rstrip(" ") for line in captured.get().splitlines()]
    screen.console.file.write("\n".join([*lines, ""]))
