"""Importances by permutation: scores equal scikit-learn's, and what a model does not read has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace import testing
from headrace.authoring import standard_artifacts
from headrace.components import FeatureImportance
from headrace.components.feature_importance import scoring
from headrace.components.feature_importance.metrics import METRICS
from headrace.errors import DefinitionError, HeadraceError
from headrace.formats import importances

ROWS = 600


@st.composite
def classified(draw: Any) -> tuple[Any, Any]:
    """Labels of two classes or more, each there, and probabilities with ties."""
    number = draw(st.integers(2, 4))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    labels = np.concatenate([np.arange(number), generator.integers(0, number, draw(st.integers(0, 40)))])
    probabilities = generator.integers(0, 4, (len(labels), number)) + 0.01
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(classified())
def test_scores_of_classes_are_scikit_learns(data: tuple[Any, Any]) -> None:
    labels, probabilities = data
    found = {name: METRICS[name].compute(labels, probabilities) for name in ("log_loss", "accuracy")}

    assert found["log_loss"] == pytest.approx(sklearn.metrics.log_loss(labels, probabilities))
    if probabilities.shape[1] == 2:
        positives = probabilities[:, 1]
        assert found["accuracy"] == pytest.approx(np.mean((positives >= 0.5) == labels))
        assert METRICS["auc"].compute(labels, probabilities) == pytest.approx(
            sklearn.metrics.roc_auc_score(labels, positives)
        )
    else:
        predicted = probabilities.argmax(axis=1)
        assert found["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(1, 3), st.integers(0, 10**6))
def test_scores_of_numbers_are_scikit_learns(rows: int, targets: int, seed: int) -> None:
    labels, predictions = np.random.default_rng(seed).normal(size=(2, rows, targets))
    wanted = {
        "mse": sklearn.metrics.mean_squared_error(labels, predictions),
        "mae": sklearn.metrics.mean_absolute_error(labels, predictions),
        "rmse": sklearn.metrics.mean_squared_error(labels, predictions) ** 0.5,
        "r2": sklearn.metrics.r2_score(labels, predictions),
    }

    assert {name: METRICS[name].compute(labels, predictions) for name in wanted} == pytest.approx(wanted)


class Linear(tf.Module):
    """2 a - 3 b, of serialized Examples; c is parsed and not used."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(self, examples: Any) -> Any:
        read = tf.io.parse_example(
            examples, {name: tf.io.FixedLenFeature([], tf.float32) for name in ("a", "b", "c")}
        )
        return {"predictions": 2 * read["a"] - 3 * read["b"]}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: Any) -> tuple[Any, Any]:
    folder = tmp_path_factory.mktemp("importance")
    a, b, c = np.random.default_rng(1).normal(size=(3, ROWS)).astype(np.float32)
    rows = [
        {"a": float(x), "b": float(y), "c": float(z), "label": float(2 * x - 3 * y)}
        for x, y, z in zip(a, b, c)
    ]
    examples = testing.make_examples(str(folder / "examples"), {"train": rows[:10], "eval": rows})
    model = testing.make_artifact(str(folder / "model"), standard_artifacts.Model)
    linear = Linear()
    tf.saved_model.save(linear, f"{folder}/model/Format-Serving", signatures=linear.serve)
    return examples, model


def measured(inputs: tuple[Any, Any], path: Path, **options: Any) -> Any:
    examples, model = (testing.channel(one) for one in inputs)
    result = testing.run_component(FeatureImportance(examples, model, **options), path / "store")
    return importances.read(result.output("importances"))


def test_importances_are_what_permutation_takes(inputs: tuple[Any, Any], tmp_path: Path) -> None:
    """Of independent features the mean squared error grows by twice the variance of what they add."""
    found = measured(inputs, tmp_path)

    assert (found.metric, found.is_lower_better, found.num_rows, found.split) == ("mse", True, ROWS, "eval")
    assert found.score == pytest.approx(0, abs=1e-9)
    assert [one.name for one in found.features] == ["b", "a", "c"]
    by_name = {one.name: one.mean for one in found.features}
    assert by_name["b"] == pytest.approx(18, rel=0.15)
    assert by_name["a"] == pytest.approx(8, rel=0.15)
    assert by_name["c"] == 0
    assert measured(inputs, tmp_path) == found
    assert measured(inputs, tmp_path, seed=2) != found


def test_features_mixed_together_and_fewer_rows(inputs: tuple[Any, Any], tmp_path: Path) -> None:
    found = measured(inputs, tmp_path, features=["c", ["a", "b"]], max_rows=100, metric="r2", repeats=2)

    assert found.num_rows == 100
    assert [one.name for one in found.features] == ["a + b", "c"]
    # What is left is no better than any other row's prediction.
    assert found.features[0].mean == pytest.approx(2, rel=0.4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": ["d"]}, "features has 'd', and the examples have 'a', 'b', 'c'"),
        ({"label": "labell"}, "there is no label 'labell'"),
        ({"metric": "accuracy"}, "metric is 'accuracy', which is of classes"),
        ({"split": "test"}, "test"),
    ],
)
def test_what_does_not_fit_is_told(
    inputs: tuple[Any, Any], tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(HeadraceError, match=message):
        measured(inputs, tmp_path, **options)


@pytest.mark.parametrize(
    ("labels", "outputs", "name"),
    [
        ([[0], [1], [1]], {"probabilities": [[0.1], [0.9], [0.4]]}, "log_loss"),
        ([[0], [2], [1]], {"logits": [[1, 0, 0], [0, 0, 2], [0, 1, 0]]}, "log_loss"),
        ([[0, 1], [1, 1], [0, 0]], {"probabilities": [[0.1, 0.2], [0.9, 0.6], [0.4, 0.4]]}, "log_loss"),
        ([[0.5], [1], [1]], {"predictions": [[0.1], [0.9], [0.4]]}, "mse"),
        ([[0], [1], [1]], {"predictions": [[0.1], [0.9], [0.4]]}, "mse"),
    ],
)
def test_the_score_fits_labels_and_outputs(labels: Any, outputs: Any, name: str) -> None:
    arrays = {key: np.array(value, np.float32) for key, value in outputs.items()}
    chosen = scoring.choose(None, np.array(labels, np.float32), arrays, "node")

    assert chosen.name == name
    assert np.isfinite(chosen.of(arrays))


def test_logits_are_scored_as_their_probabilities() -> None:
    labels, logits = np.array([[0], [1], [1]]), np.array([[-2.0], [1.0], [-0.5]])
    as_logits = scoring.choose(None, labels, {"logits": logits}, "node")
    as_probabilities = scoring.choose(None, labels, {"probabilities": 1 / (1 + np.exp(-logits))}, "node")

    assert as_logits.of({"logits": logits}) == pytest.approx(
        as_probabilities.of({"probabilities": 1 / (1 + np.exp(-logits))})
    )


def test_a_label_of_another_model_is_told() -> None:
    with pytest.raises(DefinitionError, match=r"probabilities of 2 classes, and the label goes from 0 to 5"):
        scoring.choose(
            None, np.array([[0], [5]]), {"probabilities": np.array([[0.1, 0.9], [0.5, 0.5]])}, "node"
        )
