"""Features made of features: polynomials, splines and bins as TensorFlow operations."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import Transformer, constant, enter, option
from headrace.models.exporters.estimators.registry import Store


def polynomial(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of PolynomialFeatures: each product has as many factors as its degree."""
    powers = np.asarray(estimator.powers_)
    degree = int(powers.sum(axis=1).max(initial=0))
    # The factors of each product, filled up with a column of ones at the end.
    factors = np.full((len(powers), max(degree, 1)), powers.shape[1])
    for place, exponents in enumerate(powers):
        chosen = np.repeat(np.arange(len(exponents)), exponents)
        factors[place, : len(chosen)] = chosen
    padded = tf.concat([rows, tf.ones_like(rows[:, :1])], 1)
    values = tf.gather(padded, factors[:, 0], axis=1)
    for index in range(1, factors.shape[1]):
        values *= tf.gather(padded, factors[:, index], axis=1)
    return values


def splines(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of SplineTransformer; NaN beyond the knots with extrapolation="error", where scikit-learn raises."""
    columns = []
    for index, spline in enumerate(estimator.bsplines_):
        values = _spline(rows[:, index], spline, estimator.extrapolation)
        columns.append(values if estimator.include_bias else values[:, :-1])
    return tf.concat(columns, 1)


def _spline(x: tf.Tensor, spline: Any, extrapolation: str) -> tf.Tensor:
    knots, degree = np.asarray(spline.t, np.float64), spline.k
    low, high = knots[degree], knots[len(knots) - degree - 1]
    if extrapolation == "periodic":
        return _pieces(low + tf.math.floormod(x - low, high - low), spline)
    if extrapolation == "continue":
        return _pieces(x, spline)
    inside = tf.clip_by_value(x, low, high)
    values = _pieces(inside, spline)
    if extrapolation == "error":
        return tf.where((inside == x)[:, tf.newaxis], values, constant(float("nan")))
    if extrapolation == "linear":
        beyond = (x - inside)[:, tf.newaxis]
        slope = tf.where(x[:, tf.newaxis] < low, constant(spline(low, nu=1)), constant(spline(high, nu=1)))
        values += beyond * slope
    return values


def _pieces(x: tf.Tensor, spline: Any) -> tf.Tensor:
    """Return the values of a vector of B-splines from the Taylor polynomial at the left knot of each interval."""
    knots, degree = np.asarray(spline.t, np.float64), spline.k
    first, last = degree, len(knots) - degree - 2
    starts = knots[first : last + 1]
    coefficients = [
        spline(starts, nu=order, extrapolate=True) / factorial(order) for order in range(degree + 1)
    ]
    place = tf.clip_by_value(tf.searchsorted(constant(knots), x, side="right") - 1, first, last) - first
    offset = (x - tf.gather(constant(starts), place))[:, tf.newaxis]
    values = tf.gather(constant(coefficients[-1]), place)
    for coefficient in reversed(coefficients[:-1]):
        values = values * offset + tf.gather(constant(coefficient), place)
    return values


def _check_splines(estimator: Any) -> str | None:
    if estimator.extrapolation == "linear" and estimator.degree < 2:
        # scikit-learn 1.5 raises the degree by one for each further feature here, and so moves their bounds.
        return "extrapolation='linear' is covered for a degree of 2 and more; take extrapolation='constant'"
    return option(estimator, "handle_missing", "error")


def bins(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of KBinsDiscretizer."""
    columns = []
    for index, edges in enumerate(estimator.bin_edges_):
        place = tf.searchsorted(constant(edges[1:-1]), rows[:, index], side="right")
        if estimator.encode == "ordinal":
            columns.append(tf.cast(place, tf.float64)[:, tf.newaxis])
        else:
            columns.append(tf.one_hot(place, int(estimator.n_bins_[index]), dtype=tf.float64))
    return tf.concat(columns, 1)


enter(
    Transformer(("sklearn.preprocessing._polynomial.PolynomialFeatures",), polynomial),
    Transformer(("sklearn.preprocessing._polynomial.SplineTransformer",), splines, _check_splines),
    Transformer(("sklearn.preprocessing._discretization.KBinsDiscretizer",), bins),
)
