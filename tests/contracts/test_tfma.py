"""What the Evaluator builds on of TFMA's private parts: a version that changes one is noticed here."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from google.protobuf import json_format
from planted import anew, executor_of, fresh, plant
from recording import context
from tensorflow_model_analysis.evaluators import metrics_plots_and_validations_evaluator as evaluator
from tensorflow_model_analysis.metrics import (
    calibration,
    calibration_histogram,
    mean_regression_error,
    metric_specs,
    metric_types,
)
from tensorflow_model_analysis.proto import config_pb2

from headrace.components.evaluator import combiners, execution, merging, tfma_internals

BATCHED = (
    "ExampleCount",
    "WeightedExampleCount",
    "AUC",
    "BinaryAccuracy",
    "CalibrationPlot",
    "MeanLabel",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "MultiClassConfusionMatrixPlot",
    "RootMeanSquaredError",
    "ConfusionMatrixAtThresholds",
    "R2Score",
)


def combined(*names: Any) -> list[Any]:
    """The computations of metrics that combine rows."""
    metrics = [{"class_name": name} if isinstance(name, str) else name for name in names]
    asked = json_format.ParseDict(
        {"model_specs": [{"label_key": "label"}], "metrics_specs": [{"metrics": metrics}]},
        config_pb2.EvalConfig(),
    )
    computations = metric_specs.to_computations(list(asked.metrics_specs), eval_config=asked)
    return [one for one in computations if isinstance(one, metric_types.MetricComputation)]


def test_tfmas_private_names_have_the_form_that_batches_build_on() -> None:
    """A new version of TFMA that changes one of them fails here, and goes row by row until it is looked at."""
    plain = [
        one if one != "ConfusionMatrixAtThresholds" else {"class_name": one, "config": '"thresholds": [0.5]'}
        for one in BATCHED
    ]
    computations = combined(*plain)

    assert tfma_internals.MISSING == ""
    assert tfma_internals.UNKNOWN_HISTOGRAMS == ""
    assert executor_of("evaluator").NEEDS_STOCK == ""
    assert {type(one.combiner) for one in computations} >= set(tfma_internals.FIELDS)
    assert all(combiners.takes_batches(one) for one in computations)


@pytest.mark.parametrize("name", BATCHED[:14])
def test_a_combiner_of_another_form_is_left_to_tfma(name: str) -> None:
    """A field that is new, or gone, may change what is computed."""
    for change in ("more", "less"):
        for computation in combined(name):
            fields = vars(computation.combiner)
            if change == "more":
                fields["_new_setting"] = True
            else:
                fields.pop(sorted(fields)[0])
            assert not combiners.takes_batches(computation)


def test_every_combiner_of_tfma_merges_a_list_like_an_iterator() -> None:
    """The first of several accumulators counts once, in whatever is handed over."""
    combiner = mean_regression_error._MeanSquaredErrorCombiner(
        None, "", "", metric_types.MetricKey("m"), False, None, None
    )
    parts = [combiner.create_accumulator() for _ in range(2)]
    for number, part in enumerate(parts):
        part.total_regression_error, part.total_example_weights = 3.0 * number, 1.0

    assert combiner.extract_output(combiner.merge_accumulators(parts)) == {metric_types.MetricKey("m"): 1.5}
    assert merging is not None


@pytest.mark.parametrize("name", ["MeanLabel", "MeanSquaredError", "BinaryCrossEntropy"])
def test_a_combiner_with_an_accumulator_of_another_form_is_left_to_tfma(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added up here would not be what TFMA reads."""
    (computation,) = combined(name)
    total = type("Total", (), {"__init__": lambda self: self.__dict__.update(total_of_all=0.0)})
    monkeypatch.setattr(type(computation.combiner), "create_accumulator", lambda self: total())

    assert not combiners.takes_batches(computation)


def test_a_metric_of_a_combiner_that_is_gone_is_left_to_tfma(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed class is one that nobody knows."""
    renamed = type("_Renamed", (calibration._WeightedLabelsPredictionsExamplesCombiner,), {})
    monkeypatch.delattr(calibration, "_WeightedLabelsPredictionsExamplesCombiner")

    found = anew(tfma_internals)

    assert found.MISSING == ""
    assert not found.is_known(renamed(metric_types.MetricKey("m"), None, None, None, False))


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (evaluator, "_PreprocessorDoFn", None),
        (evaluator, "_DEFAULT_COMBINER_INPUT_KEY", None),
        (evaluator, "_get_confidence_interval_params", lambda eval_config, metrics_specs, method: None),
        (metric_types, "SubKey", lambda class_id, k, top_k, threshold: None),
        (calibration_histogram, "Bucket", lambda bucket_id, weighted_labels: None),
    ],
)
def test_without_a_part_of_the_known_form_the_evaluation_is_tfmas(
    owner: Any, name: str, planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names version and part; it is what the executor records."""
    plant(monkeypatch, owner, name, planted)

    missing = anew(tfma_internals).MISSING

    assert missing.startswith("TFMA 0.")
    assert missing.endswith(f"has {'no' if planted is None else 'another'} {name}")
    monkeypatch.setattr(tfma_internals, "MISSING", missing)
    assert execution._needs_tfma(None) == missing


def test_other_arithmetic_on_histograms_is_left_to_tfma(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is added up here all the same."""
    monkeypatch.setattr(calibration_histogram, "rebin", lambda thresholds, histogram, bins: [])

    found = anew(tfma_internals)

    assert found.UNKNOWN_HISTOGRAMS.endswith("another rebin")
    assert found.MISSING == ""


def test_without_an_internal_module_tfxs_own_executor_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of Headrace's Evaluator can be imported then, but for what hands the work on."""
    monkeypatch.delattr("tensorflow_model_analysis.slicer.slicer_lib")
    monkeypatch.setitem(sys.modules, "tensorflow_model_analysis.slicer.slicer_lib", None)
    with fresh("headrace.components.evaluator"):
        executor = executor_of("evaluator")
        asked = context()
        calls: list[Any] = []
        from headrace.components.evaluator import stock

        monkeypatch.setattr(stock, "run", lambda *given: calls.append(given))
        executor.Executor().execute(asked)

    assert "slicer_lib" in executor.NEEDS_STOCK
    assert len(calls) == 1
    assert (asked.implementation.name, asked.implementation.reason) == ("stock", executor.NEEDS_STOCK)
