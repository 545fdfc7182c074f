"""Trainer's short form with estimators: what is fitted, kept and served."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from conftest_training import (
    DATA,
    penguin_inputs,
    read_json,
    records,
    serving_path,
    summary,
    train,
)

from headrace.errors import ModelError, TrainingError

SOURCE = """
def build_forest(features, hyperparameters):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(20, max_depth=5)


def build_boosting(features, hyperparameters):
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(n_estimators=7)


def build_neighbours(features, hyperparameters):
    from sklearn.semi_supervised import LabelSpreading

    return LabelSpreading()
"""
WHOLE = {"label": "species", "train_args": "{}", "eval_args": "{}"}


@pytest.fixture(scope="module")
def estimators_file(tmp_path_factory):
    """A module of `build_model` functions that return estimators."""
    path = tmp_path_factory.mktemp("modules") / "estimators.py"
    path.write_text(SOURCE)
    return str(path)


def test_a_forest_is_served_as_it_was_fitted(estimators_file, tmp_path):
    """Three classes have three columns, and the accuracy of what is served is the one that was recorded."""
    outputs = train(tmp_path, estimators_file, "build_forest", penguin_inputs(), **WHOLE)
    history = read_json(f"{outputs['model_run'][0].uri}/history.json")
    assert [len(values) for values in history.values()] == [1] * len(history)
    assert summary(outputs["model"][0]).startswith("RandomForestClassifier, 20 trees, ")
    rows = tf.constant(records(f"{DATA}/penguin/data/Split-eval/*"))
    spec = {"species": tf.io.FixedLenFeature([], tf.int64)}
    label = tf.io.parse_example(rows, spec)["species"].numpy()
    served = tf.saved_model.load(serving_path(outputs)).signatures["serving_default"](examples=rows)
    found = served["probabilities"].numpy()
    assert found.shape == (len(label), 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (found.argmax(axis=1) == label).mean() == pytest.approx(history["val_accuracy"][0])
    assert history["val_accuracy"][0] > 0.9


def test_each_round_of_boosting_is_in_the_history(estimators_file, tmp_path):
    outputs = train(tmp_path, estimators_file, "build_boosting", penguin_inputs(), **WHOLE)
    history = read_json(f"{outputs['model_run'][0].uri}/history.json")
    assert len(history["loss"]) == len(history["val_loss"]) == 7
    assert history["loss"][-1] < history["loss"][0]


def test_what_is_not_covered_is_refused_before_training(estimators_file, tmp_path):
    with pytest.raises(ModelError) as caught:
        train(tmp_path, estimators_file, "build_neighbours", penguin_inputs(), **WHOLE)
    assert "LabelSpreading is not covered" in caught.value.problem
    assert "RandomForestClassifier" in caught.value.problem


def test_parameters_of_batches_are_refused(estimators_file, tmp_path):
    with pytest.raises(TrainingError, match="epochs is given"):
        train(tmp_path, estimators_file, "build_forest", penguin_inputs(), epochs=3, **WHOLE)
    with pytest.raises(TrainingError, match="num_steps is given"):
        train(tmp_path, estimators_file, "build_forest", penguin_inputs(), label="species")
