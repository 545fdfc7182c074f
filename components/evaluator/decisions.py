"""The thresholds that a finished evaluation chose, taken out of its metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from headrace.components.evaluator.outcome import Metrics
from headrace.components.evaluator.own_metrics import aims
from headrace.formats.decisions import Decision, Decisions
from headrace.formats.evaluations import files

_CLASS_NAME = "ChosenThreshold"


def taken(config: Any, folder: str, splits: Sequence[str]) -> Decisions | None:
    """Return what was chosen on all rows for the candidate; `None` where nothing was asked for.

    Args:
        config: The `EvalConfig` that was evaluated.
        folder: Of the evaluation.
        splits: That were evaluated.
    """
    asked = [one for spec in config.metrics_specs for one in spec.metrics if one.class_name == _CLASS_NAME]
    if not asked:
        return None
    text = asked[0].config
    # As TFMA reads it: with or without braces.
    settings = json.loads(text if text.startswith("{") else f"{{{text}}}")
    name, aim = settings.get("name", aims.NAME), settings.get("aim") or aims.USUAL
    baseline = next((spec.name for spec in config.model_specs if spec.is_baseline), None)
    metrics = Metrics.read(folder)
    by_class: dict[int | None, dict[str, float]] = {}
    for key, value in metrics.by_slice.get((), {}).items():
        proto = metrics.keys[key]
        measure = proto.name.removeprefix(name).lstrip("_") or aims.THRESHOLD
        is_asked = proto.name == name or (proto.name.startswith(f"{name}_") and measure in aims.MEASURES)
        if not is_asked or proto.is_diff or (baseline is not None and proto.model_name == baseline):
            continue
        number = proto.sub_key.class_id.value if proto.sub_key.HasField("class_id") else None
        by_class.setdefault(number, {})[measure] = value
    names = files.read_class_names(folder)
    found = []
    for number, values in sorted(by_class.items(), key=lambda item: -1 if item[0] is None else item[0]):
        threshold = values.pop(aims.THRESHOLD, float("nan"))
        of_class = "" if number is None else names[number] if number < len(names) else str(number)
        known = {measure: value for measure, value in values.items() if math.isfinite(value)}
        found.append(Decision(of_class, threshold if math.isfinite(threshold) else None, known))
    spec = next((spec for spec in config.model_specs if not spec.is_baseline), None)
    checked = aims.check(
        json.loads(aim) if isinstance(aim, str) and aim.startswith("{") else aim, _CLASS_NAME
    )
    return Decisions(checked, spec.label_key if spec is not None else "", list(splits), found)
