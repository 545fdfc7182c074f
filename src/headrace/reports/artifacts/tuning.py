"""HyperParameters and TunerResults: the values chosen, and every trial."""

from __future__ import annotations

import json
import math
import os
from typing import Any

from headrace.files import names_in, open_text
from headrace.reports.blocks.blocks import Block, Cell, Chart, Facts, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.reports.blocks.parallel_coordinates import parallel
from headrace.store.session import Subject
from headrace.ui.units import plural

_FIXED = ("trial_id", "score")
_MAX_TRIALS = 500


def render_hyperparameters(subject: Subject) -> list[Block]:
    """Return the values chosen with the space they were chosen from, then the trials made beside."""
    files = names_in(subject.artifact.uri)
    if not files:
        return [Note("There is no file with hyperparameters in this artifact.", "warning")]
    with open_text(os.path.join(subject.artifact.uri, files[0])) as file:
        read = json.load(file)
    # KerasTuner writes the space beside the values; Trainer takes values alone as well.
    has_space = isinstance(read.get("values"), dict) and "space" in read
    values = read["values"] if has_space else read
    spaces = {one["config"].get("name"): one for one in (read["space"] if has_space else ())}
    rows: list[list[Value]] = [
        [name, _plain(value), _space(spaces.get(name))] for name, value in values.items()
    ]
    blocks: list[Block] = [Table(["hyperparameter", "value", "chosen from"], rows, caption="Best values")]
    results = subject.outputs.get("tuner_results", [])
    if results and os.path.isdir(results[0].uri):
        blocks.append(Section("Trials", _trials(results[0].uri), anchor="trials"))
    return blocks


def render_results(subject: Subject) -> list[Block]:
    """Return the trials as a table and as parallel coordinates."""
    return _trials(subject.artifact.uri)


def _plain(value: Any) -> Value:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Cell(format_number(value, 6), is_number=True)
    return Cell(str(value))


def _space(space: dict[str, Any] | None) -> str:
    if space is None:
        return ""
    config = space["config"]
    if space["class_name"] == "Choice":
        return f"one of {', '.join(str(value) for value in config['values'])}"
    if "min_value" in config:
        sampling = f", {config['sampling']}" if config.get("sampling") not in (None, "linear") else ""
        return f"{format_number(config['min_value'])} to {format_number(config['max_value'])}{sampling}"
    return {"Fixed": "fixed", "Boolean": "yes or no"}.get(space["class_name"], space["class_name"])


def _trials(path: str) -> list[Block]:
    with open_text(os.path.join(path, "tuner_results.json")) as file:
        trials = json.load(file)
    if not trials:
        return [Note("No trial was finished.", "warning")]
    names = list(dict.fromkeys(name for trial in trials for name in trial if name not in _FIXED))
    # The Tuner writes the best trial first.
    scores = [float(trial["score"]) if trial.get("score") is not None else math.nan for trial in trials]
    known = [score for score in scores if math.isfinite(score)]
    is_lower_better = len(known) < 2 or known[0] <= known[-1]
    rows: list[list[Value]] = [
        [
            str(trial["trial_id"]),
            score if math.isfinite(score) else None,
            *[_plain(trial.get(name, "–")) for name in names],
        ]
        for trial, score in zip(trials, scores)
    ]
    rows[0][0] = Cell(f"{trials[0]['trial_id']} (best)", tone="good")
    direction = "smallest" if is_lower_better else "largest"
    blocks: list[Block] = [
        Facts([("trials", len(trials)), ("best score", scores[0]), ("better is", direction)]),
        Table(["trial", "score", *names], rows, caption="Trials", footnote="Best first.", is_sortable=True),
    ]
    if len(trials) > 1 and known and names:
        blocks.insert(1, _parallel(trials[:_MAX_TRIALS], names, is_lower_better=is_lower_better))
    return blocks


def _parallel(trials: list[dict[str, Any]], names: list[str], *, is_lower_better: bool) -> Chart:
    dimensions = [*names, "score"]
    rows: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for dimension in dimensions:
        places, ends = scale([trial.get(dimension) for trial in trials])
        labels += [{"dimension": dimension, "at": at, "label": label} for label, at in ends]
        for index, trial in enumerate(trials):
            value = trial.get(dimension)
            # A trial without a score has no colour, a hyperparameter that it did not have no place.
            if trial.get("score") is None or math.isnan(places[index]):
                continue
            text = format_number(value) if isinstance(value, float) else str(value)
            row = {
                "trial": str(trial["trial_id"]),
                "dimension": dimension,
                "at": places[index],
                "label": text,
            }
            rows.append({**row, "score": trial["score"], "is_best": index == 0})
    spec = parallel(rows, dimensions, labels, "score", is_lower_better=is_lower_better)
    description = f"Parallel coordinates of {plural(len(trials), 'trial')}; the thick line is the best"
    return Chart("Trials", spec, description, is_wide=True)


def scale(values: list[Any]) -> tuple[list[float], list[tuple[str, float]]]:
    """Return each value's place from 0 to 1, NaN for one that has none, and the labels of the axis with theirs."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        numbers = [math.nan if value is None else float(value) for value in values]
        finite = [number for number in numbers if math.isfinite(number)]
        low, high = min(finite, default=0.0), max(finite, default=0.0)
        span = (high - low) or 1.0
        ends = [(format_number(low), 0.0)] + ([(format_number(high), 1.0)] if high > low else [])
        return [(number - low) / span if math.isfinite(number) else math.nan for number in numbers], ends
    kinds = sorted({str(value) for value in known})
    step = max(len(kinds) - 1, 1)
    places = [math.nan if value is None else kinds.index(str(value)) / step for value in values]
    return places, [(kind, at / step) for at, kind in enumerate(kinds)]
