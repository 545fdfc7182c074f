"""What Evaluator says of labels, predictions and metrics before it computes anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from evaluated_rows import config, example, write
from evaluation import eval_config, fails
from tensorflow_model_analysis.utils.keras_lib import tf_keras

from headrace.components.evaluator import batch_checks, metric_names
from headrace.errors import DefinitionError, HeadraceError


def sparse(counts: list[int]) -> Any:
    """A ragged feature with so many values in each row."""
    indices = [[row, at] for row, count in enumerate(counts) for at in range(count)]
    return tfma.types.VarLenTensorValue(
        values=np.ones(len(indices), np.float32),
        indices=np.array(indices, np.int64).reshape(-1, 2),
        dense_shape=np.array([len(counts), max(counts)]),
    )


ONES = np.ones((4, 1), np.float32)
SCORES = np.full((4, 3), 0.3, np.float32)
NAN = np.array([0.1, np.nan, 0.2, np.nan], np.float32)


@pytest.mark.parametrize(
    ("labels", "predictions", "metric", "expected"),
    [
        (
            ONES,
            NAN,
            "AUC",
            "the model's output is NaN for 2 of 4 rows, and no metric is computed of such predictions.",
        ),
        (ONES, NAN.reshape(4, 1), "MeanSquaredError", "the model's output is NaN for 2 of 4 rows"),
        (
            ONES,
            np.array([[0.1], [np.inf], [0], [0]]),
            "AUC",
            "the model's output is infinite for 1 of 4 rows",
        ),
        (
            ONES,
            {"probabilities": NAN, "id": np.array([b"a"] * 4, object)},
            "AUC",
            "the model's output 'probabilities' is NaN for 2 of 4 rows",
        ),
        (
            np.array([b"no", b"yes", b"no", b"no"], object),
            ONES,
            "BinaryAccuracy",
            "label_key 'y' holds text such as 'no', and BinaryAccuracy needs numbers.",
        ),
        (
            ONES,
            np.array([b"cat"] * 4, object),
            "AUC",
            "the model's output is text such as 'cat', and AUC needs numbers.",
        ),
        (None, ONES, "AUC", "label_key 'y' has no value in 4 of 4 rows."),
        (sparse([1, 0, 1, 0]), ONES, "AUC", "label_key 'y' has no value in 2 of 4 rows."),
        (ONES, sparse([1, 1, 1, 0]), "AUC", "the model's output has no value in 1 of 4 rows."),
        (NAN, ONES, "MeanSquaredError", "label_key 'y' is NaN in 2 of 4 rows."),
        (
            np.array([[0], [1], [7], [9]]),
            SCORES,
            "SparseCategoricalAccuracy",
            "label_key 'y' is 7 in 2 of 4 rows, and the model has 3 outputs, for classes 0 to 2.",
        ),
        (
            np.ones((4, 2)),
            SCORES,
            "CategoricalAccuracy",
            "label_key 'y' has 2 values in a row, and the model's output 3.",
        ),
        (np.ones((4, 2)), ONES, "AUC", "label_key 'y' has 2 values in a row, and the model's output 1."),
    ],
)
def test_labels_and_predictions_that_no_metric_can_read(
    labels: Any, predictions: Any, metric: str, expected: str
) -> None:
    """What is wrong, in how many rows, and a cure; also where the metric beside it reads neither."""
    asked = eval_config("ExampleCount", metric)
    readers = batch_checks.Readers.of(asked.metrics_specs)

    with pytest.raises(HeadraceError) as caught:
        batch_checks.check({"labels": labels, "predictions": predictions}, asked.model_specs, readers, 4)

    assert caught.value.problem.startswith(expected)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("labels", "predictions", "metric"),
    [
        (ONES, ONES, "AUC"),
        (ONES[:, 0], ONES, "AUC"),
        (sparse([1, 1, 1, 1]), ONES, "AUC"),
        (sparse([2, 0, 1, 0]), SCORES, "AUC"),
        (np.array([[0], [1], [-1], [2]]), SCORES, "SparseCategoricalAccuracy"),
        (SCORES, SCORES, "CategoricalAccuracy"),
        (None, NAN, "ExampleCount"),
        (ONES, {"probabilities": ONES, "id": np.array([b"a"] * 4, object)}, "AUC"),
        (None, ONES, "MeanPrediction"),
        (np.array([b"a"] * 4, object), np.array([b"b"] * 4, object), "ExactMatch"),
        (
            np.array([b"a"] * 4, object),
            {"scores": SCORES, "classes": np.array([[b"a", b"b", b"c"]] * 4)},
            "AUC",
        ),
    ],
)
def test_what_can_be_read_passes(labels: Any, predictions: Any, metric: str) -> None:
    """Classes of Estimators, text for metrics of text, rows of no class, labels that a metric does not read."""
    asked = eval_config(metric)

    batch_checks.check(
        {"labels": labels, "predictions": predictions},
        asked.model_specs,
        batch_checks.Readers.of(asked.metrics_specs),
        4,
    )


def test_a_model_without_a_label_key_is_named() -> None:
    """Where a metric reads labels."""
    asked = eval_config("ExampleCount", "AUC")
    asked.model_specs[0].label_key = ""
    readers = batch_checks.Readers.of(asked.metrics_specs)

    with pytest.raises(DefinitionError, match="model_spec has no label_key, and AUC needs labels"):
        batch_checks.check({"labels": None, "predictions": ONES}, asked.model_specs, readers, 4)


def test_a_feature_that_a_file_lacks_is_missing_in_all_of_its_rows(tmp_path: Path) -> None:
    """The label is there, in the rows of another file."""
    records = [example({"y": np.float32(1), "p": np.float32(1)}), example({"p": np.float32(1)})]

    error = fails(
        tmp_path,
        config("y", "p", "AUC", slicing_specs=[{}]),
        {"examples": write(tmp_path, records, [[1, 1]])},
    )

    assert error.problem == "label_key 'y' has no value in 1 of 1 rows."


# Each of them is computed by TFMA's own extractors and evaluators.
CROSS = {"cross_slicing_specs": [{"baseline_spec": {}, "slicing_specs": [{"feature_keys": ["q"]}]}]}
BY_QUERY = {"metrics_specs": [{"metrics": [{"class_name": "MinLabelPosition"}], "query_key": "q"}]}
SCORED = np.array([0.2, 0.5, 0.3], np.float32)


@pytest.mark.parametrize(
    ("rows", "metric", "more", "problem"),
    [
        ([{}, {"y": 1}], "AUC", CROSS, "label_key 'y' has no value in 1 of 2 rows."),
        ([{"y": 1}, {}], "", BY_QUERY, "label_key 'y' has no value in 1 of 2 rows."),
        ([{"y": "no"}, {"y": "yes"}], "AUC", CROSS, "label_key 'y' holds text such as 'no', and AUC needs"),
        ([{"y": "no"}, {"y": "yes"}], "", BY_QUERY, "label_key 'y' holds text such as 'no', and MinLabelPo"),
        (
            [{"y": 0, "p": SCORED}, {"y": 3, "p": SCORED}],
            "SparseCategoricalAccuracy",
            CROSS,
            "label_key 'y' is 3 in 1 of 2 rows, and the model has 3 outputs, for classes 0 to 2.",
        ),
    ],
)
def test_tfmas_own_way_says_the_same(tmp_path: Path, rows: Any, metric: str, more: Any, problem: str) -> None:
    """Of query metrics and crossed slices, which TFMA computes row by row."""
    records = [example({"p": np.float32(0.5), "q": "a", **row}) for row in rows]
    asked = config("y", "p", metric, slicing_specs=[{}, {"feature_keys": ["q"]}])

    error = fails(tmp_path, {**asked, **more}, {"examples": write(tmp_path, records, [[len(rows)]])})

    assert error.problem.startswith(problem)
    assert error.fix


def test_extractors_of_the_users_own_are_checked_too(tmp_path: Path) -> None:
    """TFMA's default ones, from a function in a file."""
    module = tmp_path / "extract.py"
    module.write_text(
        "import tensorflow_model_analysis as tfma\n"
        "def custom_extractors(eval_shared_model, eval_config, tensor_adapter_config):\n"
        "    return tfma.default_extractors(eval_shared_model, eval_config)\n"
    )
    records = [example({"p": np.float32(1), "y": "no"})]

    error = fails(
        tmp_path,
        config("y", "p", "AUC", slicing_specs=[{}]),
        {"examples": write(tmp_path, records, [[1]])},
        module_file=str(module),
    )

    assert error.problem.startswith("label_key 'y' holds text such as 'no', and AUC needs numbers.")


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ([{"class_name": "NDCG", "config": '"gain_key": "gain"'}], ""),
        ([{"class_name": "MinLabelPosition", "config": '"label_key": "other"'}], ""),
        (["MinLabelPosition"], "MinLabelPosition"),
    ],
)
def test_metrics_of_queries_may_read_a_label_of_their_own(metrics: list[Any], expected: str) -> None:
    """Then what label_key names may be missing."""
    assert batch_checks.Readers.of(eval_config(*metrics).metrics_specs).labels == expected


