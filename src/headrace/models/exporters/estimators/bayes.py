"""Naive Bayes and discriminant analysis as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import (
    Predictor,
    Transformer,
    constant,
    enter,
    option,
    probabilities,
)
from headrace.models.exporters.estimators.fitted_internals import axes_kept
from headrace.models.exporters.estimators.registry import Store


def gaussian(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of GaussianNB."""
    joint = []
    for prior, mean, variance in zip(estimator.class_prior_, estimator.theta_, estimator.var_):
        normalizer = np.log(prior) - 0.5 * np.sum(np.log(2.0 * np.pi * variance))
        squares = (rows - constant(mean)) ** 2 / constant(variance)
        joint.append(normalizer - 0.5 * tf.reduce_sum(squares, 1))
    return tf.nn.softmax(tf.stack(joint, 1))


def multinomial(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of MultinomialNB."""
    weights = store.variable(np.asarray(estimator.feature_log_prob_, np.float64).T)
    return tf.nn.softmax(tf.matmul(rows, weights) + constant(estimator.class_log_prior_))


def complement(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of ComplementNB."""
    return tf.nn.softmax(
        tf.matmul(rows, store.variable(np.asarray(estimator.feature_log_prob_, np.float64).T))
    )


def bernoulli(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of BernoulliNB."""
    if estimator.binarize is not None:
        rows = tf.cast(rows > estimator.binarize, tf.float64)
    present = np.asarray(estimator.feature_log_prob_, np.float64)
    absent = np.log(1 - np.exp(present))
    joint = tf.matmul(rows, store.variable((present - absent).T))
    return tf.nn.softmax(joint + constant(estimator.class_log_prior_ + absent.sum(axis=1)))


def categorical(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of CategoricalNB; NaN for a category beyond those of the fit, where scikit-learn raises."""
    total = tf.broadcast_to(
        constant(estimator.class_log_prior_), [tf.shape(rows)[0], len(estimator.classes_)]
    )
    for index, table in enumerate(estimator.feature_log_prob_):
        value = rows[:, index]
        size = table.shape[1]
        known = tf.logical_and(value > -1, value < size)
        place = tf.cast(tf.where(known, value, tf.zeros_like(value)), tf.int64)
        part = tf.gather(constant(np.transpose(table)), place)
        total += tf.where(known[:, tf.newaxis], part, constant(float("nan")))
    return tf.nn.softmax(total)


def linear_discriminant(estimator: Any, rows: tf.Tensor, store: Store) -> tuple[tf.Tensor, tf.Tensor]:
    """Return `predict_proba` of LinearDiscriminantAnalysis, and `decision_function`."""
    decision = tf.matmul(rows, constant(np.transpose(estimator.coef_))) + constant(estimator.intercept_)
    if len(estimator.classes_) == 2:
        return tf.concat([tf.sigmoid(-decision), tf.sigmoid(decision)], 1), decision[:, 0]
    return tf.nn.softmax(decision), decision


def discriminant_axes(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of LinearDiscriminantAnalysis."""
    centred = rows - constant(estimator.xbar_) if estimator.solver == "svd" else rows
    return tf.matmul(centred, constant(estimator.scalings_))[:, : axes_kept(estimator)]


def quadratic_discriminant(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of QuadraticDiscriminantAnalysis."""
    joint = []
    parts = zip(estimator.means_, estimator.rotations_, estimator.scalings_, estimator.priors_)
    for mean, rotation, scaling, prior in parts:
        rotated = tf.matmul(rows - constant(mean), constant(rotation * scaling**-0.5))
        normalizer = np.log(prior) - 0.5 * np.sum(np.log(scaling))
        joint.append(normalizer - 0.5 * tf.reduce_sum(rotated**2, 1))
    return tf.nn.softmax(tf.stack(joint, 1))


def _check_axes(estimator: Any) -> str | None:
    return option(estimator, "solver", "svd", "eigen")


_LINEAR = "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"
enter(
    Predictor(("sklearn.naive_bayes.GaussianNB",), gaussian, probabilities),
    Predictor(("sklearn.naive_bayes.MultinomialNB",), multinomial, probabilities),
    Predictor(("sklearn.naive_bayes.ComplementNB",), complement, probabilities),
    Predictor(("sklearn.naive_bayes.BernoulliNB",), bernoulli, probabilities),
    Predictor(("sklearn.naive_bayes.CategoricalNB",), categorical, probabilities),
    Predictor((_LINEAR,), linear_discriminant, probabilities),
    Transformer((_LINEAR,), discriminant_axes, _check_axes),
    Predictor(
        ("sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",),
        quadratic_discriminant,
        probabilities,
    ),
)
