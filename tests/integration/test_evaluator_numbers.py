"""Evaluator's numbers against plain arithmetic, however the rows fall into files, batches, slices and samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from evaluated_rows import columns, config, measured, read, weights, written
from evaluation import evaluate
from sklearn import metrics as sk

from headrace.components.evaluator import batches, executor

_ = (written,)  # fixtures


def regression(label: str, prediction: str, is_weighted: bool, of_slice: str) -> dict[str, float]:
    """What metrics of regression are."""
    y, p = columns(label, prediction, of_slice=of_slice)
    weight = weights(is_weighted, of_slice)

    def mean(values: np.ndarray) -> float:
        return float(np.average(values, weights=weight))

    distance = np.abs(y - p)
    covariance = np.cov(y, p, aweights=weight, ddof=0)
    return {
        "mean_absolute_error": mean(distance),
        "mean_squared_error": mean(distance**2),
        "root_mean_squared_error": mean(distance**2) ** 0.5,
        "mean_absolute_percentage_error": mean(100 * np.abs((y - p) / y)),
        "mean_squared_logarithmic_error": mean((np.log1p(y) - np.log1p(p)) ** 2),
        "squared_pearson_correlation": covariance[0, 1] ** 2 / covariance[0, 0] / covariance[1, 1],
        "r2_score": sk.r2_score(y, p, sample_weight=weight),
        "mean_label": mean(y),
        "mean_prediction": mean(p),
        "calibration": mean(p) / mean(y),
        "logcosh": mean(np.log(np.cosh(p - y))),
        "huber": mean(np.where(distance <= 1, 0.5 * distance**2, distance - 0.5)),
        "weighted_example_count": float(weight.sum()),
    }


REGRESSION = (
    "MeanAbsoluteError",
    "MeanSquaredError",
    "RootMeanSquaredError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "SquaredPearsonCorrelation",
    "R2Score",
    "MeanLabel",
    "MeanPrediction",
    "Calibration",
    {"class_name": "LogCoshError", "config": '"name": "logcosh"'},
    "Huber",
    "WeightedExampleCount",
)


@pytest.mark.parametrize(
    ("layout", "is_weighted"),
    [("an empty file", False), ("several spans", True)],
)
def test_metrics_of_regression_are_right_in_any_files(
    tmp_path: Path, written: dict[str, list[Any]], layout: str, is_weighted: bool
) -> None:
    """Over all rows and in each slice; a file more changes nothing."""
    asked = config("target", "value", *REGRESSION, is_weighted=is_weighted)

    found = measured(tmp_path, asked, written[layout])

    assert found.keys() == {"", "a", "b"}
    for key, values in found.items():
        expected = regression("target", "value", is_weighted, key)
        assert {name: values[name] for name in expected} == pytest.approx(expected, rel=2e-5), key


def test_metrics_are_right_in_small_batches_and_far_from_zero(
    tmp_path: Path, written: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels around a million that differ by a few: nothing of their variance is lost in sums of squares."""
    monkeypatch.setattr(batches, "_BATCH_ROWS", 4)
    asked = config("far", "far_value", "R2Score", "MeanSquaredError")

    found = measured(tmp_path, asked, written["several files"])

    for key, values in found.items():
        expected = regression("far", "far_value", False, key)
        assert values["r2_score"] == pytest.approx(expected["r2_score"], rel=1e-9)
        assert values["mean_squared_error"] == pytest.approx(expected["mean_squared_error"], rel=1e-9)


@pytest.mark.parametrize("method", ["JACKKNIFE", "POISSON_BOOTSTRAP"])
def test_values_with_intervals_are_those_without(
    tmp_path: Path, written: dict[str, list[Any]], method: str
) -> None:
    """Each sample is merged over files like the rows themselves: the interval lies around the value."""
    options = {"compute_confidence_intervals": True, "confidence_intervals": {"method": method}}
    asked = config("target", "value", "MeanSquaredError", "R2Score", options=options, slicing_specs=[{}])

    evaluation, _ = evaluate(tmp_path, asked, {"examples": written["several files"]})

    expected = regression("target", "value", False, "")
    result = tfma.load_eval_result(evaluation.uri)
    assert len(result.slicing_metrics) == 1
    for name in ("mean_squared_error", "r2_score"):
        proto = result.slicing_metrics[0][1][""][""][name]
        bounds = proto["boundedValue"]
        assert bounds["value"] == pytest.approx(expected[name], rel=1e-6)
        assert bounds["lowerBound"] < expected[name] < bounds["upperBound"]


def test_metrics_that_tfma_adds_up_row_by_row_are_recorded(
    tmp_path: Path, written: dict[str, list[Any]]
) -> None:
    """Each row costs them a hundred times as much; of others nothing is said."""
    recorded: dict[str, dict[str, str]] = {}
    for name in ("SquaredPearsonCorrelation", "MeanSquaredError"):
        recorded[name] = {}
        asked = config("target", "value", name)
        evaluate(tmp_path / name, asked, {"examples": written["one file"]}, recorded=recorded[name])

    reason = "TFMA itself adds up 'squared_pearson_correlation', row by row"
    assert {name: given["headrace_implementation"] for name, given in recorded.items()} == dict.fromkeys(
        recorded, "own"
    )
    assert recorded["SquaredPearsonCorrelation"]["headrace_implementation_reason"] == reason
    assert "headrace_implementation_reason" not in recorded["MeanSquaredError"]


def test_with_another_tfma_tfxs_own_executor_evaluates(
    tmp_path: Path, written: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers are the same, and the record says who made them."""
    asked, recorded = config("target", "value", "MeanSquaredError"), dict[str, str]()
    ours = measured(tmp_path / "ours", asked, written["one file"])
    monkeypatch.setattr(executor, "NEEDS_STOCK", "TFMA 9.9 has another _Foo")

    evaluation, _ = evaluate(tmp_path / "stock", asked, {"examples": written["one file"]}, recorded=recorded)

    assert read(evaluation)[""] == pytest.approx(ours[""], rel=1e-6)
    assert recorded["headrace_implementation"] == "stock"
    assert recorded["headrace_implementation_reason"] == "TFMA 9.9 has another _Foo"


def test_tfmas_own_pipeline_merges_files_right(tmp_path: Path, written: dict[str, list[Any]]) -> None:
    """What goes row by row through TFMA is merged by Beam, in the order in which workers are done."""
    across = [{"baseline_spec": {}, "slicing_specs": [{"feature_keys": ["slice"]}]}]
    asked = config("target", "value", *REGRESSION, is_weighted=True, cross_slicing_specs=across)

    evaluation, _ = evaluate(tmp_path, asked, {"examples": written["several files"]})

    expected = regression("target", "value", True, "a")
    found = {key: value for key, value in read(evaluation)["a"].items() if key in expected}
    assert found == pytest.approx(expected, rel=2e-5)