def test_a_range_beyond_0_to_1_is_named(tmp_path: Path) -> None:
    """CalibrationPlot without ends, of a regression."""
    records = [example({"y": np.float32(at), "p": np.float32(at)}) for at in range(4)]

    error = fails(
        tmp_path,
        config("y", "p", "CalibrationPlot", slicing_specs=[{}]),
        {"examples": write(tmp_path, records, [[4]])},
    )

    assert error.problem.startswith(
        "label_key 'y' is 2 in a row, and CalibrationPlot reads labels from 0 to 1."
    )


def test_a_missing_prediction_feature_is_named(tmp_path: Path) -> None:
    """Without a model, predictions are a feature like the label."""
    records = [example({"y": np.float32(1), "p": np.float32(1)})]

    error = fails(tmp_path, config("y", "q", "AUC"), {"examples": write(tmp_path, records, [[1]])})

    assert error.problem.startswith(
        "evaluator: prediction_key 'q' is no feature of the data. It has 'p', 'y'"
    )


@pytest.mark.parametrize(
    ("metric", "problem", "fix"),
    [
        ("FalsePositiveRate", "there is no metric 'FalsePositiveRate'", "did you mean 'FPR'?"),
        ("ResidualPlot", "there is no metric 'ResidualPlot'", "did you mean 'CalibrationPlot'?"),
        ("RMSE", "there is no metric 'RMSE'", "did you mean 'RootMeanSquaredError'?"),
        ("Hubre", "there is no metric 'Hubre'", "did you mean 'Huber'?"),
        ("Sum", "Keras' 'Sum' is the sum of values", "choose a metric such as"),
        ({"class_name": "PearsonCorrelation", "module": "keras.metrics"}, "there is no metric 'PearsonC", ""),
        (
            {"class_name": "RecallAtPrecision", "config": '"precison": 0.5'},
            "metric 'RecallAtPrecision' cannot be made with config \"precison\": 0.5: ",
            "correct its config. It takes 'class_id', 'name', 'num_thresholds', 'precision'",
        ),
        (
            {"class_name": "AUC", "config": "{bad"},
            "metric 'AUC' cannot be made with config {bad: ",
            "correct its",
        ),
        (
            {"class_name": "Mine", "module": "no_such_module"},
            "module 'no_such_module' of metric 'Mine' cannot",
            "",
        ),
        ({"class_name": "Mine", "module": "json"}, "module 'json' has no metric 'Mine'. It has none.", ""),
        (
            {"class_name": "JSONDecoder", "module": "json"},
            "'JSONDecoder' of module 'json' is no metric",
            "derive",
        ),
    ],
)
def test_metrics_that_are_none(metric: Any, problem: str, fix: str) -> None:
    """Names of elsewhere, typing errors, classes that are no metrics, config that a metric does not take."""
    asked = eval_config(metric)
    metric_names.resolve(asked)

    with pytest.raises(DefinitionError) as caught:
        metric_names.check(asked, "evaluator: eval_config")

    assert caught.value.problem.startswith(f"evaluator: eval_config: {problem}")
    assert caught.value.fix.startswith(fix)


