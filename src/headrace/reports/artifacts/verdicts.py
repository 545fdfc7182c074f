"""ModelBlessing, InfraBlessing and PushedModel: the verdict with its reasons, and where the model went."""

from __future__ import annotations

import json
import os
from typing import Any

from headrace.authoring import Artifact
from headrace.files import names_in, open_text
from headrace.reports.artifacts import models
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject

_TONES = {"BLESSED": "good", "INFRA_BLESSED": "good", "NOT_BLESSED": "bad", "INFRA_NOT_BLESSED": "bad"}


def render_blessing(subject: Subject) -> list[Block]:
    """Return the verdict and what was checked."""
    files = names_in(subject.artifact.uri)
    word = next((name for name in files if name in _TONES), "")
    text = subject.info.summary or word.replace("_", " ") or "No verdict is in the files."
    blocks: list[Block] = [Note(text, _TONES.get(word, "warning"))]
    evaluation = subject.outputs.get("evaluation", [])
    if evaluation:
        blocks += thresholds(evaluation[0].uri)
    baseline = subject.inputs.get("baseline_model", [])
    facts: list[tuple[str, Value]] = [("model", _named(model)) for model in subject.inputs.get("model", [])]
    if subject.artifact.type_name == "ModelBlessing":
        facts.append(("compared with", _named(baseline[0]) if baseline else "no baseline model"))
    return [*blocks, Facts(facts)]


def thresholds(path: str) -> list[Block]:
    """Return the table of thresholds in an Evaluator's `verdict.json`; nothing where there is none."""
    verdict = read_verdict(path)
    rows: list[list[Value]] = []
    for one in verdict.get("thresholds", []):
        passed = one.get("passed")
        mark = Cell("not checked", tone="warning") if passed is None else Cell("passed", tone="good")
        mark = Cell("failed", tone="bad") if passed is False else mark
        bounds = " and ".join(
            f"{sign} {format_number(one[bound])}"
            for bound, sign in (("lower_bound", "≥"), ("upper_bound", "≤"))
            if one.get(bound) is not None
        )
        rows.append(
            [
                one.get("metric", ""),
                one.get("slice", ""),
                one.get("kind", ""),
                bounds,
                one.get("compared"),
                one.get("value"),
                one.get("baseline_value"),
                mark,
                one.get("note", ""),
            ]
        )
    columns = ["metric", "slice", "kind", "threshold", "compared", "candidate", "baseline", "", "note"]
    return [Table(columns, rows, caption="What was checked")] if rows else []


def in_words(is_blessed: bool | None) -> tuple[str, str]:
    """Return word and tone of what `verdict.json` calls `blessed`: null where there was no threshold to meet."""
    if is_blessed is None:
        return "NOT VALIDATED", "warning"
    return ("BLESSED", "good") if is_blessed else ("NOT BLESSED", "bad")


def read_verdict(path: str) -> dict[str, Any]:
    """Return `verdict.json`; empty where there is none, as in what stock TFX's Evaluator writes."""
    try:
        with open_text(os.path.join(path, "verdict.json")) as file:
            read = json.load(file)
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def render_pushed(subject: Subject) -> list[Block]:
    """Return where the model was pushed to, and the model."""
    artifact = subject.artifact
    destination = artifact.get_string_custom_property("pushed_destination")
    version = artifact.get_string_custom_property("pushed_version")
    if not destination:
        return [Note("The model was not pushed: a blessing was missing.", "warning"), *_reasons(subject)]
    is_there = "://" in destination or os.path.exists(destination)
    note = (
        Note(f"Pushed to {destination}.", "good")
        if is_there
        else Note(f"{destination} is gone since.", "bad")
    )
    blocks: list[Block] = [note, Facts([("version", version or "–"), *[(n, v) for n, v in _facts(subject)]])]
    return blocks + models.render(subject)


def _facts(subject: Subject) -> list[tuple[str, Value]]:
    return [("model", _named(model)) for model in subject.inputs.get("model", [])]


def _reasons(subject: Subject) -> list[Block]:
    rows: list[list[Value]] = [
        [key, _named(one), one.get_string_custom_property("headrace_summary") or "–"]
        for key in ("model_blessing", "infra_blessing")
        for one in subject.inputs.get(key, [])
    ]
    return [Table(["input", "artifact", "verdict"], rows)] if rows else []


def _named(artifact: Artifact) -> str:
    return f"{artifact.type_name} {artifact.id}"
