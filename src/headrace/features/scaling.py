"""Numbers brought to a common scale, cut into ranges, or laid along their main directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.errors import UserFunctionError
from headrace.features.libraries import tf, tft
from headrace.features.values import (
    QUANTILE_ERROR,
    Tensor,
    annotate_range,
    number_values,
    told,
)


def z_score(x: Tensor, clip: float | None = None) -> Tensor:
    """Return numbers with mean 0 and standard deviation 1; scikit-learn's `StandardScaler`.

    Args:
        x: Numbers, sparse or dense; each column of a dense tensor is scaled by itself.
        clip: The most deviations that a value is away from the mean; farther ones are brought there.

    Returns:
        Float32, `(rows, 1)` of a sparse tensor, else `x`'s shape. The deviation is that of the whole, not of a
        sample of it (ddof 0). A missing value becomes 0, the mean; a constant column 0.

    Raises:
        UserFunctionError: If `x` holds text.
    """
    numbers = number_values(x, "z_score")
    is_one = numbers.shape[-1] == 1
    mean = tft.mean(numbers, reduce_instance_dims=is_one)
    # The deviations from the mean are looked at in a pass of their own: the difference of two large sums of
    # squares would be all rounding where the mean is far from 0.
    variance = tft.var(numbers, reduce_instance_dims=is_one)
    deviation = tf.sqrt(variance)
    scaled = tf.where(deviation > 0, (numbers - mean) / tf.where(deviation > 0, deviation, 1.0), 0.0)
    scaled = tf.where(tf.math.is_nan(numbers), tf.zeros_like(scaled), scaled)
    scaled = tf.cast(scaled, tf.float32)
    return scaled if clip is None else tf.clip_by_value(scaled, -clip, clip)


def log(x: Tensor) -> Tensor:
    """Return the logarithm of each number's size, with its sign: `sign(x) * log(1 + |x|)`; 0 stays 0.

    It brings in the long tail of amounts and counts. What is missing stays so, as NaN, for `z_score` or `impute`.

    Returns:
        Float32, `(rows, 1)` of a sparse tensor, else `x`'s shape.
    """
    numbers = number_values(x, "log")
    return tf.cast(tf.sign(numbers) * tf.math.log1p(tf.abs(numbers)), tf.float32)


def min_max(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Return numbers between `low` and `high`; scikit-learn's `MinMaxScaler`.

    Args:
        x: Numbers, sparse or dense; each column of a dense tensor is scaled by itself.
        low: What the smallest number becomes; so do a constant column and what is missing.
        high: What the greatest number becomes. Later rows may go beyond.

    Returns:
        Float32, `(rows, 1)` of a sparse tensor, else `x`'s shape.

    Raises:
        UserFunctionError: If `x` holds text, or `low` is not below `high`.
    """
    if not low < high:
        raise UserFunctionError(
            f"headrace.features.min_max: low is {low:g} and high {high:g}.", "give a low below high."
        )
    numbers = number_values(x, "min_max")
    is_there = tf.math.is_finite(numbers)
    infinity = tf.constant(float("inf"), tf.float64)
    is_one = numbers.shape[-1] == 1
    least = tft.min(tf.where(is_there, numbers, infinity), reduce_instance_dims=is_one)
    greatest = tft.max(tf.where(is_there, numbers, -infinity), reduce_instance_dims=is_one)
    span = tf.where(greatest > least, greatest - least, 1.0)
    scaled = low + (numbers - least) / span * (high - low)
    return tf.cast(tf.where(is_there, scaled, tf.constant(low, tf.float64)), tf.float32)


def buckets(x: Tensor, num: int) -> Tensor:
    """Return the number of the range that each number falls into, of ranges that hold about as many rows each.

    scikit-learn's `KBinsDiscretizer(strategy="quantile", encode="ordinal")`, but for the edges: they are values of
    the data, within a thousandth of the rows of the quantile, where scikit-learn's lie between values.

    Args:
        x: Numbers, sparse or dense.
        num: Of the ranges, 2 or more.

    Returns:
        Int64 from 0 to `num - 1`, `(rows, 1)` of a sparse tensor, else `x`'s shape. A missing value is `num`.

    Raises:
        UserFunctionError: If `x` holds text, or `num` is below 2.
    """
    if num < 2:
        raise UserFunctionError(
            f"headrace.features.buckets: {num} ranges of {told(x)} are asked for.", "give 2 or more."
        )
    numbers = number_values(x, "buckets")
    is_there = tf.math.is_finite(numbers)
    edges = tft.quantiles(tf.boolean_mask(numbers, is_there), num, QUANTILE_ERROR)
    found = tft.apply_buckets(tf.cast(numbers, tf.float32), edges)
    return annotate_range(tf.where(is_there, found, tf.constant(num, tf.int64)), num + 1)


def pca(x: Tensor | Sequence[Tensor], num: int) -> Tensor:
    """Return rows along the `num` directions in which they differ most; scikit-learn's `PCA`, up to signs.

    Args:
        x: A dense matrix, or several features, dense or sparse, that are put side by side. Features with different
            units are to be scaled first, by `z_score`. A missing value counts as the mean.
        num: Of the directions, at most the number of columns.

    Returns:
        Float32 of shape `(rows, num)`, the direction of the greatest variance first; the mean is 0.

    Raises:
        UserFunctionError: If `x` holds text, or has fewer columns.
    """
    parts = list(x) if isinstance(x, (list, tuple)) else [x]
    numbers = tf.concat([number_values(part, "pca") for part in parts], axis=1)
    width = numbers.shape[1]
    if width is None or not 1 <= num <= width:
        raise UserFunctionError(
            f"headrace.features.pca: {num} directions of {width or 'an unknown number of'} columns are asked for.",
            "give a number from 1 to that of the columns.",
        )
    centred = numbers - tft.mean(numbers, reduce_instance_dims=False)
    centred = tf.where(tf.math.is_nan(centred), tf.zeros_like(centred), centred)
    directions: Any = tft.pca(centred, num, tf.float64)
    return tf.cast(tf.matmul(centred, directions), tf.float32)
