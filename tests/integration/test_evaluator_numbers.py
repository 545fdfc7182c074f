"""Evaluator's numbers against plain arithmetic, however the rows fall into files, batches, slices and samples."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from conftest_serving import model_artifact
from evaluated_rows import LAYOUTS, config, example, measured, read, rows, write
from evaluation import evaluate
from sklearn import metrics as sk
from tfx.components.evaluator.executor import Executor as StockExecutor

from headrace.components.evaluator import batches, merging
from headrace.components.evaluator.executor import Executor
from headrace.reports.evaluation_plots import read_plots

ROWS = rows()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The same rows in each layout."""
    records = [example(row) for row in ROWS]
    return {name: write(tmp_path_factory.mktemp("rows"), records, layout) for name, layout in LAYOUTS.items()}


def columns(*names: str, of_slice: str = "") -> list[np.ndarray]:
    """Columns of the rows of a slice, in float64."""
    kept = [row for row in ROWS if of_slice in ("", row["slice"])]
    return [np.array([row[name] for row in kept], np.float64) for name in names]


def weights(is_weighted: bool, of_slice: str) -> np.ndarray:
    """Of the rows of a slice."""
    (found,) = columns("weight", of_slice=of_slice)
    return found if is_weighted else np.ones_like(found)


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
        "example_count": float(len(y)),
        **({"weighted_example_count": float(weight.sum())} if is_weighted else {}),
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
    "ExampleCount",
)


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_metrics_of_regression_are_right_in_any_files(
    tmp_path: Path, written: dict[str, list[Any]], layout: str, is_weighted: bool
) -> None:
    """Over all rows and in each slice; a file more changes nothing."""
    asked = config("target", "value", *REGRESSION, is_weighted=is_weighted)

    found = measured(tmp_path, asked, written[layout])

    assert found.keys() == {"", "a", "b"}
    for key, values in found.items():
        assert values == pytest.approx(regression("target", "value", is_weighted, key), rel=2e-5), key


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


def test_tfmas_own_pipeline_merges_files_right(tmp_path: Path, written: dict[str, list[Any]]) -> None:
    """What goes row by row through TFMA is merged by Beam, in the order in which workers are done."""
    across = [{"baseline_spec": {}, "slicing_specs": [{"feature_keys": ["slice"]}]}]
    asked = config("target", "value", *REGRESSION, is_weighted=True, cross_slicing_specs=across)

    evaluation, _ = evaluate(tmp_path, asked, {"examples": written["several files"]})

    expected = regression("target", "value", True, "a")
    found = {key: value for key, value in read(evaluation)["a"].items() if key in expected}
    assert found == pytest.approx(expected, rel=2e-5)


def test_every_combiner_of_tfma_merges_a_list_like_an_iterator() -> None:
    """The first of several accumulators counts once, in whatever is handed over."""
    from tensorflow_model_analysis.metrics import mean_regression_error, metric_types

    combiner = mean_regression_error._MeanSquaredErrorCombiner(
        None, "", "", metric_types.MetricKey("m"), False, None, None
    )
    parts = [combiner.create_accumulator() for _ in range(2)]
    for number, part in enumerate(parts):
        part.total_regression_error, part.total_example_weights = 3.0 * number, 1.0

    assert combiner.extract_output(combiner.merge_accumulators(parts)) == {metric_types.MetricKey("m"): 1.5}
    assert merging is not None


def binary(is_weighted: bool) -> dict[str, float]:
    """What metrics of two classes are."""
    y, p = columns("is_it", "share")
    weight = weights(is_weighted, "")
    given = {"sample_weight": weight}
    loss = -y * np.log(p) - (1 - y) * np.log(1 - p)
    return {
        "auc": sk.roc_auc_score(y, p, **given),
        "binary_accuracy": sk.accuracy_score(y, p > 0.5, **given),
        "precision": sk.precision_score(y, p > 0.5, **given),
        "recall": sk.recall_score(y, p > 0.5, **given),
        "f1_score": sk.f1_score(y, p > 0.5, **given),
        "fbeta": sk.fbeta_score(y, p > 0.5, beta=2, **given),
        "binary_crossentropy": float(np.average(loss, weights=weight)),
        "keras_loss": float(np.average(loss, weights=weight)),
        "coefficient_of_discrimination": np.average(p[y == 1], weights=weight[y == 1])
        - np.average(p[y == 0], weights=weight[y == 0]),
    }


@pytest.mark.parametrize("is_weighted", [False, True])
def test_metrics_of_two_classes_are_right_in_several_files(
    tmp_path: Path, written: dict[str, list[Any]], is_weighted: bool
) -> None:
    """TFMA's, Keras' that make their variables late, and Keras' losses, whose mean is that of rows."""
    names = (
        "AUC",
        "BinaryAccuracy",
        "Precision",
        "Recall",
        "F1Score",
        "BinaryCrossEntropy",
        "CoefficientOfDiscrimination",
    )
    fbeta = {
        "class_name": "FBetaScore",
        "config": '"beta": 2.0, "threshold": 0.5, "average": "micro", "name": "fbeta"',
    }
    loss = {"class_name": "BinaryCrossentropy", "module": "tf.keras.losses", "config": '"name": "keras_loss"'}
    asked = config("is_it", "share", *names, fbeta, loss, is_weighted=is_weighted, slicing_specs=[{}])

    found = measured(tmp_path, asked, written["several files"])[""]

    expected = binary(is_weighted)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=2e-4)


