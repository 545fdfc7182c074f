"""Evaluator's short form: which metrics, equal to scikit-learn's in any files and slices, bounds and thresholds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from conftest_serving import taxi_examples, taxi_models
from evaluated_rows import ROWS, columns, example, read, write, written
from evaluation import evaluate
from sklearn import metrics as sk

from headrace.components.evaluator import short_form
from headrace.errors import DefinitionError, HeadraceError, SchemaMismatchError
from headrace.formats import decisions, verdicts
from headrace.formats.evaluations import files

_ = (written, taxi_examples, taxi_models)  # fixtures


def short(path: Path, inputs: dict[str, list[Any]], **asked: Any) -> tuple[Any, Any]:
    """Run the executor with the short form's parameters."""
    recorded = short_form.texts("Evaluator", asked)
    return evaluate(path, {}, inputs, eval_config=None, feature_slicing_spec="{}", **recorded)


def arrays(label: str, prediction: str, of_slice: str) -> tuple[Any, Any, Any]:
    """Labels, predictions and weights of the rows of a slice."""
    y, weight = columns(label, "weight", of_slice=of_slice)
    kept = [row for row in ROWS if of_slice in ("", row["slice"])]
    return y, np.array([row[prediction] for row in kept]), weight


def of_classes(y: Any, predicted: Any, labels: list[int], weight: Any) -> dict[str, float]:
    """What scikit-learn says of predicted classes."""
    given = {"sample_weight": weight}
    matrices = sk.multilabel_confusion_matrix(y, predicted, labels=labels, **given)
    each = sk.precision_recall_fscore_support(y, predicted, labels=labels, zero_division=0, **given)
    found = {
        "accuracy": sk.accuracy_score(y, predicted, **given),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted, **given),
        "mcc": sk.matthews_corrcoef(y, predicted, **given),
        "cohen_kappa": sk.cohen_kappa_score(y, predicted, **given),
        "f1_macro": sk.f1_score(y, predicted, average="macro", **given),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted", **given),
        "precision_macro": sk.precision_score(y, predicted, average="macro", zero_division=0, **given),
        "recall_macro": sk.recall_score(y, predicted, average="macro", **given),
    }
    for at, number in enumerate(labels):
        tn, fp, fn, tp = matrices[at].ravel()
        found |= {
            f"precision classId {number}": each[0][at],
            f"recall classId {number}": each[1][at],
            f"f1 classId {number}": each[2][at],
            f"specificity classId {number}": tn / (tn + fp),
            f"npv classId {number}": tn / (tn + fn),
            f"true_positives classId {number}": tp,
            f"false_positives classId {number}": fp,
            f"false_negatives classId {number}": fn,
            f"true_negatives classId {number}": tn,
        }
    return found


def regression(of_slice: str) -> dict[str, float]:
    y, p, weight = arrays("target", "value", of_slice)
    given = {"sample_weight": weight}
    return {
        "r2_score": sk.r2_score(y, p, **given),
        "mean_absolute_error": sk.mean_absolute_error(y, p, **given),
        "mean_squared_error": sk.mean_squared_error(y, p, **given),
        "root_mean_squared_error": sk.mean_squared_error(y, p, **given) ** 0.5,
        "mean_absolute_percentage_error": 100 * sk.mean_absolute_percentage_error(y, p, **given),
        "mean_residual": np.average(y - p, weights=weight),
        "max_error": sk.max_error(y[weight > 0], p[weight > 0]),
    }


def binary(of_slice: str) -> dict[str, float]:
    y, p, weight = arrays("is_it", "share", of_slice)
    given = {"sample_weight": weight}
    both = of_classes(y, p > 0.5, [0, 1], weight)
    single = {
        name.removesuffix(" classId 1"): value for name, value in both.items() if name.endswith(" classId 1")
    }
    return {
        **single,
        **{name: both[name] for name in ("accuracy", "balanced_accuracy", "mcc", "cohen_kappa")},
        "auc": sk.roc_auc_score(y, p, **given),
        "average_precision": sk.average_precision_score(y, p, **given),
        "log_loss": sk.log_loss(y, p, **given),
        "brier_score": sk.brier_score_loss(y, p, **given),
    }


