"""ModelBlessing, InfraBlessing and PushedModel: the verdict with its reasons, and where the model went."""

from __future__ import annotations

import os

from headrace.authoring import Artifact
from headrace.formats import blessings, pushed_models, verdicts
from headrace.reports.artifacts import models
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.runtime.context import SUMMARY_PROPERTY
from headrace.store.session import Subject


def render_blessing(subject: Subject) -> list[Block]:
    """Return the verdict and what was checked."""
    blessing = blessings.read(subject.artifact)
    tone = in_words(blessing.is_blessed)[1]
    blocks: list[Block] = [
        Note(subject.info.summary or blessing.words or "No verdict is in the files.", tone)
    ]
    evaluation = subject.outputs.get("evaluation", [])
    if evaluation:
        blocks += thresholds(verdicts.read(evaluation[0].uri))
    baseline = subject.inputs.get("baseline_model", [])
    facts: list[tuple[str, Value]] = [("model", _named(model)) for model in subject.inputs.get("model", [])]
    if subject.artifact.type_name == "ModelBlessing":
        facts.append(("compared with", _named(baseline[0]) if baseline else "no baseline model"))
    return [*blocks, Facts(facts)]


def thresholds(verdict: verdicts.Verdict | None) -> list[Block]:
    """Return the table of an Evaluator's thresholds; nothing where there is none."""
    rows: list[list[Value]] = []
    for one in verdict.thresholds if verdict is not None else ():
        mark = Cell("not checked", tone="warning") if one.passed is None else Cell("passed", tone="good")
        mark = Cell("failed", tone="bad") if one.passed is False else mark
        bounds = " and ".join(
            f"{sign} {format_number(bound)}"
            for bound, sign in ((one.lower_bound, "≥"), (one.upper_bound, "≤"))
            if bound is not None
        )
        rows.append(
            [
                one.metric,
                one.slice,
                one.kind,
                bounds,
                one.compared,
                one.value,
                one.baseline_value,
                mark,
                one.note,
            ]
        )
    columns = ["metric", "slice", "kind", "threshold", "compared", "candidate", "baseline", "", "note"]
    return [Table(columns, rows, caption="What was checked")] if rows else []


def in_words(is_blessed: bool | None) -> tuple[str, str]:
    """Return word and tone of a verdict; `None` where there was no threshold to meet."""
    if is_blessed is None:
        return "NOT VALIDATED", "warning"
    return blessings.in_words(is_blessed), "good" if is_blessed else "bad"


def render_pushed(subject: Subject) -> list[Block]:
    """Return where the model was pushed to, and the model."""
    artifact = subject.artifact
    push = pushed_models.read(artifact)
    destination = push.destination
    if not destination:
        return [Note("The model was not pushed: a blessing was missing.", "warning"), *_reasons(subject)]
    is_there = "://" in destination or os.path.exists(destination)
    note = (
        Note(f"Pushed to {destination}.", "good")
        if is_there
        else Note(f"{destination} is gone since.", "bad")
    )
    blocks: list[Block] = [
        note,
        Facts([("version", push.version or "–"), *[(n, v) for n, v in _facts(subject)]]),
    ]
    return blocks + models.render(subject)


def _facts(subject: Subject) -> list[tuple[str, Value]]:
    return [("model", _named(model)) for model in subject.inputs.get("model", [])]


def _reasons(subject: Subject) -> list[Block]:
    rows: list[list[Value]] = [
        [key, _named(one), one.get_string_custom_property(SUMMARY_PROPERTY) or "–"]
        for key in ("model_blessing", "infra_blessing")
        for one in subject.inputs.get(key, [])
    ]
    return [Table(["input", "artifact", "verdict"], rows)] if rows else []


def _named(artifact: Artifact) -> str:
    return f"{artifact.type_name} {artifact.id}"
