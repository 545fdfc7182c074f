"""Decompositions, projections and selections of features as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import Transformer, constant, enter
from headrace.models.exporters.estimators.registry import Store


def _project(rows: tf.Tensor, components: Any, store: Store) -> tf.Tensor:
    if hasattr(components, "toarray"):
        components = components.toarray()
    return tf.matmul(rows, store.variable(np.asarray(components, np.float64).T))


def principal(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of PCA and IncrementalPCA."""
    mean = estimator.mean_ if estimator.mean_ is not None else 0.0
    values = _project(rows - constant(mean), estimator.components_, store)
    if not estimator.whiten:
        return values
    scale = np.sqrt(estimator.explained_variance_)
    return values / constant(np.maximum(scale, np.finfo(scale.dtype).eps))


def projection(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return rows @ components: `transform` of TruncatedSVD and of random projections."""
    return _project(rows, estimator.components_, store)


def independent(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of FastICA."""
    if estimator.whiten:
        rows = rows - constant(estimator.mean_)
    return _project(rows, estimator.components_, store)


def factors(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of FactorAnalysis."""
    weighted = estimator.components_ / estimator.noise_variance_
    covariance = np.linalg.inv(np.eye(len(estimator.components_)) + weighted @ estimator.components_.T)
    return _project(rows - constant(estimator.mean_), covariance @ weighted, store)


def selection(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return the features that a selector keeps."""
    return tf.gather(rows, np.flatnonzero(estimator.get_support()), axis=1)


def _nmf(estimator: Any) -> str:
    return "its transform is an optimization for each row, which is not covered; take PCA or TruncatedSVD"


def _never(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    raise NotImplementedError(_nmf(estimator))


_SELECTORS = (
    "sklearn.feature_selection._univariate_selection.SelectKBest",
    "sklearn.feature_selection._univariate_selection.SelectPercentile",
    "sklearn.feature_selection._univariate_selection.SelectFpr",
    "sklearn.feature_selection._univariate_selection.SelectFdr",
    "sklearn.feature_selection._univariate_selection.SelectFwe",
    "sklearn.feature_selection._univariate_selection.GenericUnivariateSelect",
    "sklearn.feature_selection._variance_threshold.VarianceThreshold",
    "sklearn.feature_selection._rfe.RFE",
    "sklearn.feature_selection._rfe.RFECV",
    "sklearn.feature_selection._from_model.SelectFromModel",
    "sklearn.feature_selection._sequential.SequentialFeatureSelector",
)
_DECOMPOSITION = "sklearn.decomposition."
enter(
    Transformer((_DECOMPOSITION + "_pca.PCA", _DECOMPOSITION + "_incremental_pca.IncrementalPCA"), principal),
    Transformer(
        (
            _DECOMPOSITION + "_truncated_svd.TruncatedSVD",
            "sklearn.random_projection.GaussianRandomProjection",
            "sklearn.random_projection.SparseRandomProjection",
        ),
        projection,
    ),
    Transformer((_DECOMPOSITION + "_fastica.FastICA",), independent),
    Transformer((_DECOMPOSITION + "_factor_analysis.FactorAnalysis",), factors),
    Transformer((_DECOMPOSITION + "_nmf.NMF", _DECOMPOSITION + "_nmf.MiniBatchNMF"), _never, _nmf),
    Transformer(_SELECTORS, selection, takes_nan=True),
)
