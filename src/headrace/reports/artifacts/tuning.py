"""HyperParameters and TunerResults: the values chosen, and every trial."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from headrace.errors import MissingFileError
from headrace.formats import hyperparameters
from headrace.formats.hyperparameters import Trial
from headrace.reports.blocks.blocks import Block, Cell, Chart, Facts, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.reports.blocks.parallel_coordinates import parallel
from headrace.store.session import Subject
from headrace.ui.units import plural

_MAX_TRIALS = 500


def render_hyperparameters(subject: Subject) -> list[Block]:
    """Return the values chosen with the space they were chosen from, then the trials made beside."""
    try:
        best = hyperparameters.read_best(subject.artifact.uri)
    except MissingFileError:
        return [Note("There is no file with hyperparameters in this artifact.", "warning")]
    rows: list[list[Value]] = [
        [name, _plain(value), _space(best.spaces.get(name))] for name, value in best.values.items()
    ]
    blocks: list[Block] = [Table(["hyperparameter", "value", "chosen from"], rows, caption="Best values")]
    results = subject.outputs.get("tuner_results", [])
    if results and os.path.isdir(results[0].uri):
        blocks.append(Section("Trials", _trials(results[0].uri, subject), anchor="trials"))
    return blocks


def render_results(subject: Subject) -> list[Block]:
    """Return the trials as a table and as parallel coordinates."""
    return _trials(subject.artifact.uri, subject)


def _plain(value: Any) -> Value:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Cell(format_number(value, 6), is_number=True)
    return Cell(str(value))


def _space(space: Mapping[str, Any] | None) -> str:
    if space is None:
        return ""
    config = space["config"]
    if space["class_name"] == "Choice":
        return f"one of {', '.join(str(value) for value in config['values'])}"
    if "min_value" in config:
        sampling = f", {config['sampling']}" if config.get("sampling") not in (None, "linear") else ""
        return f"{format_number(config['min_value'])} to {format_number(config['max_value'])}{sampling}"
    return {"Fixed": "fixed", "Boolean": "yes or no"}.get(space["class_name"], space["class_name"])


def _trials(path: str, subject: Subject) -> list[Block]:
    trials = hyperparameters.read_trials(path)
    others = _others(subject)
    if not trials:
        return [Note("No trial was finished.", "warning"), *others]
    names = list(dict.fromkeys(name for trial in trials for name in trial.values))
    # The Tuner writes the best trial first.
    scores = [math.nan if trial.score is None else trial.score for trial in trials]
    known = [score for score in scores if math.isfinite(score)]
    is_lower_better = len(known) < 2 or known[0] <= known[-1]
    rows: list[list[Value]] = [
        [
            trial.trial_id,
            score if math.isfinite(score) else None,
            *[_plain(trial.values.get(name, "–")) for name in names],
        ]
        for trial, score in zip(trials, scores)
    ]
    rows[0][0] = Cell(f"{trials[0].trial_id} (best)", tone="good")
    direction = "smallest" if is_lower_better else "largest"
    blocks: list[Block] = [
        Facts([("trials", len(trials)), ("best score", scores[0]), ("better is", direction)]),
        Table(["trial", "score", *names], rows, caption="Trials", footnote="Best first.", is_sortable=True),
    ]
    if len(trials) > 1 and known and names:
        blocks.insert(1, _parallel(trials[:_MAX_TRIALS], names, is_lower_better=is_lower_better))
    return [*blocks, *others]


def _others(subject: Subject) -> list[Block]:
    """The trials beside that gave no result: stopped, or failed and why."""
    beside = [hyperparameters.trial_of(one) for one in subject.outputs.get("trials", [])]
    others = [one for one in beside if one is not None and one.state != hyperparameters.COMPLETE]
    rows: list[list[Value]] = [
        [
            one.trial_id,
            Cell(one.state, tone="bad" if one.state == hyperparameters.FAILED else ""),
            ", ".join(f"{name}={value}" for name, value in sorted(one.values.items())),
            one.message,
        ]
        for one in others[:_MAX_TRIALS]
    ]
    headings = ["trial", "state", "hyperparameters", "why"]
    return [Table(headings, rows, caption="Stopped or failed")] if rows else []


def _parallel(trials: list[Trial], names: list[str], *, is_lower_better: bool) -> Chart:
    dimensions = [*names, "score"]
    rows: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for dimension in dimensions:
        values = [_along(trial, dimension) for trial in trials]
        places, ends = scale(values)
        labels += [{"dimension": dimension, "at": at, "label": label} for label, at in ends]
        for index, trial in enumerate(trials):
            # A trial without a score has no colour, a hyperparameter that it did not have no place.
            if trial.score is None or math.isnan(places[index]):
                continue
            text = format_number(values[index]) if isinstance(values[index], float) else str(values[index])
            row = {
                "trial": trial.trial_id,
                "dimension": dimension,
                "at": places[index],
                "label": text,
            }
            rows.append({**row, "score": trial.score, "is_best": index == 0})
    spec = parallel(rows, dimensions, labels, "score", is_lower_better=is_lower_better)
    description = f"Parallel coordinates of {plural(len(trials), 'trial')}; the thick line is the best"
    return Chart("Trials", spec, description, is_wide=True)


def _along(trial: Trial, dimension: str) -> Any:
    return trial.score if dimension == "score" else trial.values.get(dimension)


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
