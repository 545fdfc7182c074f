"""From the short form to an `EvalConfig`, once it is known what is evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from headrace.components.evaluator import known_metrics
from headrace.components.evaluator.known_metrics import BINARY, CLASSES, LABELS, REGRESSION, Named
from headrace.components.evaluator.looking import Looked
from headrace.components.evaluator.own_metrics import aims
from headrace.components.evaluator.short_form import OVERALL, ShortForm
from headrace.errors import DefinitionError, listed

_MAX_CLASSES = 50
"""Of more classes, no metric of each class is computed unless it is named."""

_MAX_CURVES = 10
_MAX_PAIRED = 20
_OF_CLASS = ("precision", "recall", "f1", "specificity", "npv")
_COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")
_USUAL: dict[str, tuple[str, ...]] = {
    REGRESSION: (
        "r2_score",
        "mean_absolute_error",
        "root_mean_squared_error",
        "mean_squared_error",
        "median_absolute_error",
        "mean_absolute_percentage_error",
        "mean_residual",
        "max_error",
    ),
    BINARY: (
        "auc",
        "average_precision",
        "accuracy",
        *_OF_CLASS,
        "balanced_accuracy",
        "mcc",
        "cohen_kappa",
        "log_loss",
        "brier_score",
        *_COUNTS,
    ),
    CLASSES: (
        "accuracy",
        "auc",
        "auc_ovo",
        *_OF_CLASS,
        "f1_weighted",
        "balanced_accuracy",
        "mcc",
        "cohen_kappa",
        "log_loss",
        "brier_score",
        *_COUNTS,
    ),
    LABELS: (
        "subset_accuracy",
        "hamming_loss",
        "auc",
        "auc_micro",
        "average_precision",
        *_OF_CLASS,
        "f1_micro",
        "f1_weighted",
        "log_loss",
    ),
}
# Which a model that ends without a sigmoid needs.
_PROBABILITY_SCORES = ("log_loss", "brier_score")


def usual(looked: Looked) -> list[str]:
    """Return the metrics that are computed where none are named."""
    names = list(_USUAL[looked.kind])
    if looked.has_zero:
        # A share of 0 is no number, and TFMA leaves these rows out.
        names = [name for name in names if name != "mean_absolute_percentage_error"]
    if not looked.are_probabilities:
        names = [name for name in names if name not in _PROBABILITY_SCORES]
    if looked.kind == CLASSES and not looked.are_probabilities:
        names = [name for name in names if not name.startswith("auc")]
    if looked.num_classes > _MAX_PAIRED:
        names = [name for name in names if name != "auc_ovo"]
    if not looked.has_scores:
        names = [name for name in names if not known_metrics.find(name, "").short.needs_scores]  # type: ignore[union-attr]
    return names


def expand(form: ShortForm, looked: Looked, model_spec: dict[str, Any], where: str) -> dict[str, Any]:
    """Return an `EvalConfig` in its JSON form.

    Args:
        form: What is asked for.
        looked: What is evaluated.
        model_spec: Label, prediction, weight and preprocessing.
        where: The node, for messages.

    Raises:
        DefinitionError: If a metric is not of this kind of problem.
    """
    metrics: dict[str, dict[str, Any]] = {"example_count": {"class_name": "ExampleCount"}}
    for name in form.metrics or usual(looked):
        metrics |= _metrics(known_metrics.find(name, where), looked, where, is_usual=not form.metrics)
    for name in dict.fromkeys((*form.require, *form.improve)):
        named = known_metrics.find(name, where)
        metrics |= {key: value for key, value in _metrics(named, looked, where).items() if key not in metrics}
        bounds = metrics[_number_of(named, looked)].setdefault("per_slice_thresholds", [])
        bounds.extend(_thresholds(form, name, named))
    if form.choose_threshold:
        metrics[aims.NAME] = _chosen(form, looked, where)
    specs: list[dict[str, Any]] = [{"metrics": [*metrics.values(), *_plots(looked)]}]
    if looked.kind in (CLASSES, LABELS) and _has_curves(looked):
        specs.append(
            {
                "binarize": {"class_ids": {"values": list(range(looked.num_classes))}},
                "metrics": [{"class_name": "ConfusionMatrixPlot"}],
            }
        )
    return {"model_specs": [model_spec], "slicing_specs": list(slices(form)), "metrics_specs": specs}


def _metrics(
    named: Named, looked: Looked, where: str, *, is_usual: bool = False
) -> dict[str, dict[str, Any]]:
    """Return what computes a metric, by name: of several classes for each of them, and one number of all."""
    if named.short is None:
        return {named.name: {"class_name": named.class_name}}
    short = named.short
    kinds = (*short.kinds, BINARY) if REGRESSION in short.kinds else short.kinds
    if looked.kind not in kinds:
        raise DefinitionError(
            f"{where}: '{short.name}' is of {listed(short.kinds)} problems, and this one is {looked.kind}.",
            f"choose of {listed(sorted(n for n, s in known_metrics.SHORT_NAMES.items() if looked.kind in s.kinds))}.",
        )
    if short.needs_scores and not looked.has_scores:
        raise DefinitionError(
            f"{where}: '{short.name}' reads scores, and the predictions are classes.",
            "choose metrics of classes, such as accuracy and F1, or evaluate scores.",
        )
    if short.class_name in (
        "R2Score",
        "MeanAbsoluteError",
        "MeanSquaredError",
        "MeanAbsolutePercentageError",
    ):
        return {short.name: {"class_name": short.class_name}}
    if looked.kind in (CLASSES, LABELS) and short.averages and not named.average:
        each = {short.name: _metric(short, looked, "")}
        usual_average = short.averages[0]
        all_of_them = {f"{short.name}_{usual_average}": _metric(short, looked, usual_average)}
        if is_usual and short.name in _COUNTS:
            all_of_them = {}
        if is_usual and looked.num_classes > _MAX_CLASSES:
            each = {}
        return {**all_of_them, **each}
    average = named.average if looked.kind in (CLASSES, LABELS) else ""
    return {"_".join(filter(None, (short.name, average))): _metric(short, looked, average)}


def _number_of(named: Named, looked: Looked) -> str:
    """Which of a metric's values bounds are of."""
    short = named.short
    if short is None:
        return named.name
    if looked.kind not in (CLASSES, LABELS) or not short.averages:
        return short.name
    return f"{short.name}_{named.average or short.averages[0]}"


