"""Components, channels, artifacts and runs as HTML for a cell: plain tables in the notebook's own colours."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from typing import Any

from headrace.authoring import Artifact, BaseNode
from headrace.authoring.descriptions import describe_source, node_name, node_rows
from headrace.notebook.texts import artifact_rows, node_line
from headrace.store.results import NodeResult, NodeState, RunResult
from headrace.ui.board import Board
from headrace.ui.symbols import UNICODE, WORDS
from headrace.ui.units import format_seconds

_COLOURS = {
    NodeState.DONE: "#1a7f37",
    NodeState.CACHED: "#0969da",
    NodeState.FAILED: "#cf222e",
    NodeState.CANCELLED: "#9a6700",
}
# Grey with half its strength is seen on white and on black.
_CELL = (
    "text-align:left;vertical-align:top;padding:2px 12px 2px 0;border-bottom:1px solid rgba(128,128,128,.3)"
)
# The last column holds the long texts, such as paths: it alone breaks within words.
_LAST = "overflow-wrap:anywhere"


def progress_page(board: Board) -> str:
    """Return what a step does now, in one line per node."""
    now = board.clock()
    lines = []
    for line in board.lines():
        elapsed = line.elapsed(now)
        seconds = f" {format_seconds(elapsed)}" if elapsed is not None else ""
        lines.append(
            f"{_state(line.state)} <b>{_text(line.node_id)}</b>{seconds} "
            f"<span style='opacity:.75'>{_text(line.text)}</span>"
        )
    body = "<br>".join(lines) or "planning"
    return f"<div>{body}</div>"


def step_page(node: NodeResult, run_id: str, notes: Sequence[str]) -> str:
    """Return how one component's run ended, with its outputs."""
    heading = f"{_state(node.state)} <b>{_text(node.node_id)}</b> {_text(node_line(node))}"
    where = f"<div style='opacity:.75'>run {_text(run_id)}, execution {node.execution_id}</div>"
    warnings = "".join(f"<div>{UNICODE.warning} {_text(note)}</div>" for note in notes)
    rows = [
        [output.key, output.type_name, str(output.artifact_id), output.summary, output.uri]
        for output in node.outputs
    ]
    outputs = _table(["output", "type", "id", "holds", "files"], rows) if rows else ""
    return f"<div>{heading}{where}{warnings}{outputs}</div>"


def run_page(result: RunResult) -> str:
    """Return how a run of a pipeline ended."""
    rows = [
        [node.node_id, WORDS[node.state], format_seconds(node.seconds), node_line(node)]
        for node in result.nodes
    ]
    heading = (
        f"<b>{_text(result.pipeline_name)}</b> run {_text(result.run_id)}, {format_seconds(result.seconds)}"
    )
    return f"<div>{heading}{_table(['node', 'state', 'time', ''], rows)}</div>"


def component_page(component: BaseNode) -> str:
    """Return a component's inputs, parameters and outputs."""
    table = _table(["", "name", "value"], node_rows(component))
    return f"<div><b>{_text(node_name(component))}</b>{table}</div>"


def channel_page(channel: Any, artifacts: Sequence[Artifact]) -> str:
    """Return a channel with the artifacts that it holds in this session."""
    if not artifacts:
        return f"<div>{_text(describe_source(channel))}: no artifact yet</div>"
    return "".join(artifact_page(artifact) for artifact in artifacts)


def artifact_page(artifact: Artifact) -> str:
    """Return one artifact's properties and files."""
    gone = "" if "://" in artifact.uri or os.path.exists(artifact.uri) else " (its files are gone)"
    return (
        f"<div><b>{_text(artifact.type_name)}</b> {artifact.id}{gone}"
        f"{_table(['property', 'value'], artifact_rows(artifact))}</div>"
    )


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th style='{_CELL}'>{_text(heading)}</th>" for heading in headings)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='{_CELL}'>{_text(cell)}</td>" for cell in row[:-1])
        + "".join(f"<td style='{_CELL};{_LAST}'>{_text(cell)}</td>" for cell in row[-1:])
        + "</tr>"
        for row in rows
    )
    return (
        # JupyterLab gives all columns one width.
        f"<table style='border-collapse:collapse;table-layout:auto'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _state(state: NodeState) -> str:
    colour = _COLOURS.get(state, "inherit")
    return f"<span style='color:{colour}'>{UNICODE.states[state]} {WORDS[state]}</span>"


def _text(value: object) -> str:
    return html.escape(str(value))
