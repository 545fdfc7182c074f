"""The report on a component: what it takes, how its last run went, and what it made."""

from __future__ import annotations

from headrace.authoring import BaseNode
from headrace.authoring.descriptions import node_name, node_rows
from headrace.reports.artifacts.page import section
from headrace.reports.blocks.blocks import Block, Facts, Note, Report, Section, Table, Value
from headrace.store.results import NodeResult, NodeState
from headrace.store.session import StoreSession
from headrace.ui.units import format_seconds

_TONES = {NodeState.DONE: "good", NodeState.CACHED: "info", NodeState.FAILED: "bad"}


def declared_report(component: BaseNode, note: Note) -> Report:
    """Return the report on a component that was not run, with a note on what to do."""
    return Report(node_name(component), "not run", [note, _declaration(component)], [("warning", "not run")])


def component_report(store: StoreSession, component: BaseNode, result: NodeResult, run_id: str) -> Report:
    """Return the report on a component and all that one run of it made.

    Raises:
        StoreError: If an artifact is not in the store.
    """
    subjects = store.subjects([output.artifact_id for output in result.outputs])
    facts: list[tuple[str, Value]] = [("run", run_id)]
    if result.state is NodeState.DONE:
        facts.append(("time", format_seconds(result.seconds)))
    blocks: list[Block] = [Facts(facts)]
    if result.reason:
        blocks.append(Note(f"{result.reason[:1].upper()}{result.reason[1:]}", "info"))
    for output, subject in zip(result.outputs, subjects):
        line = f"{output.type_name} {output.artifact_id}{f': {output.summary}' if output.summary else ''}"
        blocks.append(section(subject, output.key, line))
    blocks.append(_declaration(component))
    badge = (_TONES.get(result.state, "warning"), result.state.value)
    return Report(node_name(component), f"run {run_id}", blocks, [badge])


def _declaration(component: BaseNode) -> Section:
    rows: list[list[Value]] = [list(row) for row in node_rows(component)]
    table = Table(["", "name", "value"], rows, caption="Inputs, parameters and outputs", has_row_names=False)
    return Section("What it takes and gives", [table], anchor="declaration")
