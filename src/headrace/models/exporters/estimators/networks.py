"""scikit-learn's networks of layers as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import (
    Predictor,
    constant,
    enter,
    predictions,
    probabilities,
)
from headrace.models.exporters.estimators.registry import Store

_ACTIVATIONS = {
    "identity": tf.identity,
    "logistic": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "softmax": tf.nn.softmax,
}


def forward(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return the outputs of the last layer: `predict` of MLPRegressor."""
    last = len(estimator.coefs_) - 1
    for index, (weights, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_)):
        rows = tf.matmul(rows, store.variable(np.asarray(weights, np.float64))) + constant(bias)
        rows = _ACTIVATIONS[estimator.out_activation_ if index == last else estimator.activation](rows)
    return rows


def classes(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of MLPClassifier; for labels of several columns one probability for each."""
    values = forward(estimator, rows, store)
    return tf.concat([1.0 - values, values], 1) if estimator.n_outputs_ == 1 else values


_PATH = "sklearn.neural_network._multilayer_perceptron."


def _classes(estimator: Any) -> Any:
    # With labels of several columns `classes_` numbers the columns, and each has a probability of its own.
    is_multilabel = estimator.n_outputs_ > 1 and estimator.out_activation_ == "logistic"
    return None if is_multilabel else estimator.classes_


enter(
    Predictor((_PATH + "MLPClassifier",), classes, probabilities, classes=_classes),
    Predictor((_PATH + "MLPRegressor",), forward, predictions),
)
