"""Linear models: a product with weights, and what turns it into probabilities or a mean."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.registry import (
    PREDICTIONS,
    PROBABILITIES,
    SCORES,
    Converter,
    Prediction,
    Store,
    converts,
)
from headrace.models.exporters.estimators.table import Table

_MODEL = "sklearn.linear_model."


def scores(estimator: Any, table: Table, store: Store) -> tf.Tensor:
    """Return `x @ coef_.T + intercept_`, of shape `(rows, 1)` for two classes or one target."""
    coefficients = estimator.coef_
    # `sparsify` leaves a sparse matrix.
    dense = coefficients.toarray() if hasattr(coefficients, "toarray") else np.asarray(coefficients)
    weights = np.atleast_2d(dense).astype(np.float64)
    intercept = np.broadcast_to(np.ravel(estimator.intercept_), len(weights)).astype(np.float64)
    product = tf.linalg.matmul(table.matrix(), store.array(weights), transpose_b=True)
    return product + store.array(intercept)


def as_decision(values: tf.Tensor) -> tf.Tensor:
    """Return scores in the shape of `decision_function`: that of two classes is a vector."""
    return values[:, 0] if values.shape[1] == 1 else values


def two(positive: tf.Tensor) -> tf.Tensor:
    """Return the probabilities of two classes, `(rows, 2)`, from those of the second, `(rows, 1)`."""
    return tf.concat([1 - positive, positive], axis=1)


def one_by_one(values: tf.Tensor) -> tf.Tensor:
    """Return probabilities of scores where each class was told from the rest."""
    each = tf.sigmoid(values)
    return two(each) if values.shape[1] == 1 else each / tf.reduce_sum(each, axis=1, keepdims=True)


def all_together(values: tf.Tensor) -> tf.Tensor:
    """Return probabilities of scores where all classes were told apart at once."""
    return tf.nn.softmax(tf.concat([-values, values], 1) if values.shape[1] == 1 else values)


@converts(f"{_MODEL}_logistic.LogisticRegression", f"{_MODEL}_logistic.LogisticRegressionCV")
class Logistic(Converter):
    """Logistic regression, binary, multinomial and one class against the rest."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba`; which form is used depends on `multi_class` up to scikit-learn 1.7."""
        values = scores(estimator, table, store)
        kind = getattr(estimator, "multi_class", "auto")
        is_apart = len(estimator.classes_) <= 2 or estimator.solver in _solvers_of_one_class()
        if kind in ("ovr", "warn") or (kind != "multinomial" and is_apart):
            found = one_by_one(values)
        else:
            found = all_together(values)
        return Prediction(found, PROBABILITIES, estimator.classes_, as_decision(values))


def _solvers_of_one_class() -> tuple[str, ...]:
    """The solvers that tell each class from the rest; until scikit-learn 1.6 there were two."""
    major, minor = sys.modules["sklearn"].__version__.split(".")[:2]
    return ("liblinear", "newton-cholesky") if (int(major), int(minor)) < (1, 6) else ("liblinear",)


@converts(f"{_MODEL}_stochastic_gradient.SGDClassifier")
class StochasticGradient(Converter):
    """Linear classifiers trained by stochastic gradient descent."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba`, which two losses have."""
        values = scores(estimator, table, store)
        decision = as_decision(values)
        if estimator.loss in ("log_loss", "log"):
            return Prediction(one_by_one(values), PROBABILITIES, estimator.classes_, decision)
        if estimator.loss == "modified_huber":
            return Prediction(_modified_huber(values), PROBABILITIES, estimator.classes_, decision)
        return Prediction(values, SCORES, estimator.classes_, decision)


def _modified_huber(values: tf.Tensor) -> tf.Tensor:
    """Zadrozny and Elkan, "Transforming classifier scores into multiclass probability estimates" (SIGKDD 2002)."""
    each = (tf.clip_by_value(values, -1.0, 1.0) + 1) / 2
    if values.shape[1] == 1:
        return two(each)
    total = tf.reduce_sum(each, axis=1, keepdims=True)
    return tf.where(total == 0, 1 / values.shape[1], tf.math.divide_no_nan(each, total))