def _metric(short: known_metrics.ShortName, looked: Looked, average: str) -> dict[str, Any]:
    config: dict[str, Any] = {"name": "_".join(filter(None, (short.name, average))), "score": short.score}
    if short.class_name != "RegressionScore":
        config["kind"] = looked.kind
    if average:
        config["average"] = average
    if short.class_name == "ClassificationScore" and not looked.are_probabilities and looked.kind != CLASSES:
        # The logarithm of odds of one half.
        config["threshold"] = 0.0
    return {"class_name": short.class_name, "config": _config(config)}


def _config(values: dict[str, Any]) -> str:
    """As TFMA has it: the inside of a JSON object."""
    return json.dumps(values, ensure_ascii=False)[1:-1]


def _chosen(form: ShortForm, looked: Looked, where: str) -> dict[str, Any]:
    if looked.kind == REGRESSION or not looked.has_scores:
        what = "a regression" if looked.kind == REGRESSION else "predicted classes"
        raise DefinitionError(
            f"{where}: choose_threshold is given, and {what} has no threshold.",
            "leave it out, or evaluate scores.",
        )
    return {
        "class_name": "ChosenThreshold",
        "config": _config({"aim": form.choose_threshold, "kind": looked.kind}),
    }


def _plots(looked: Looked) -> list[dict[str, Any]]:
    if looked.kind == REGRESSION:
        low, high = looked.extent
        config = _config({"left": low, "right": high})
        return [{"class_name": "CalibrationPlot", "config": config}] if looked.num_outputs == 1 else []
    if looked.kind == BINARY:
        return (
            [{"class_name": name} for name in ("ConfusionMatrixPlot", "CalibrationPlot")]
            if (looked.are_probabilities)
            else []
        )
    if looked.num_classes > 10 * _MAX_CLASSES:
        return []
    name = "MultiClassConfusionMatrixPlot" if looked.kind == CLASSES else "MultiLabelConfusionMatrixPlot"
    return [{"class_name": name}]


def _has_curves(looked: Looked) -> bool:
    return looked.has_scores and looked.are_probabilities and looked.num_classes <= _MAX_CURVES


def _thresholds(form: ShortForm, name: str, named: Named) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part, (low, high) in form.require.get(name, {}).items():
        bounds = {
            key: value for key, value in (("lower_bound", low), ("upper_bound", high)) if value is not None
        }
        found.append({"slicing_specs": [_slicing_spec(part)], "threshold": {"value_threshold": bounds}})
    if name in form.improve:
        change = form.improve[name]
        threshold = {
            "direction": "LOWER_IS_BETTER" if named.is_error else "HIGHER_IS_BETTER",
            "absolute": -change if named.is_error else change,
        }
        found.append({"slicing_specs": [{}], "threshold": {"change_threshold": threshold}})
    return found


def _slicing_spec(part: str) -> dict[str, Any]:
    """Of `"overall"`, `"town"`, `"town=Lugo"`, and several of them joined by commas."""
    if part.lower() == OVERALL or not part:
        return {}
    keys, values = [], {}
    for one in part.split(","):
        name, sign, value = one.strip().partition("=")
        if sign:
            values[name.strip()] = value.strip()
        else:
            keys.append(name)
    return {**({"feature_keys": keys} if keys else {}), **({"feature_values": values} if values else {})}


def slices(form: ShortForm) -> Iterator[dict[str, Any]]:
    """Yield the specs of the whole data set, of the slices asked for, and of those that bounds are of."""
    asked: Sequence[dict[str, Any]] = [
        {
            **({"feature_keys": keys} if (keys := [k for k, v in one.items() if v is None]) else {}),
            **(
                {"feature_values": values}
                if (values := {k: v for k, v in one.items() if v is not None})
                else {}
            ),
        }
        for one in form.slices
    ]
    seen: list[dict[str, Any]] = []
    for spec in [{}, *asked, *(_slicing_spec(part) for by in form.require.values() for part in by)]:
        if spec not in seen:
            seen.append(spec)
            yield spec