def test_metrics_of_the_likeliest_classes_are_right_in_several_files(
    tmp_path: Path, written: dict[str, list[Any]]
) -> None:
    """The two likeliest of three, the second likeliest alone, and one class against the others."""
    asked = config("class", "scores", slicing_specs=[{}])
    asked["metrics_specs"] = [
        {"binarize": {"top_k_list": {"values": [2]}}, "metrics": [{"class_name": "Recall"}]},
        {"binarize": {"k_list": {"values": [2]}}, "metrics": [{"class_name": "MeanLabel"}]},
        {"binarize": {"class_ids": {"values": [1]}}, "metrics": [{"class_name": "AUC"}]},
    ]

    found = measured(tmp_path, asked, written["several files"])[""]

    label, scores = (np.array([row[name] for row in ROWS]) for name in ("class", "scores"))
    order = np.argsort(-scores, axis=1)
    assert found["recall topK 2"] == pytest.approx(
        np.mean([one in best for one, best in zip(label, order[:, :2])])
    )
    assert found["mean_label k 2"] == pytest.approx(np.mean(label == order[:, 1]))
    assert found["auc classId 1"] == pytest.approx(sk.roc_auc_score(label == 1, scores[:, 1]), rel=1e-4)


FOUR = {"apple": (18, 1, 1, 0), "pear": (6, 15, 0, 2), "plum": (0, 2, 15, 3), "fig": (5, 2, 1, 15)}


def four_classes(kind: Callable[[int], Any]) -> list[bytes]:
    """Rows of a label and a predicted class, with so many of each pair."""
    pairs = [
        (a, p)
        for a, counts in enumerate(FOUR.values())
        for p, count in enumerate(counts)
        for _ in range(count)
    ]
    return [example({"label": kind(a), "p": kind(p)}) for a, p in pairs]


@pytest.mark.parametrize("kind", ["numbers", "names"])
def test_predictions_may_be_classes(tmp_path: Path, kind: str) -> None:
    """Numbers or names of classes in a column, without a score: accuracy, matrix, and one class by itself."""
    names = list(FOUR)
    ordered = sorted(names) if kind == "names" else names
    records = four_classes((lambda number: names[number]) if kind == "names" else int)
    examples = write(tmp_path / "rows", records, [[30, len(records) - 30]])
    asked = config(
        "label", "p", "SparseCategoricalAccuracy", "MultiClassConfusionMatrixPlot", slicing_specs=[{}]
    )
    pear = ordered.index("pear")
    asked["metrics_specs"].append(
        {
            "binarize": {"class_ids": {"values": [pear]}},
            "metrics": [{"class_name": "Precision"}, {"class_name": "Recall"}],
        }
    )

    evaluation, _ = evaluate(tmp_path, asked, {"examples": examples})

    found = read(evaluation)[""]
    total = len(records)
    assert found["sparse_categorical_accuracy"] == pytest.approx(
        sum(FOUR[n][i] for i, n in enumerate(names)) / total
    )
    assert found[f"precision classId {pear}"] == pytest.approx(15 / (1 + 15 + 2 + 2))
    assert found[f"recall classId {pear}"] == pytest.approx(15 / (6 + 15 + 2))
    (plot,) = [plot for plot in read_plots(evaluation.uri) if plot.classes]
    counts = {
        (ordered.index(actual), ordered.index(names[p])): float(count)
        for actual, row in FOUR.items()
        for p, count in enumerate(row)
        if count
    }
    assert plot.classes == counts
    assert plot.class_names == (tuple(ordered) if kind == "names" else ())
    if kind == "names":
        assert json.loads(Path(evaluation.uri, "classes.json").read_text()) == {"classes": ordered}


def test_a_matrix_at_several_thresholds_takes_each_by_itself(
    tmp_path: Path, written: dict[str, list[Any]]
) -> None:
    """In whatever order thresholds are given."""
    plot = {"class_name": "MultiClassConfusionMatrixPlot", "config": '"thresholds": [0.9, 0.5]'}
    asked = config("class", "scores", plot, slicing_specs=[{}])

    evaluation, _ = evaluate(tmp_path, asked, {"examples": written["several files"]})

    matrices = tfma.load_eval_result(evaluation.uri).plots[0][1][""][""][
        "multiClassConfusionMatrixAtThresholds"
    ]["matrices"]
    scores = np.array([row["scores"] for row in ROWS])
    for matrix in matrices:
        unsure = sum(
            entry["numWeightedExamples"]
            for entry in matrix["entries"]
            if entry.get("predictedClassId", 0) == -1
        )
        assert unsure == (scores.max(axis=1) <= matrix["threshold"]).sum(), matrix["threshold"]


@dataclass
class Thresholded:
    """What TFX's example keeps in a pickle: a model of scikit-learn's form, with the names of its columns."""

    feature_keys: list[str]
    label_key: str

    def predict(self, features: list[list[float]]) -> np.ndarray:
        """Whether the first feature is above a half."""
        return np.array([float(row[0] > 0.5) for row in features])


@pytest.mark.parametrize("executor", [StockExecutor, Executor])
def test_tfx_example_of_another_kind_of_model_runs(
    tmp_path: Path, written: dict[str, list[Any]], executor: Any
) -> None:
    """A pickle, with TFX's own `custom_eval_shared_model` and `custom_extractors`, and no word of a model type."""
    folder = tmp_path / "model" / "Format-Serving"
    folder.mkdir(parents=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(Thresholded(["share"], "is_it")))
    asked = config("is_it", "", "Accuracy", "MeanPrediction")

    evaluation, _ = evaluate(
        tmp_path,
        asked,
        {"examples": written["one file"], "model": [model_artifact(tmp_path / "model")]},
        executor,
        module_path="tfx.examples.penguin.experimental.sklearn_predict_extractor",
    )

    y, p = columns("is_it", "share")
    found = read(evaluation)[""]
    assert found["accuracy"] == pytest.approx(np.mean(y == (p > 0.5)))
    assert found["mean_prediction"] == pytest.approx(np.mean(p > 0.5))
