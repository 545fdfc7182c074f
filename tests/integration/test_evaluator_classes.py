"""Evaluator's metrics of two and of several classes against plain arithmetic, in several files."""

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
from evaluated_rows import ROWS, columns, config, example, measured, read, write, written
from evaluation import evaluate
from sklearn import metrics as sk

from headrace.formats.evaluations.plots import read_plots

_ = (written,)  # fixtures


def binary() -> dict[str, float]:
    """What metrics of two classes are, by weight."""
    y, p, weight = columns("is_it", "share", "weight")
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


def test_metrics_of_two_classes_are_right_in_several_files(
    tmp_path: Path, written: dict[str, list[Any]]
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
    asked = config("is_it", "share", *names, fbeta, loss, is_weighted=True, slicing_specs=[{}])

    found = measured(tmp_path, asked, written["several files"])[""]

    expected = binary()
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

    evaluation, _ = evaluate(tmp_path, asked, {"examples": written["several files"]})

    found = read(evaluation)[""]
    summary = evaluation.get_string_custom_property("headrace_summary")
    assert all(name in summary for name in ("recall (top 2) ", "mean_label (k 2) ", "auc (class 1) ")), (
        summary
    )
    label, scores = (np.array([row[name] for row in ROWS]) for name in ("class", "scores"))
    order = np.argsort(-scores, axis=1)
    assert found["recall topK 2"] == pytest.approx(
        np.mean([one in best for one, best in zip(label, order[:, :2])])
    )
    assert found["mean_label k 2"] == pytest.approx(np.mean(label == order[:, 1]))
    assert found["auc classId 1"] == pytest.approx(sk.roc_auc_score(label == 1, scores[:, 1]), rel=1e-4)


def test_cross_entropies_are_right_for_numbers_of_classes(
    tmp_path: Path, written: dict[str, list[Any]]
) -> None:
    """A label 2 is the third class, not twice a label 1; and TFMA's own changes no prediction of another metric."""
    top = {"top_k_list": {"values": [1]}}
    asked = config("class", "scores", "CategoricalCrossEntropy", "BinaryCrossEntropy", slicing_specs=[{}])
    asked["metrics_specs"].append({"binarize": top, "metrics": [{"class_name": "Recall"}]})

    found = measured(tmp_path, asked, written["several files"])[""]

    label, scores = (np.array([row[name] for row in ROWS]) for name in ("class", "scores"))
    scores, dense = scores.astype(np.float64), np.eye(3)[label]
    # Of float32, so their sums are 1 but for rounding.
    sums_of_one = scores / scores.sum(axis=1, keepdims=True)
    assert found["categorical_crossentropy"] == pytest.approx(sk.log_loss(label, sums_of_one), rel=1e-5)
    binary_loss = -(dense * np.log(scores) + (1 - dense) * np.log(1 - scores))
    assert found["binary_crossentropy"] == pytest.approx(binary_loss.mean(), rel=1e-4)
    assert found["recall topK 1"] == pytest.approx(np.mean(label == scores.argmax(axis=1)))


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
        assert json.loads(Path(evaluation.uri, "classes.json").read_text()) == {
            "format": 1,
            "classes": ordered,
        }


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


def test_tfx_example_of_another_kind_of_model_runs(tmp_path: Path, written: dict[str, list[Any]]) -> None:
    """A pickle, with TFX's own `custom_eval_shared_model` and `custom_extractors`, and no word of a model type."""
    folder = tmp_path / "model" / "Format-Serving"
    folder.mkdir(parents=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(Thresholded(["share"], "is_it")))
    asked = config("is_it", "", "Accuracy", "MeanPrediction")

    evaluation, _ = evaluate(
        tmp_path,
        asked,
        {"examples": written["one file"], "model": [model_artifact(tmp_path / "model")]},
        module_path="tfx.examples.penguin.experimental.sklearn_predict_extractor",
    )

    y, p = columns("is_it", "share")
    found = read(evaluation)[""]
    assert found["accuracy"] == pytest.approx(np.mean(y == (p > 0.5)))
    assert found["mean_prediction"] == pytest.approx(np.mean(p > 0.5))