def classes(of_slice: str) -> dict[str, float]:
    y, p, weight = arrays("class", "scores", of_slice)
    given = {"sample_weight": weight}
    wide = p.astype(np.float64)
    wide = wide / wide.sum(axis=1, keepdims=True)
    aucs = {f"auc classId {one}": sk.roc_auc_score(y == one, p[:, one], **given) for one in range(3)}
    return {
        **of_classes(y, p.argmax(axis=1), [0, 1, 2], weight),
        **aucs,
        "auc_macro": sk.roc_auc_score(y, wide, multi_class="ovr", **given),
        "log_loss": sk.log_loss(y, wide, **given),
        "brier_score": np.average(((np.eye(3)[y.astype(int)] - wide) ** 2).sum(axis=1), weights=weight),
    }


def labels(of_slice: str) -> dict[str, float]:
    kept = [row for row in ROWS if of_slice in ("", row["slice"])]
    y, p = (np.array([row[name] for row in kept]) for name in ("labels", "many"))
    weight = np.array([row["weight"] for row in kept], np.float64)
    given = {"sample_weight": weight}
    predicted = p > 0.5
    return {
        "subset_accuracy": sk.accuracy_score(y, predicted, **given),
        "hamming_loss": sk.hamming_loss(y, predicted, **given),
        "auc_macro": sk.roc_auc_score(y, p, average="macro", **given),
        "auc_micro": sk.roc_auc_score(y, p, average="micro", **given),
        "average_precision_macro": sk.average_precision_score(y, p, average="macro", **given),
        "f1_macro": sk.f1_score(y, predicted, average="macro", **given),
        "f1_micro": sk.f1_score(y, predicted, average="micro", **given),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted", **given),
        **{f"auc classId {one}": sk.roc_auc_score(y[:, one], p[:, one], **given) for one in range(3)},
        **{f"f1 classId {one}": sk.f1_score(y[:, one], predicted[:, one], **given) for one in range(3)},
    }


