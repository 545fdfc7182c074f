"""Evaluator's confidence intervals against TFMA's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from conftest_serving import taxi_examples, taxi_models
from evaluation import SPEC, assert_close, evaluate, tables
from tfx.components.evaluator.executor import Executor as StockExecutor

from headrace.components.evaluator import intervals
from headrace.formats.evaluations.metrics import read_errors, read_metrics

_ = (taxi_examples, taxi_models)  # fixtures
SEED = 7
METRICS = ("ExampleCount", "BinaryAccuracy", "AUC", "MeanPrediction", "CalibrationPlot")


def config(method: str, *slices: str, **more: Any) -> dict[str, Any]:
    """Metrics with intervals, over all rows and by features."""
    return {
        "model_specs": [SPEC],
        "metrics_specs": [{"metrics": [{"class_name": name} for name in METRICS]}],
        "slicing_specs": [{}, *[{"feature_keys": [name]} for name in slices]],
        "options": {"compute_confidence_intervals": True, "confidence_intervals": {"method": method}},
        **more,
    }


def bounds(evaluation: Any) -> dict[tuple[str, str], tuple[float, float]]:
    """Standard error and value by slice and metric."""
    return {
        (slice_key, item["key"]["name"]): (
            item["confidenceInterval"]["standardError"]["doubleValue"],
            item["value"]["doubleValue"],
        )
        for slice_key, items in tables(evaluation)["metrics"].items()
        for item in items
        if "confidenceInterval" in item
    }


def test_jackknife_equals_tfmas_where_both_leave_out_the_same_rows(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Point estimates, errors, bounds and degrees of freedom, of candidate, baseline and their difference."""
    models = [{"name": "candidate", **SPEC}, {"name": "baseline", "is_baseline": True, **SPEC}]
    inputs = {
        "examples": [taxi_examples],
        "model": [taxi_models["binary"]],
        "baseline_model": [taxi_models["baseline"]],
    }
    run = tfma.ExtractEvaluateAndWriteResults
    seeded = lambda **given: run(random_seed_for_testing=SEED, **given)  # noqa: E731
    monkeypatch.setattr(tfma, "ExtractEvaluateAndWriteResults", seeded)

    class Generator:
        """Draws as TFMA does: row after row, from the generator of the time before `default_rng`."""

        def integers(self, high: int, size: int) -> Any:
            state = np.random.RandomState(SEED)
            return np.array([state.randint(high) for _ in range(size)])

    asked = config("JACKKNIFE", model_specs=models)
    stock, _ = evaluate(tmp_path / "stock", asked, inputs, StockExecutor)
    monkeypatch.setattr(np.random, "default_rng", lambda seed: Generator())
    ours, _ = evaluate(tmp_path / "ours", asked, inputs)

    assert_close(tables(ours), tables(stock))
    assert len(bounds(ours)) == 4


def test_poisson_bootstrap_spreads_as_tfmas_does(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Both draw at random: values are equal, standard errors alike over many slices."""
    names = ("BinaryAccuracy", "MeanPrediction", "MeanSquaredError")
    metrics = [{"metrics": [{"class_name": name} for name in names]}]
    asked = config("POISSON_BOOTSTRAP", "trip_start_day", metrics_specs=metrics)
    inputs = {"examples": [taxi_examples], "model": [taxi_models["binary"]]}

    few = {"example_splits": '["train"]'}
    stock, _ = evaluate(tmp_path / "stock", asked, inputs, StockExecutor, **few)
    ours, _ = evaluate(tmp_path / "ours", asked, inputs, **few)

    mine, theirs = bounds(ours), bounds(stock)
    assert mine.keys() == theirs.keys()
    assert {key: value for key, (_, value) in mine.items()} == pytest.approx(
        {key: value for key, (_, value) in theirs.items()}, rel=1e-5
    )
    ratios = [mine[key][0] / theirs[key][0] for key in mine]
    # Of 20 samples an error is known to a sixth; its logarithm is averaged over eight slices of three metrics.
    assert len(ratios) == 24
    assert abs(np.log(ratios).mean()) < 0.25


def test_metrics_that_go_row_by_row_have_intervals_too(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Top k is beyond what batches express."""
    metrics = [{"binarize": {"top_k_list": {"values": [2]}}, "metrics": [{"class_name": "Recall"}]}]
    models = [{**SPEC, "label_key": "class"}]
    asked = config("POISSON_BOOTSTRAP", metrics_specs=metrics, model_specs=models)

    ours, _ = evaluate(
        tmp_path,
        asked,
        {"examples": [taxi_examples], "model": [taxi_models["classes"]]},
        example_splits='["train"]',
    )

    ((error, value),) = bounds(ours).values()
    assert 0 < error < 0.05 < value


def test_a_slice_too_small_for_the_jackknife_says_so(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """A slice of one row is empty where the row is left out: its metrics have no interval, and TFMA's reason."""
    asked = config("JACKKNIFE", "pickup_census_tract", "company")
    inputs = {"examples": [taxi_examples], "model": [taxi_models["binary"]]}

    ours, _ = evaluate(tmp_path, asked, inputs)

    errors = dict(read_errors(ours.uri))
    assert errors
    assert set(errors.values()) == {"CI not computed because only 19 samples were non-empty. Expected 20."}
    with_interval = {metric.slice_name for metric in read_metrics(ours.uri) if metric.low is not None}
    assert not with_interval & errors.keys()
    assert "Overall" in with_interval


def test_equal_inputs_give_equal_intervals(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """What is drawn at random depends on the rows' place alone: the cache compares contents."""
    asked = config("POISSON_BOOTSTRAP", "payment_type")
    inputs = {"examples": [taxi_examples], "model": [taxi_models["binary"]]}

    first, second = (evaluate(tmp_path / name, asked, inputs)[0] for name in ("first", "second"))

    for path in Path(first.uri).iterdir():
        assert path.read_bytes() == Path(second.uri, path.name).read_bytes(), path.name


@pytest.mark.parametrize("is_jackknife", [True, False])
def test_samples_hold_rows_of_their_slice(is_jackknife: bool) -> None:
    """A jackknife's samples each leave out other rows, and all rows once; a bootstrap's repeat some."""
    rows = {(): None, (("a", 1),): np.array([1, 3, 5])}
    drawn = intervals.Sampling(20, is_jackknife).rows_by_sample(rows, 1000, (0, 0))

    assert drawn[(), intervals.ALL_ROWS] is None
    samples = [drawn[(), number] for number in range(20)]
    if is_jackknife:
        left_out = np.concatenate([np.setdiff1d(np.arange(1000), sample) for sample in samples])
        assert sorted(left_out.tolist()) == list(range(1000))
    else:
        assert np.mean([len(sample) for sample in samples]) == pytest.approx(1000, abs=30)
        assert np.mean([len(np.unique(sample)) for sample in samples]) == pytest.approx(632, abs=15)
    assert all(set(drawn[key, number].tolist()) <= {1, 3, 5} for key, number in drawn if key and number >= 0)
