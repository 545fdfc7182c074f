"""Distances between rows, calculated as the trees and the brute force of scikit-learn do, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Values of one matrix of distances: 64 MiB of float64.
_BLOCK_VALUES = 1 << 23

METRICS = (
    "minkowski",
    "euclidean",
    "l2",
    "sqeuclidean",
    "manhattan",
    "l1",
    "cityblock",
    "chebyshev",
    "cosine",
)


def order(metric: str, p: float) -> float | None:
    """Return the order of a Minkowski metric (inf for Chebyshev's), or None for the cosine distance."""
    orders = {"manhattan": 1.0, "l1": 1.0, "cityblock": 1.0, "chebyshev": float("inf"), "cosine": None}
    return orders.get(metric, float(p) if metric == "minkowski" else 2.0)


def squared_euclidean(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return squared distances of shape (rows of a, rows of b) by one product of matrices.

    Both are shifted to the middle of `b` first: far from the origin |a|² + |b|² - 2ab would cancel every digit.
    """
    middle = tf.reduce_mean(b, axis=0)
    a, b = a - middle, b - middle
    squares = tf.reduce_sum(a * a, 1)[:, tf.newaxis] + tf.reduce_sum(b * b, 1)
    return tf.maximum(squares - 2 * tf.matmul(a, b, transpose_b=True), 0.0)


def normalized(rows: tf.Tensor) -> tf.Tensor:
    """Return rows of length 1; a row of zeros stays."""
    length = tf.sqrt(tf.reduce_sum(rows * rows, 1, keepdims=True))
    return rows / tf.where(length == 0, tf.ones_like(length), length)


def pairwise(a: tf.Tensor, b: tf.Tensor, p: float | None) -> tf.Tensor:
    """Return distances of shape (rows of a, rows of b), feature after feature: equal rows are exactly 0 apart.

    Args:
        a: Rows, float64.
        b: Others of as many features.
        p: What `order` returns.
    """
    if p is None:
        return tf.clip_by_value(1.0 - tf.matmul(normalized(a), normalized(b), transpose_b=True), 0.0, 2.0)
    total = tf.zeros([tf.shape(a)[0], tf.shape(b)[0]], a.dtype)
    for index in range(int(b.shape[1])):
        total = _add(total, tf.abs(a[:, index, tf.newaxis] - b[tf.newaxis, :, index]), p)
    return root(total, p)


def _add(total: tf.Tensor, difference: tf.Tensor, p: float) -> tf.Tensor:
    if p == float("inf"):
        return tf.maximum(total, difference)
    if p == 2.0:
        return total + difference * difference
    return total + (difference if p == 1.0 else difference**p)


def root(total: tf.Tensor, p: float) -> tf.Tensor:
    """Return a distance from the sum of the powers of its differences."""
    if p == 2.0:
        return tf.sqrt(total)
    return total if p in (1.0, float("inf")) else total ** (1.0 / p)


def by_blocks(
    rows: tf.Tensor,
    others: int,
    calculate: Callable[[tf.Tensor], Any],
    outputs: tuple[tf.DType, ...],
    width: Any,
) -> Any:
    """Calculate rows in blocks, so that a matrix of (block, others) stays below 64 MiB.

    Args:
        rows: Shape (rows, n).
        others: How many values a row needs at a time.
        calculate: (block) -> a tuple of tensors (block, width).
        outputs: The dtypes of the tuple.
        width: The width of each.

    Returns:
        The tuple for all rows.
    """
    size = max(1, _BLOCK_VALUES // max(others, 1))
    total = tf.shape(rows)[0]
    blocks = (total + size - 1) // size
    arrays = tuple(
        tf.TensorArray(dtype, size=blocks, infer_shape=False, element_shape=[None, width])
        for dtype in outputs
    )

    def body(index: tf.Tensor, kept: Any) -> Any:
        values = calculate(rows[index * size : (index + 1) * size])
        return index + 1, tuple(array.write(index, value) for array, value in zip(kept, values))

    _, arrays = tf.while_loop(
        lambda index, kept: index < blocks, body, (tf.constant(0), arrays), parallel_iterations=1
    )
    return tuple(
        tf.cond(
            blocks > 0,
            lambda array=array: array.concat(),
            lambda dtype=dtype: tf.zeros([0, width], dtype),
        )
        for array, dtype in zip(arrays, outputs)
    )