@pytest.mark.parametrize(
    ("label", "prediction", "expected"),
    [
        ("target", "value", regression),
        ("is_it", "share", binary),
        ("class", "scores", classes),
        ("labels", "many", labels),
    ],
    ids=["regression", "two classes", "several classes", "labels"],
)
def test_without_a_word_each_kind_of_problem_has_its_metrics(
    tmp_path: Path,
    written: dict[str, list[Any]],
    label: str,
    prediction: str,
    expected: Callable[[str], dict[str, float]],
) -> None:
    """Equal to scikit-learn's, weighted, over all rows and in each slice; TFMA's loader reads them."""
    evaluation, _ = short(
        tmp_path,
        {"examples": written["several files"]},
        label=label,
        prediction=prediction,
        weight="weight",
        slices=["slice"],
    )

    found = read(evaluation)
    assert found.keys() == {"", "a", "b"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key, values in found.items():
            wanted = expected(key)
            assert {name: values.get(name) for name in wanted} == pytest.approx(wanted, rel=1e-6), key
    assert tfma.load_eval_result(evaluation.uri).slicing_metrics


def test_medians_and_pairs_of_classes_are_those_of_scikit_learn(
    tmp_path: Path, written: dict[str, list[Any]]
) -> None:
    """Without weights, which scikit-learn's do not take."""
    given = {"examples": written["an empty file"]}
    numbers, _ = short(tmp_path / "n", given, label="target", prediction="value", metrics=["medAE"])
    pairs, _ = short(
        tmp_path / "p",
        given,
        label="class",
        prediction="scores",
        metrics=["roc_auc_ovo", "roc_auc_ovo_weighted"],
    )

    y, p = columns("target", "value")
    assert read(numbers)[""]["median_absolute_error"] == pytest.approx(
        sk.median_absolute_error(y, p), rel=1e-9
    )
    y, scores, _ = arrays("class", "scores", "")
    scores = scores.astype(np.float64) / scores.astype(np.float64).sum(axis=1, keepdims=True)
    for average, name in (("macro", "auc_ovo"), ("weighted", "auc_ovo_weighted")):
        expected = sk.roc_auc_score(y, scores, multi_class="ovo", average=average)
        assert read(pairs)[""][name] == pytest.approx(expected, rel=1e-5)


FOUR = {"A": (9, 1, 0, 0), "B": (1, 15, 3, 1), "C": (5, 0, 24, 1), "D": (0, 4, 1, 15)}


def test_names_of_classes_are_counted_in_their_order(tmp_path: Path) -> None:
    """63 of 80 rows are right; each class has its four counts."""
    rows = [
        example({"label": name, "p": other})
        for name, counts in FOUR.items()
        for other, count in zip(FOUR, counts)
        for _ in range(count)
    ]
    examples = write(tmp_path / "rows", rows, [[50, 30]])

    evaluation, _ = short(tmp_path, {"examples": examples}, label="label", prediction="p")

    found = read(evaluation)[""]
    assert found["accuracy"] == 63 / 80
    parts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    assert [[found[f"{part} classId {at}"] for part in parts] for at in range(4)] == [
        [9, 6, 1, 64],
        [15, 5, 5, 55],
        [24, 4, 6, 46],
        [15, 2, 5, 58],
    ]
    assert files.read_class_names(evaluation.uri) == tuple("ABCD")


def test_bounds_are_of_all_rows_or_of_slices_and_errors_have_upper_ones(
    tmp_path: Path, written: dict[str, list[Any]]
) -> None:
    """A slice that is only looked at decides nothing."""
    _, blessing = short(
        tmp_path,
        {"examples": written["several files"]},
        label="target",
        prediction="value",
        metrics=["R2"],
        slices=["slice"],
        require={"MAE": 0.6, "RMSE": {"overall": 0.9, "slice": 0.01, "slice=a": (0.1, 2)}},
    )

    judged = verdicts.read(str(tmp_path / "evaluation"))
    assert judged is not None
    found = {
        (one.metric, one.slice, one.lower_bound, one.upper_bound): one.passed for one in judged.thresholds
    }
    assert found == {
        ("mean_absolute_error", "Overall", None, 0.6): True,
        ("root_mean_squared_error", "Overall", None, 0.9): True,
        ("root_mean_squared_error", "slice:a", None, 0.01): False,
        ("root_mean_squared_error", "slice:b", None, 0.01): False,
        ("root_mean_squared_error", "slice:a", 0.1, 2.0): True,
    }
    assert blessing.get_int_custom_property("blessed") == 0


def test_a_threshold_is_chosen_for_an_aim(tmp_path: Path, written: dict[str, list[Any]]) -> None:
    """The best precision among all thresholds of scikit-learn that have the recall."""
    evaluation, _ = short(
        tmp_path,
        {"examples": written["several files"]},
        label="is_it",
        prediction="share",
        slices=["slice"],
        require={"AUC": 0.5},
        choose_threshold={"recall": 0.8, "best": "precision"},
    )

    y, p, _ = arrays("is_it", "share", "")
    precision, recall, _ = sk.precision_recall_curve(y, p)
    chosen = decisions.read(evaluation.uri)
    assert chosen is not None
    (one,) = chosen.decisions
    assert one.threshold is not None
    assert one.measures["precision"] == pytest.approx(precision[recall >= 0.8].max())
    assert one.measures["precision"] == pytest.approx(sk.precision_score(y, p > one.threshold))
    assert one.measures["recall"] == pytest.approx(sk.recall_score(y, p > one.threshold))
    assert decisions.read(str(tmp_path / "blessing")) == chosen
    assert not any(name.startswith("chosen") for name in read(evaluation)["a"])


def test_an_aim_that_no_threshold_reaches_is_said(tmp_path: Path, written: dict[str, list[Any]]) -> None:
    """It is no failure, and there is no threshold."""
    evaluation, _ = short(
        tmp_path,
        {"examples": written["one file"]},
        label="labels",
        prediction="many",
        metrics=["F1"],
        class_names=["red", "green", "blue"],
        choose_threshold={"recall": 1, "precision": 1},
    )

    chosen = decisions.read(evaluation.uri)
    assert chosen is not None
    assert [(one.class_name, one.threshold) for one in chosen.decisions] == [
        ("red", None),
        ("green", None),
        ("blue", None),
    ]
    assert "no threshold has recall at least 1" in evaluation.get_string_custom_property("headrace_summary")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"label": "target", "prediction": "value", "metrics": ["AUC"]}, "'auc' is of"),
        (
            {"label": "class", "prediction": "scores", "class_names": ["a", "b"]},
            "2 names, and there are 3 classes",
        ),
        (
            {"label": "target", "prediction": "value", "choose_threshold": "F1"},
            "a regression has no threshold",
        ),
        ({"label": "targt", "prediction": "value"}, "'targt' is no feature"),
        ({"label": "target"}, "label and prediction are not both given"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_computed(
    tmp_path: Path, written: dict[str, list[Any]], asked: dict[str, Any], told: str
) -> None:
    """The reader sees what was asked for."""
    with pytest.raises(HeadraceError) as caught:
        short(tmp_path, {"examples": written["one file"]}, **asked)

    assert told in caught.value.problem
    assert isinstance(caught.value, DefinitionError) or "targt" in told


def test_a_model_needs_its_label_alone_and_a_change_is_against_the_baseline(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """That Transform makes the label is found; the same model has not changed."""
    model = [taxi_models["binary"]]
    evaluation, blessing = short(
        tmp_path,
        {"examples": [taxi_examples], "model": model, "baseline_model": model},
        label="big_tip",
        metrics=["AUC"],
        improve={"AUC": -0.01, "log_loss": 0.1},
        choose_threshold="F1",
    )

    (spec, _) = files.read_eval_config(evaluation.uri)["modelSpecs"]
    assert spec["labelKey"] == "big_tip"
    assert spec["preprocessingFunctionNames"] == ["transform_features"]
    judged = verdicts.read(evaluation.uri)
    assert judged is not None
    assert {
        (one.metric, one.lower_bound, one.upper_bound, one.compared, one.passed) for one in judged.thresholds
    } == {
        ("auc", -0.01, None, 0.0, True),
        ("log_loss", None, -0.1, 0.0, False),
    }
    assert blessing.get_int_custom_property("blessed") == 0
    chosen = decisions.read(evaluation.uri)
    assert chosen is not None
    assert len(chosen.decisions) == 1


def test_a_model_without_a_known_label_asks_for_it(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """The features that there are are named."""
    with pytest.raises(DefinitionError) as caught:
        short(tmp_path, {"examples": [taxi_examples], "model": [taxi_models["binary"]]})

    assert "does not tell its label" in caught.value.problem
    assert "'big_tip'" in caught.value.problem


def test_scores_of_named_classes_are_held_against_names(tmp_path: Path) -> None:
    """In the order of the scores, which is not that of the names."""
    rows = [
        example({"label": name, "p": np.array(scores, np.float32)})
        for name, scores in (("b", (0.9, 0.05, 0.05)), ("a", (0.2, 0.7, 0.1)), ("c", (0.6, 0.3, 0.1)))
    ]
    examples = {"examples": write(tmp_path / "rows", rows, [[3]])}

    evaluation, _ = short(
        tmp_path, examples, label="label", prediction="p", class_names=["b", "a", "c"], metrics=["accuracy"]
    )

    assert read(evaluation)[""]["accuracy"] == pytest.approx(2 / 3)
    with pytest.raises(DefinitionError, match="there is a class 'c'"):
        short(tmp_path / "2", examples, label="label", prediction="p", class_names=["b", "a", "d"])


def test_a_label_that_is_of_another_kind_than_the_first_rows_is_told(tmp_path: Path) -> None:
    """After more rows than are looked at."""
    rows = [example({"y": np.float32(at % 2), "p": np.float32(0.5)}) for at in range(8_192)]
    rows.append(example({"y": np.float32(7), "p": np.float32(0.5)}))

    with pytest.raises(SchemaMismatchError, match="from 7 to 7"):
        short(
            tmp_path,
            {"examples": write(tmp_path / "r", rows, [[8_193]])},
            label="y",
            prediction="p",
            metrics=["F1"],
        )
