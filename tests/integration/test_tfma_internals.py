"""What Evaluator's batches build on of TFMA's private parts: a new version that changes it is noticed here."""

from __future__ import annotations

from typing import Any

import pytest
from evaluation import eval_config
from tensorflow_model_analysis.metrics import mean_regression_error, metric_specs, metric_types

from headrace.components.evaluator import combiners, merging, tfma_internals

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
    asked = eval_config(*names)
    computations = metric_specs.to_computations(list(asked.metrics_specs), eval_config=asked)
    return [one for one in computations if isinstance(one, metric_types.MetricComputation)]


def test_tfmas_private_names_have_the_form_that_batches_build_on() -> None:
    """A new version of TFMA that changes one of them fails here, and goes row by row until it is looked at."""
    plain = [
        one if one != "ConfusionMatrixAtThresholds" else {"class_name": one, "config": '"thresholds": [0.5]'}
        for one in BATCHED
    ]
    computations = combined(*plain)

    assert tfma_internals.MISSING == ()
    assert tfma_internals.MATRICES_EPSILON is not None
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
