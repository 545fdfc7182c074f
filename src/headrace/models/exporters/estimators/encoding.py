"""Encoders of categories as TensorFlow operations.

A category that the fit has not seen: where scikit-learn would raise (`handle_unknown="error"`), the columns of its
feature are NaN, so that the row's answer is NaN and not that of another category.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.errors import ModelError
from headrace.models.exporters.estimators.converter import Transformer, constant, enter
from headrace.models.exporters.estimators.fitted_internals import (
    dropped_category,
    grouped_categories,
    missing_category,
    one_hot_width,
)
from headrace.models.exporters.estimators.registry import Store
from headrace.models.missing import MISSING_TEXT


def find_text(column: tf.Tensor, vocabulary: list[str]) -> tf.Tensor:
    """Return the place of each text in a vocabulary, -1 where it is not in it.

    By the search of a 63-bit hash and a comparison of the text found, so it needs no table that a saved model must start.

    Args:
        column: Texts of any shape with one dimension.
        vocabulary: Different texts.

    Raises:
        ModelError: If two texts of the vocabulary have the same hash.
    """
    if not vocabulary:
        return tf.fill(tf.shape(column), tf.constant(-1, tf.int64))
    texts = np.array([text.encode("utf-8") for text in vocabulary], object)
    with tf.init_scope():
        hashes = tf.strings.to_hash_bucket_fast(tf.constant(texts), 2**63 - 1).numpy()
    order = np.argsort(hashes, kind="stable")
    if len(np.unique(hashes)) < len(hashes):
        raise ModelError("two categories of a feature have the same hash.", "rename one of them.")
    place = tf.searchsorted(
        tf.constant(hashes[order]), tf.strings.to_hash_bucket_fast(column, 2**63 - 1), out_type=tf.int64
    )
    place = tf.minimum(place, len(texts) - 1)
    found = tf.gather(tf.constant(texts[order]), place) == column
    return tf.where(found, tf.gather(tf.constant(order, tf.int64), place), tf.constant(-1, tf.int64))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def find_category(column: tf.Tensor, categories: Any) -> tf.Tensor:
    """Return the place of each value among categories, -1 where it is none of them.

    A missing value is NaN among numbers and `MISSING_TEXT` among texts; it is found as the category NaN or None.

    Args:
        column: Numbers or texts of shape (rows,).
        categories: As in `categories_`.

    Raises:
        ModelError: If the column is of texts and the categories of numbers, or the other way round.
    """
    values = list(np.asarray(categories).tolist())
    missing = [place for place, value in enumerate(values) if value is None or _is_nan(value)]
    present = [place for place in range(len(values)) if place not in missing]
    kept = [values[place] for place in present]
    is_text = column.dtype == tf.string
    if any(isinstance(value, str) != is_text for value in kept):
        kinds = ("numbers", "texts") if is_text else ("texts", "numbers")
        raise ModelError(
            f"an encoder was fitted on categories that are {kinds[0]}, such as {kept[0]!r}, and its feature has "
            f"{kinds[1]}.",
            "give it the same feature as in the fit, or make one of the other in preprocessing_fn.",
        )
    place = find_text(column, kept) if is_text else _find_number(column, kept)
    code = tf.where(place < 0, place, tf.gather(tf.constant(present or [0], tf.int64), tf.maximum(place, 0)))
    if not missing:
        return code
    absent = column == MISSING_TEXT if is_text else tf.math.is_nan(tf.cast(column, tf.float64))
    return tf.where(tf.logical_and(absent, code < 0), tf.constant(missing[-1], tf.int64), code)


def _find_number(column: tf.Tensor, values: list[Any]) -> tf.Tensor:
    # In whole numbers where both are: a float64 does not tell those beyond 2^53 apart.
    whole = column.dtype.is_integer and all(isinstance(value, int) for value in values)
    dtype = tf.int64 if whole else tf.float64
    if not values:
        return tf.fill(tf.shape(column), tf.constant(-1, tf.int64))
    # The categories that the user gives need not be sorted.
    order = np.argsort(np.array(values), kind="stable")
    ordered = tf.constant([values[place] for place in order], dtype)
    column = tf.cast(column, dtype)
    place = tf.minimum(tf.searchsorted(ordered, column, out_type=tf.int64), len(values) - 1)
    found = tf.gather(ordered, place) == column
    return tf.where(found, tf.gather(tf.constant(order, tf.int64), place), tf.constant(-1, tf.int64))


def one_hot(estimator: Any, columns: list[tf.Tensor], store: Store) -> tf.Tensor:
    """Return `transform` of OneHotEncoder, with its dropped and its infrequent categories."""
    parts = []
    for index, column in enumerate(columns):
        places, rare = grouped_categories(estimator, index)
        unknown = (
            rare if rare is not None and estimator.handle_unknown in ("infrequent_if_exist", "warn") else -1
        )
        drop = dropped_category(estimator, index)
        table = [_without(place, drop) for place in [*places, unknown]]
        code = find_category(column, estimator.categories_[index])
        width = one_hot_width(estimator, index)
        target = tf.gather(
            tf.constant(table, tf.int64), tf.where(code < 0, tf.constant(len(places), tf.int64), code)
        )
        part = tf.one_hot(target, width, dtype=tf.float64)
        if estimator.handle_unknown == "error":
            part = tf.where((code < 0)[:, tf.newaxis], constant(float("nan")), part)
        parts.append(part)
    return tf.concat(parts, 1)


def _without(place: int, dropped: int | None) -> int:
    if dropped is None or place < dropped:
        return place
    return -1 if place == dropped else place - 1


def ordinal(estimator: Any, columns: list[tf.Tensor], store: Store) -> tf.Tensor:
    """Return `transform` of OrdinalEncoder."""
    parts = []
    for index, column in enumerate(columns):
        values = [float(place) for place in grouped_categories(estimator, index)[0]]
        missing = missing_category(estimator, index)
        if missing is not None:
            values[missing] = float(estimator.encoded_missing_value)
        unknown = estimator.unknown_value if estimator.handle_unknown == "use_encoded_value" else float("nan")
        code = find_category(column, estimator.categories_[index])
        parts.append(_gather([*values, float(unknown)], code))
    return tf.stack(parts, 1)


def _gather(values: Any, code: tf.Tensor) -> tf.Tensor:
    """Return the value of each code; the last value is that of -1."""
    return tf.gather(constant(values), tf.where(code < 0, tf.constant(len(values) - 1, tf.int64), code))


def target(estimator: Any, columns: list[tf.Tensor], store: Store) -> tf.Tensor:
    """Return `transform` of TargetEncoder: an unknown category has the mean of the target."""
    means = np.atleast_1d(np.asarray(estimator.target_mean_, np.float64))
    parts = []
    for index, column in enumerate(columns):
        code = find_category(column, estimator.categories_[index])
        for place, mean in enumerate(means):
            encoding = estimator.encodings_[index * len(means) + place]
            parts.append(_gather([*encoding, mean], code))
    return tf.stack(parts, 1)


_ENCODERS = "sklearn.preprocessing._encoders."
enter(
    Transformer((_ENCODERS + "OneHotEncoder",), one_hot, by_column=True),
    Transformer((_ENCODERS + "OrdinalEncoder",), ordinal, by_column=True),
    Transformer(("sklearn.preprocessing._target_encoder.TargetEncoder",), target, by_column=True),
)
