"""The report on one artifact, or on several: what it holds, where it came from, what it was made of."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.artifact_types import registry
from headrace.errors import StoreError, listed
from headrace.reports.artifacts.renderers import comparable, compares, render
from headrace.reports.blocks import drawings
from headrace.reports.blocks.blocks import Block, Facts, Picture, Report, Section, Value
from headrace.store.session import ArtifactNode, StoreSession, Subject
from headrace.ui.units import plural

_MAX_BOXES = 120


def artifact_report(store: StoreSession, artifact: str, other: str = "") -> Report:
    """Return the report on an artifact.

    Args:
        store: The open store.
        artifact: Its id, its URI, or `RUN/NODE.key`.
        other: An artifact to compare with, named the same way; empty for none.

    Raises:
        StoreError: If there is no such artifact, or the two are of different types, or of one that is not compared.
        UnknownNodeError: If the run has no such node.
    """
    subject = store.subject(artifact)
    against = store.subject(other) if other else None
    if against is not None and against.artifact.type_name != subject.artifact.type_name:
        raise StoreError(
            f"{subject.artifact.type_name} {subject.artifact.id} cannot be compared with "
            f"{against.artifact.type_name} {against.artifact.id}.",
            f"name another artifact of type {subject.artifact.type_name}; "
            f"list them with: headrace artifacts --type {subject.artifact.type_name}",
        )
    if against is not None and not compares(subject.artifact.type_name):
        raise StoreError(
            f"two artifacts of type {subject.artifact.type_name} cannot be drawn over each other. These can: "
            f"{listed(comparable())}.",
            f"show them one by one: headrace show {subject.artifact.id}, headrace show {against.artifact.id}; or compare "
            "their runs: headrace diff.",
        )
    blocks = [origin(subject), *render(subject, against), lineage(store, subject)]
    title = f"{subject.artifact.type_name} {subject.artifact.id}"
    return Report(title, subtitle(subject), blocks, _badges(subject))


def artifacts_report(store: StoreSession, artifact_ids: Sequence[int]) -> Report:
    """Return one report on several artifacts, in the order given.

    Raises:
        StoreError: If one of them is not in the store.
    """
    subjects = store.subjects(artifact_ids)
    kinds = ", ".join(dict.fromkeys(subject.artifact.type_name for subject in subjects))
    sections = [
        section(subject, f"{subject.artifact.type_name} {subject.artifact.id}", subtitle(subject))
        for subject in subjects
    ]
    return Report(plural(len(subjects), "artifact"), kinds, sections)


def section(subject: Subject, title: str, line: str, *, is_folded: bool = False) -> Section:
    """Return an artifact as a part of a page; links lead to `#artifact-{id}`."""
    blocks = [origin(subject), *render(subject)]
    return Section(title, blocks, f"artifact-{subject.artifact.id}", line, is_folded=is_folded)


def subtitle(subject: Subject) -> str:
    """Return one line on where an artifact came from."""
    place = subject.place
    made = (
        f"{place.node_id}.{subject.key} of pipeline {place.pipeline_name}, run {place.run_id}"
        if place.node_id
        else ""
    )
    when = subject.info.created.strftime("%Y-%m-%d %H:%M")
    return f"{made}, {when}" if made else when


def _badges(subject: Subject) -> list[tuple[str, str]]:
    return [] if subject.info.state == "live" else [("warning", subject.info.state)]


def origin(subject: Subject) -> Facts:
    """Return the files and what the artifact was made of."""
    inputs = ", ".join(f"{key} {one.id}" for key, found in subject.inputs.items() for one in found)
    pairs: list[tuple[str, Value]] = [("files", subject.artifact.uri)]
    if not subject.info.summary and (summary := registry.computed_summary(subject.artifact)):
        pairs.insert(0, ("holds", summary))
    return Facts([*pairs, *([("made from", inputs)] if inputs else [])])


def lineage(store: StoreSession, subject: Subject) -> Section:
    """Return what an artifact was made of and what was made of it, as a graph."""
    read = store.lineage(subject.artifact.id)
    boxes: dict[str, drawings.Box] = {}
    edges: dict[tuple[str, str], None] = {}
    for tree, is_upward in ((read.up, True), (read.down, False)):
        if tree is not None:
            _collect(tree, boxes, edges, is_upward=is_upward)
    own = f"a{subject.artifact.id}"
    boxes[own] = drawings.Box(
        own, f"{subject.artifact.type_name} {subject.artifact.id}", "this artifact", "here"
    )
    shown = list(boxes.values())[:_MAX_BOXES]
    text = f"{len(boxes)} nodes and artifacts; text: headrace lineage {subject.artifact.id}"
    legend = [("here", "this artifact"), ("artifact", "artifact"), ("done", "node")]
    blocks: list[Block] = [Picture("", drawings.graph(shown, list(edges)), text, legend)]
    return Section("Lineage", blocks, anchor="lineage")


def _collect(
    tree: ArtifactNode, boxes: dict[str, drawings.Box], edges: dict[tuple[str, str], None], *, is_upward: bool
) -> None:
    key = f"a{tree.artifact.artifact_id}"
    boxes.setdefault(
        key,
        drawings.Box(
            key, f"{tree.artifact.type_name} {tree.artifact.artifact_id}", tree.artifact.summary, "artifact"
        ),
    )
    for execution in tree.executions:
        node = f"e{execution.execution_id}"
        place = execution.place
        boxes.setdefault(node, drawings.Box(node, place.node_id or node, f"run {place.run_id}", "done"))
        edges[(node, key) if is_upward else (key, node)] = None
        for child in execution.artifacts:
            child_key = f"a{child.artifact.artifact_id}"
            edges[(child_key, node) if is_upward else (node, child_key)] = None
            _collect(child, boxes, edges, is_upward=is_upward)
