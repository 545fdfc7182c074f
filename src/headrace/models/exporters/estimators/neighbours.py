"""Neighbours as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators import distances
from headrace.models.exporters.estimators.converter import (
    Predictor,
    constant,
    enter,
    first,
    option,
    predictions,
    probabilities,
    scores,
)
from headrace.models.exporters.estimators.fitted_internals import neighbour_rows, neighbour_targets
from headrace.models.exporters.estimators.registry import Store

# More candidates than neighbours: the quick distances of a product of matrices may order two rows wrongly whose
# distances agree in about 12 digits; those of the candidates are then calculated as scikit-learn does.
_MORE_CANDIDATES = 16


def _check(estimator: Any) -> str | None:
    if (getattr(estimator, "metric_params", None) or {}).keys() - {"p"}:
        return f"metric_params={estimator.metric_params!r} is not covered; scale the features instead"
    return first(
        option(estimator, "metric", *distances.METRICS), option(estimator, "weights", "uniform", "distance")
    )


def _check_single(estimator: Any) -> str | None:
    if getattr(estimator, "outputs_2d_", False):
        return "labels of more than one column are not covered; train one classifier for each"
    return _check(estimator)


def _metric(estimator: Any) -> tuple[str, float | None]:
    metric = estimator.metric
    p = (estimator.metric_params or {}).get("p", estimator.p)
    return metric, distances.order(metric, p)


def _fitted_rows(estimator: Any, store: Store) -> tf.Tensor:
    return tf.convert_to_tensor(store.variable(neighbour_rows(estimator)))


def nearest(estimator: Any, rows: tf.Tensor, store: Store) -> tuple[tf.Tensor, tf.Tensor]:
    """Return distances and places of the `n_neighbors` nearest training rows, nearest first; of equal ones the earlier.

    Args:
        estimator: A fitted estimator of neighbours.
        rows: Queries of shape (rows, n).
        store: Takes the training rows.

    Returns:
        Two tensors of shape (rows, n_neighbors): float64 and int32.
    """
    metric, p = _metric(estimator)
    trained = _fitted_rows(estimator, store)
    k, count = estimator.n_neighbors, int(trained.shape[0])

    def block(queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if p == 2.0:
            return _nearest_euclidean(queries, trained, k)
        negative, places = tf.math.top_k(-distances.pairwise(queries, trained, p), k)
        return -negative, places

    needed = max(count, (k + _MORE_CANDIDATES) * int(trained.shape[1]))
    found, places = distances.by_blocks(rows, needed, block, (tf.float64, tf.int32), k)
    return (found * found if metric == "sqeuclidean" else found), places


def _nearest_euclidean(queries: tf.Tensor, trained: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    candidates = min(k + _MORE_CANDIDATES, int(trained.shape[0]))
    quick = distances.squared_euclidean(queries, trained)
    # In the order of the training rows, so that of equal distances the earlier row comes first.
    places = tf.sort(tf.math.top_k(-quick, candidates, sorted=False)[1], axis=1)
    differences = queries[:, tf.newaxis, :] - tf.gather(trained, places)
    exact = tf.sqrt(tf.reduce_sum(differences * differences, 2))
    negative, order = tf.math.top_k(-exact, k)
    return -negative, tf.gather(places, order, batch_dims=1)


def _weights(estimator: Any, found: tf.Tensor) -> tf.Tensor:
    """Return the weights of neighbours; where one is at distance 0, those alone count."""
    if estimator.weights == "uniform":
        return tf.ones_like(found)
    zero = found == 0
    any_zero = tf.reduce_any(zero, 1, keepdims=True)
    inverse = 1.0 / tf.where(zero, tf.ones_like(found), found)
    return tf.where(any_zero, tf.cast(zero, found.dtype), inverse)


def k_classes(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of KNeighborsClassifier."""
    found, places = nearest(estimator, rows, store)
    weights = _weights(estimator, found)
    labels = tf.gather(store.array(np.ravel(neighbour_targets(estimator)), tf.int32), places)
    # As many sums as classes: (rows, k, classes) of ones and zeros would be large.
    sums = [
        tf.reduce_sum(tf.where(labels == index, weights, tf.zeros_like(weights)), 1)
        for index in range(len(estimator.classes_))
    ]
    total = tf.stack(sums, 1)
    return total / tf.reduce_sum(total, 1, keepdims=True)