def test_plots_have_no_average_over_classes() -> None:
    """TFMA would fail after the evaluation, with all of its results in the message."""
    asked = eval_config(
        "AUC", "ConfusionMatrixPlot", aggregate={"macro_average": True, "class_weights": {"0": 1.0}}
    )

    with pytest.raises(DefinitionError, match="'ConfusionMatrixPlot' is no number, so it has no average"):
        metric_names.check(asked, "evaluator: eval_config")


@pytest.mark.parametrize(
    ("given", "module"),
    [
        ({"class_name": "Huber"}, tf_keras.losses.Loss.__module__),
        ({"class_name": "Huber", "module": "tf.keras.losses"}, tf_keras.losses.Loss.__module__),
        ({"class_name": "MeanAbsoluteError", "module": "keras.losses"}, tf_keras.losses.Loss.__module__),
        ({"class_name": "RootMeanSquaredError", "module": "tf_keras.metrics"}, ""),
        ({"class_name": "AUC"}, ""),
        ({"class_name": "AUC", "module": "my.own"}, "my.own"),
    ],
)
def test_keras_classes_are_found_by_their_name(given: dict[str, str], module: str) -> None:
    """Losses too, under whatever name Keras is imported."""
    asked = eval_config(given)

    metric_names.resolve(asked)

    assert asked.metrics_specs[0].metrics[0].module == module


def test_metrics_of_no_kind_read_nothing() -> None:
    """An evaluation of counts alone runs on rows without a label."""
    specs = [SimpleNamespace(metrics=[SimpleNamespace(class_name="ExampleCount", config="")])]

    assert batch_checks.Readers.of(specs) == batch_checks.Readers("", "", "")
