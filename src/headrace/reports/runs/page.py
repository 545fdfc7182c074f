"""The report on a run: the graph coloured by state, the timings, and every artifact, on one page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from headrace.artifact_types import registry
from headrace.artifact_types.own import OWN
from headrace.reports.artifacts.page import section, subtitle
from headrace.reports.blocks import charts, drawings
from headrace.reports.blocks.blocks import (
    Block,
    Cell,
    Chart,
    Facts,
    Note,
    Picture,
    Report,
    Section,
    Table,
    Value,
)
from headrace.store.results import NodeResult, NodeState, RunResult
from headrace.store.session import RunGraph, StoreSession, Subject
from headrace.ui.units import format_seconds, plural

_STATE_COLORS = {
    NodeState.DONE: "var(--good)",
    NodeState.CACHED: "var(--c0)",
    NodeState.FAILED: "var(--bad)",
    NodeState.CANCELLED: "var(--warning)",
    NodeState.RUNNING: "var(--warning)",
    NodeState.SKIPPED: "var(--dim)",
    NodeState.WAITING: "var(--dim)",
    NodeState.NOT_SELECTED: "var(--dim)",
}
_TONES = {NodeState.DONE: "good", NodeState.FAILED: "bad", NodeState.CANCELLED: "warning"}


def run_report(store: StoreSession, run_id: str = "latest") -> Report:
    """Return the report on a run with all its artifacts.

    Raises:
        StoreError: If there is no such run.
    """
    result = store.run(run_id)
    graph = store.graph(result)
    ids = list(dict.fromkeys(output.artifact_id for node in result.nodes for output in node.outputs))
    subjects = {subject.artifact.id: subject for subject in store.subjects(ids)}
    edges = _edges(result, graph, subjects.values())
    blocks: list[Block] = [_facts(result, graph), *_failures(result), *_slower(result)]
    blocks.append(_graph(result, graph, edges))
    if graph.times:
        blocks.append(_timings(result, graph))
    blocks.append(_nodes(result))
    blocks += [_artifact(result, subject) for subject in _ordered(subjects)]
    return Report(
        f"{result.pipeline_name} {result.run_id}", _subtitle(result, graph), blocks, [_badge(result)]
    )


def _badge(result: RunResult) -> tuple[str, str]:
    if result.failed:
        return "bad", "failed"
    if any(node.state is NodeState.CANCELLED for node in result.nodes):
        return "warning", "cancelled"
    if not result.is_success:
        return "warning", "not finished"
    return "good", "done"


def _subtitle(result: RunResult, graph: RunGraph) -> str:
    started = min((start for start, _ in graph.times.values()), default=None)
    when = f", started {started.strftime('%Y-%m-%d %H:%M')}" if started else ""
    return f"{plural(len(result.nodes), 'node')} in {format_seconds(result.seconds)}{when}"


def _facts(result: RunResult, graph: RunGraph) -> Facts:
    pairs: list[tuple[str, Value]] = [("time", format_seconds(result.seconds))]
    work = sum((end - start).total_seconds() for start, end in graph.times.values())
    if work:
        pairs.append(("work in nodes", format_seconds(work)))
    for state in NodeState:
        count = sum(node.state is state for node in result.nodes)
        if count:
            pairs.append((state.value, count))
    if result.details.get("command"):
        pairs.append(("command", str(result.details["command"])))
    packages = result.details.get("packages")
    if isinstance(packages, dict):
        named = ("headrace", "tfx", "tensorflow", "apache-beam")
        pairs.append(("with", ", ".join(f"{name} {packages[name]}" for name in named if name in packages)))
    return Facts(pairs)


def _failures(result: RunResult) -> list[Block]:
    return [
        Note(
            f"{type(node.error).__name__}: {node.error.problem}",
            "bad",
            f"Fix: {node.error.fix}" if node.error.fix else "",
        )
        if node.error is not None
        else Note(node.reason or f"{node.node_id} failed.", "bad")
        for node in result.failed
    ]


def _slower(result: RunResult) -> list[Block]:
    return [
        Note(f"{node.node_id} {node.implementation.note}.", "warning")
        for node in result.nodes
        if node.implementation.note and node.state in (NodeState.DONE, NodeState.CACHED)
    ]


def _edges(result: RunResult, graph: RunGraph, subjects: Iterable[Subject]) -> list[tuple[str, str]]:
    """Return the lines between nodes: of those that ran, and of those whose outputs an earlier run made."""
    makers = {output.artifact_id: node.node_id for node in result.nodes for output in node.outputs}
    reused = [
        (makers[read.id], makers[subject.artifact.id])
        for subject in subjects
        for artifacts in subject.inputs.values()
        for read in artifacts
        if read.id in makers
    ]
    return [edge for edge in dict.fromkeys([*graph.edges, *reused]) if edge[0] != edge[1]]


def _graph(result: RunResult, graph: RunGraph, edges: list[tuple[str, str]]) -> Section:
    boxes = [
        drawings.Box(
            node.node_id,
            node.node_id,
            f"{node.state.value}{f' in {format_seconds(node.seconds)}' if node.node_id in graph.times else ''}",
            node.state.value,
            f"#artifact-{node.outputs[0].artifact_id}" if node.outputs else "#nodes",
        )
        for node in result.nodes
    ]
    states = list(dict.fromkeys(node.state.value for node in result.nodes))
    picture = Picture(
        "",
        drawings.graph(boxes, edges),
        f"{plural(len(boxes), 'node')} of the pipeline",
        [(s, s) for s in states],
    )
    return Section("Graph", [picture], anchor="graph")


def _timings(result: RunResult, graph: RunGraph) -> Section:
    first = min(start for start, _ in graph.times.values())
    rows = []
    for node in result.nodes:
        if node.node_id in graph.times:
            start, end = (_seconds(moment, first) for moment in graph.times[node.node_id])
            row = {"name": node.node_id, "start": start, "end": end, "state": node.state.value}
            rows.append({**row, "label": format_seconds(node.seconds)})
    states = list(dict.fromkeys(node.state for node in result.nodes if node.node_id in graph.times))
    order = [str(row["name"]) for row in sorted(rows, key=lambda row: (row["start"], row["end"]))]
    spec = charts.gantt(rows, order, [s.value for s in states], [_STATE_COLORS[s] for s in states])
    longest = max(rows, key=lambda row: float(str(row["end"])) - float(str(row["start"])))
    text = f"{longest['name']} took longest, {longest['label']}"
    return Section("Timings", [Chart("When each node ran", spec, text, is_wide=True)], anchor="timings")


def _seconds(moment: datetime, first: datetime) -> float:
    return round((moment - first).total_seconds(), 3)


def _nodes(result: RunResult) -> Section:
    rows: list[list[Value]] = []
    for node in result.nodes:
        state = Cell(node.state.value, tone=_TONES.get(node.state, ""))
        has_time = node.seconds and node.state is not NodeState.NOT_SELECTED
        seconds = Cell(format_seconds(node.seconds) if has_time else "–", is_number=True)
        outputs = node.outputs or (None,)
        for index, output in enumerate(outputs):
            made: list[Value] = ["–", ""]
            if output is not None:
                made = [
                    Cell(f"{output.key} {output.artifact_id}", href=f"#artifact-{output.artifact_id}"),
                    output.summary,
                ]
            lead: list[Value] = [Cell(node.node_id), state, seconds] if not index else ["", "", ""]
            rows.append([*lead, *made, _why(node) if not index else ""])
    table = Table(
        ["node", "state", "time", "output", "holds", "why"], rows, caption="Nodes and what they made"
    )
    return Section("Nodes", [table], anchor="nodes")


def _why(node: NodeResult) -> str:
    return node.error.problem if node.error is not None else node.reason


def _ordered(subjects: dict[int, Subject]) -> list[Subject]:
    order = {name: at for at, name in enumerate(OWN)}

    def rank(subject: Subject) -> tuple[int, int]:
        return (order.get(subject.artifact.type_name, len(order)), subject.artifact.id)

    return sorted(subjects.values(), key=rank)


def _artifact(result: RunResult, subject: Subject) -> Section:
    node = next(
        (node for node in result.nodes for one in node.outputs if one.artifact_id == subject.artifact.id),
        None,
    )
    key = next(
        (one.key for node in result.nodes for one in node.outputs if one.artifact_id == subject.artifact.id),
        subject.key,
    )
    name = f"{node.node_id}.{key}" if node is not None else subject.key
    line = subject.info.summary
    if subject.place.run_id != result.run_id:
        line = f"{line} (from {subtitle(subject)})" if line else subtitle(subject)
    line = f"{subject.artifact.type_name} {subject.artifact.id}{f': {line}' if line else ''}"
    is_open = registry.find(subject.artifact.type_name).artifact_type.is_open
    return section(subject, name, line, is_folded=not is_open)