def _columns(estimator: Any) -> Any:
    targets = neighbour_targets(estimator).astype(np.float64)
    return targets.reshape(len(targets), -1)


def k_values(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of KNeighborsRegressor."""
    found, places = nearest(estimator, rows, store)
    weights = _weights(estimator, found)[..., tf.newaxis]
    targets = _columns(estimator)
    values = tf.gather(tf.convert_to_tensor(store.variable(targets)), places)
    return tf.reduce_sum(values * weights, 1) / tf.reduce_sum(weights, 1)


def _within(estimator: Any, rows: tf.Tensor, store: Store, columns: Any) -> tf.Tensor:
    """Return the weighted sums of columns over the rows within the radius; a last column has the sum of weights."""
    metric, p = _metric(estimator)
    trained = _fitted_rows(estimator, store)
    values = store.variable(np.hstack([columns, np.ones((len(columns), 1))]))

    def block(queries: tf.Tensor) -> tuple[tf.Tensor]:
        found = distances.pairwise(queries, trained, p)
        found = found * found if metric == "sqeuclidean" else found
        inside = found <= estimator.radius
        far = tf.where(inside, found, constant(float("inf")))
        weights = tf.where(inside, _weights(estimator, far), tf.zeros_like(found))
        return (tf.matmul(weights, values),)

    (sums,) = distances.by_blocks(
        rows, int(trained.shape[0]), block, (tf.float64,), int(np.shape(columns)[1]) + 1
    )
    return sums


def radius_classes(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of RadiusNeighborsClassifier.

    A row without neighbours has probability 1 for the outlier label, 0 everywhere where that is no class, and NaN where
    there is none: scikit-learn raises then.
    """
    count = len(estimator.classes_)
    sums = _within(estimator, rows, store, np.eye(count)[np.ravel(neighbour_targets(estimator))])
    return tf.where(sums[:, -1:] > 0, sums[:, :-1] / sums[:, -1:], constant(_outlier_row(estimator)))


def _outlier_row(estimator: Any) -> Any:
    if estimator.outlier_label_ is None:
        return np.full(len(estimator.classes_), np.nan)
    return (estimator.classes_ == estimator.outlier_label_[0]).astype(float)


def radius_values(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of RadiusNeighborsRegressor: NaN for a row without neighbours."""
    targets = _columns(estimator)
    sums = _within(estimator, rows, store, targets)
    return sums[:, :-1] / sums[:, -1:]


def _check_centroid(estimator: Any) -> str | None:
    if (
        not isinstance(getattr(estimator, "priors", "uniform"), str)
        or getattr(estimator, "priors", "uniform") != "uniform"
    ):
        return "priors is not covered; leave it uniform, or take LinearDiscriminantAnalysis"
    return option(estimator, "metric", "euclidean", "manhattan")


def centroid_scores(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return the negative distances to the centroids: the largest is the class that `predict` gives."""
    p = distances.order(estimator.metric, 2.0)
    return -distances.pairwise(rows, constant(estimator.centroids_), p)


_CLASSES = "sklearn.neighbors._classification."
_VALUES = "sklearn.neighbors._regression."
enter(
    Predictor((_CLASSES + "KNeighborsClassifier",), k_classes, probabilities, _check_single),
    Predictor((_VALUES + "KNeighborsRegressor",), k_values, predictions, _check),
    Predictor((_CLASSES + "RadiusNeighborsClassifier",), radius_classes, probabilities, _check_single),
    Predictor((_VALUES + "RadiusNeighborsRegressor",), radius_values, predictions, _check),
    Predictor(
        ("sklearn.neighbors._nearest_centroid.NearestCentroid",), centroid_scores, scores, _check_centroid
    ),
)