@converts(
    f"{_MODEL}_perceptron.Perceptron",
    f"{_MODEL}_passive_aggressive.PassiveAggressiveClassifier",
    f"{_MODEL}_ridge.RidgeClassifier",
    f"{_MODEL}_ridge.RidgeClassifierCV",
    "sklearn.svm._classes.LinearSVC",
)
class LinearScores(Converter):
    """Linear classifiers that know no probabilities."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `decision_function`."""
        values = scores(estimator, table, store)
        return Prediction(values, SCORES, estimator.classes_, as_decision(values))


@converts(
    f"{_MODEL}_base.LinearRegression",
    f"{_MODEL}_ridge.Ridge",
    f"{_MODEL}_ridge.RidgeCV",
    *(
        f"{_MODEL}_coordinate_descent.{task}{name}{cv}"
        for task in ("", "MultiTask")
        for name in ("Lasso", "ElasticNet")
        for cv in ("", "CV")
    ),
    *(
        f"{_MODEL}_least_angle.{name}"
        for name in ("Lars", "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC")
    ),
    f"{_MODEL}_omp.OrthogonalMatchingPursuit",
    f"{_MODEL}_omp.OrthogonalMatchingPursuitCV",
    f"{_MODEL}_bayes.BayesianRidge",
    f"{_MODEL}_bayes.ARDRegression",
    f"{_MODEL}_huber.HuberRegressor",
    f"{_MODEL}_theil_sen.TheilSenRegressor",
    f"{_MODEL}_quantile.QuantileRegressor",
    f"{_MODEL}_stochastic_gradient.SGDRegressor",
    f"{_MODEL}_passive_aggressive.PassiveAggressiveRegressor",
    "sklearn.svm._classes.LinearSVR",
)
class Linear(Converter):
    """Linear regression in all its forms."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        return Prediction(scores(estimator, table, store), PREDICTIONS)


@converts(
    f"{_MODEL}_glm.glm.PoissonRegressor",
    f"{_MODEL}_glm.glm.GammaRegressor",
    f"{_MODEL}_glm.glm.TweedieRegressor",
)
class Generalized(Converter):
    """Generalized linear models."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`: the mean is that of the link function, which for Tweedie follows from `power`."""
        values = scores(estimator, table, store)
        link = getattr(estimator, "link", "log")
        is_identity = link == "identity" or (link == "auto" and estimator.power <= 0)
        return Prediction(values if is_identity else tf.exp(values), PREDICTIONS)


@converts("sklearn.cross_decomposition._pls.PLSRegression")
class PartialLeastSquares(Converter):
    """Partial least squares, whose weights are for centred features."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        centred = table.matrix() - store.array(estimator._x_mean)  # noqa: SLF001 - fitted, and nowhere else
        weights = store.array(np.asarray(estimator.coef_, np.float64))
        product = tf.linalg.matmul(centred, weights, transpose_b=True)
        return Prediction(product + store.array(np.ravel(estimator.intercept_)), PREDICTIONS)


@converts("sklearn.dummy.DummyClassifier")
class Majority(Converter):
    """The classifier that looks at no feature: what others have to be better than."""

    def check(self, estimator: Any) -> str | None:
        """One whose answers are random has no graph."""
        if estimator.strategy == "stratified":
            return "DummyClassifier(strategy='stratified') answers at random"
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba`."""
        classes = estimator.classes_
        found = np.asarray(estimator.class_prior_, np.float64)
        if estimator.strategy == "most_frequent":
            found = np.eye(len(classes))[found.argmax()]
        elif estimator.strategy == "uniform":
            found = np.full(len(classes), 1 / len(classes))
        elif estimator.strategy == "constant":
            found = (np.asarray(classes) == estimator.constant).astype(np.float64)
        return Prediction(_same_for_all(found, table), PROBABILITIES, classes)


@converts("sklearn.dummy.DummyRegressor")
class Mean(Converter):
    """The regressor that looks at no feature."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        return Prediction(_same_for_all(np.ravel(estimator.constant_), table), PREDICTIONS)


def _same_for_all(row: Any, table: Table) -> tf.Tensor:
    rows = tf.shape(table.blocks[0].values)[0]
    return tf.tile(tf.constant(row, tf.float64)[None, :], [rows, 1])
