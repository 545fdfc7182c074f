"""Imputers as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import Transformer, constant, enter
from headrace.models.exporters.estimators.distances import by_blocks
from headrace.models.exporters.estimators.fitted_internals import imputable, neighbour_rows
from headrace.models.exporters.estimators.registry import Store
from headrace.models.missing import MISSING_TEXT


def _is_missing(column: tf.Tensor, marker: Any) -> tf.Tensor:
    """Return where a column of shape (rows,) has the marker; NaN and None are `MISSING_TEXT` among texts."""
    absent = (
        marker is None
        or (isinstance(marker, float) and np.isnan(marker))
        or type(marker).__name__ == "NAType"
    )
    if column.dtype == tf.string:
        return column == (MISSING_TEXT if absent else str(marker))
    number = tf.cast(column, tf.float64)
    return tf.math.is_nan(number) if absent else number == float(marker)


def _filled(column: tf.Tensor, missing: tf.Tensor, value: Any) -> tf.Tensor:
    if column.dtype == tf.string:
        return tf.where(missing, tf.constant(str(value)), column)
    return tf.where(missing, constant(float(value)), tf.cast(column, tf.float64))


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def fill(estimator: Any, columns: list[tf.Tensor], store: Store) -> list[tf.Tensor]:
    """Return the columns of `transform` of SimpleImputer: numbers stay numbers, texts stay texts.

    A feature without a value in the fit is left out, as scikit-learn does, unless keep_empty_features.
    """
    statistics = estimator.statistics_.tolist()
    marker = estimator.missing_values
    kept = []
    for column, value in zip(columns, statistics):
        if _is_empty(value) and not estimator.keep_empty_features and estimator.strategy != "constant":
            continue
        kept.append(_filled(column, _is_missing(column, marker), value))
    if estimator.add_indicator:
        kept.extend(indicators(estimator.indicator_, columns, store))
    return kept


def indicators(estimator: Any, columns: list[tf.Tensor], store: Store) -> list[tf.Tensor]:
    """Return the columns of `transform` of MissingIndicator: 1 where the value is missing."""
    return [
        tf.cast(_is_missing(columns[index], estimator.missing_values), tf.float64)
        for index in estimator.features_
    ]


def nearest(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of KNNImputer: the mean of the nearest training rows that have the feature.

    Distances leave out the features that one of the two rows lacks and are scaled up by their share.
    """
    trained = neighbour_rows(estimator)
    marker = estimator.missing_values
    absent = np.isnan(trained) if _is_empty(marker) else trained == marker
    known = store.array(np.where(absent, 0.0, trained))
    given = store.array((~absent).astype(np.float64))
    width = sum(1 for index in range(trained.shape[1]) if _is_kept(estimator, index))
    width += len(estimator.indicator_.features_) if estimator.add_indicator else 0

    def block(queries: tf.Tensor) -> tuple[tf.Tensor]:
        return (_imputed(estimator, queries, trained, absent, _distances(queries, known, given, marker)),)

    (values,) = by_blocks(rows, 2 * len(trained), block, (tf.float64,), width)
    return values


def _is_kept(estimator: Any, index: int) -> bool:
    return bool(imputable(estimator)[index] or getattr(estimator, "keep_empty_features", False))


def _missing(rows: tf.Tensor, marker: Any) -> tf.Tensor:
    return tf.math.is_nan(rows) if _is_empty(marker) else rows == float(marker)


def _imputed(estimator: Any, rows: tf.Tensor, trained: Any, absent: Any, found: tf.Tensor) -> tf.Tensor:
    missing = _missing(rows, estimator.missing_values)
    columns = []
    for index in range(trained.shape[1]):
        if not _is_kept(estimator, index):
            continue
        if absent[:, index].all():
            value = tf.zeros_like(rows[:, index])
        else:
            value = _donated(found, trained[:, index], absent[:, index], estimator)
        columns.append(tf.where(missing[:, index], value, rows[:, index]))
    if estimator.add_indicator:
        columns.extend(tf.cast(missing[:, index], tf.float64) for index in estimator.indicator_.features_)
    return tf.stack(columns, 1)


def _distances(rows: tf.Tensor, known: tf.Tensor, given: tf.Tensor, marker: Any) -> tf.Tensor:
    missing = _missing(rows, marker)
    present = tf.cast(~missing, tf.float64)
    clean = tf.where(missing, tf.zeros_like(rows), rows)
    size = int(clean.shape[1])
    total = tf.zeros([tf.shape(clean)[0], tf.shape(known)[0]], tf.float64)
    for index in range(size):
        both = present[:, index, tf.newaxis] * given[:, index]
        total += both * (clean[:, index, tf.newaxis] - known[:, index]) ** 2
    shared = tf.matmul(present, given, transpose_b=True)
    return tf.where(shared > 0, tf.sqrt(total * size / tf.maximum(shared, 1.0)), constant(float("inf")))


def _donated(found: tf.Tensor, values: Any, absent: Any, estimator: Any) -> tf.Tensor:
    donors = np.flatnonzero(~absent)
    k = min(estimator.n_neighbors, len(donors))
    negative, places = tf.math.top_k(-tf.gather(found, donors, axis=1), k)
    distance = -negative
    usable = tf.math.is_finite(distance)
    if estimator.weights == "uniform":
        weights = tf.ones_like(distance)
    else:
        zero = distance == 0
        inverse = 1.0 / tf.where(zero, tf.ones_like(distance), distance)
        weights = tf.where(tf.reduce_any(zero, 1, keepdims=True), tf.cast(zero, tf.float64), inverse)
    weights = tf.where(usable, weights, tf.zeros_like(weights))
    total = tf.reduce_sum(weights, 1)
    mean = tf.reduce_sum(weights * tf.gather(constant(values[donors]), places), 1) / total
    # A row that shares no feature with any donor has the mean of the feature.
    return tf.where(total > 0, mean, constant(values[donors].mean()))


def _check_nearest(estimator: Any) -> str | None:
    if callable(estimator.weights) or callable(estimator.metric):
        return "weights and metric that are functions are not covered; weights may be 'uniform' or 'distance'"
    return None


def _iterative(estimator: Any) -> str:
    return "its transform runs the estimators of its rounds, which is not covered; take SimpleImputer or KNNImputer"


def _never(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    raise NotImplementedError(_iterative(estimator))


enter(
    Transformer(("sklearn.impute._base.SimpleImputer",), fill, by_column=True),
    Transformer(("sklearn.impute._base.MissingIndicator",), indicators, by_column=True),
    Transformer(("sklearn.impute._knn.KNNImputer",), nearest, _check_nearest, takes_nan=True),
    Transformer(("sklearn.impute._iterative.IterativeImputer",), _never, _iterative),
)
