"""Clusters and mixtures as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import (
    Predictor,
    Transformer,
    as_matrix,
    constant,
    enter,
    predictions,
    probabilities,
)
from headrace.models.exporters.estimators.distances import pairwise
from headrace.models.exporters.estimators.fitted_internals import bisections
from headrace.models.exporters.estimators.registry import Store


def centre_distances(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of the k-means: the Euclidean distance to each centre."""
    return pairwise(rows, constant(estimator.cluster_centers_), 2.0)


def _nearest(rows: tf.Tensor, centres: Any) -> tf.Tensor:
    return tf.argmin(pairwise(rows, constant(centres), 2.0), 1)


def k_means(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of KMeans and MiniBatchKMeans: the place of the nearest centre."""
    return tf.cast(as_matrix(_nearest(rows, estimator.cluster_centers_)), tf.float64)


def bisecting(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of BisectingKMeans: down the tree of its divisions."""
    root, shift = bisections(estimator)

    def label(node: Any) -> tf.Tensor:
        if node.left is None:
            return tf.fill([tf.shape(rows)[0]], constant(float(node.label)))
        side = _nearest(rows, np.vstack([node.left.center, node.right.center]) + shift)
        return tf.where(side == 0, label(node.left), label(node.right))

    return as_matrix(label(root))


def birch_distances(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of Birch: the distance to each subcluster."""
    return pairwise(rows, constant(estimator.subcluster_centers_), 2.0)


def birch(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of Birch: the cluster of the nearest subcluster."""
    place = _nearest(rows, estimator.subcluster_centers_)
    return as_matrix(tf.gather(constant(estimator.subcluster_labels_), place))


def mixture(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict_proba` of GaussianMixture, for each type of covariance."""
    factors = _factors(estimator)
    joint = []
    for weight, mean, factor in zip(estimator.weights_, estimator.means_, factors):
        whitened = tf.matmul(rows - constant(mean), constant(factor))
        log_determinant = float(np.sum(np.log(np.diagonal(factor))))
        joint.append(np.log(weight) + log_determinant - 0.5 * tf.reduce_sum(whitened**2, 1))
    return tf.nn.softmax(tf.stack(joint, 1))


def _factors(estimator: Any) -> list[Any]:
    """Return the Cholesky factor of the precision of each component as a matrix."""
    factors, (count, size) = estimator.precisions_cholesky_, estimator.means_.shape
    kind = estimator.covariance_type
    if kind == "full":
        return list(factors)
    if kind == "tied":
        return [factors] * count
    if kind == "diag":
        return [np.diag(factor) for factor in factors]
    return [np.eye(size) * factor for factor in factors]


_CLUSTER = "sklearn.cluster."
_K_MEANS = (_CLUSTER + "_kmeans.KMeans", _CLUSTER + "_kmeans.MiniBatchKMeans")
_BISECTING = (_CLUSTER + "_bisect_k_means.BisectingKMeans",)
_BIRCH = (_CLUSTER + "_birch.Birch",)
enter(
    Predictor(_K_MEANS, k_means, predictions),
    Predictor(_BISECTING, bisecting, predictions),
    Predictor(_BIRCH, birch, predictions),
    Predictor(("sklearn.mixture._gaussian_mixture.GaussianMixture",), mixture, probabilities),
    Transformer(_K_MEANS + _BISECTING, centre_distances),
    Transformer(_BIRCH, birch_distances),
)
