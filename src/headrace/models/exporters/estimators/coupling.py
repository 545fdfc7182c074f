"""Probabilities of classes from those of their pairs, by libsvm's iteration."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


def coupled(pairs: tf.Tensor, classes: int) -> tf.Tensor:
    """Return the probability of each class: the second method of Wu, Lin and Weng (JMLR 2004), as `svm.cpp` runs it.

    libsvm stops where the largest error is below 0.005 / classes, so its answers are up to 5e-3 off the limit; the
    same steps are made here, for each row as many as libsvm makes, so the answers are libsvm's.

    Args:
        pairs: P(i | i or j) for i < j in order, of shape (rows, classes (classes - 1) / 2), float64.
        classes: At least 2.

    Returns:
        Shape (rows, classes).
    """
    q = _matrix(pairs, classes)
    start = tf.fill([tf.shape(pairs)[0], classes], tf.constant(1.0 / classes, tf.float64))

    def going(p: tf.Tensor) -> tf.Tensor:
        qp, pqp = _products(q, p)
        return tf.reduce_max(tf.abs(qp - pqp[:, tf.newaxis]), 1) >= 0.005 / classes

    def condition(step: tf.Tensor, p: tf.Tensor, moving: tf.Tensor) -> tf.Tensor:
        return tf.logical_and(step < max(100, classes), tf.reduce_any(moving))

    def body(step: tf.Tensor, p: tf.Tensor, moving: tf.Tensor) -> Any:
        p = tf.where(moving[:, tf.newaxis], _sweep(q, p, classes), p)
        return step + 1, p, tf.logical_and(moving, going(p))

    return tf.while_loop(condition, body, (tf.constant(0), start, going(start)))[1]


def _matrix(pairs: tf.Tensor, classes: int) -> tf.Tensor:
    # r[i][j] of all i, j: of each place the column of `pairs`, or that of the opposite pair.
    places, opposite = np.zeros((classes, classes), np.int32), np.zeros((classes, classes), bool)
    for place, (i, j) in enumerate(zip(*np.triu_indices(classes, 1))):
        places[i, j] = places[j, i] = place
        opposite[j, i] = True
    r = tf.gather(pairs, places, axis=1)
    r = tf.where(opposite, 1.0 - r, r)
    r = r * (1.0 - np.eye(classes))
    transposed = tf.transpose(r, [0, 2, 1])
    return tf.linalg.set_diag(-r * transposed, tf.reduce_sum(r * r, 1))


def _products(q: tf.Tensor, p: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    qp = tf.linalg.matvec(q, p)
    return qp, tf.reduce_sum(p * qp, 1)


def _sweep(q: tf.Tensor, p: tf.Tensor, classes: int) -> tf.Tensor:
    qp, pqp = _products(q, p)
    for t in range(classes):
        diagonal = q[:, t, t]
        diff = (pqp - qp[:, t]) / diagonal
        whole = 1.0 + diff
        p = (p + diff[:, tf.newaxis] * tf.one_hot(t, classes, dtype=tf.float64)) / whole[:, tf.newaxis]
        pqp = (pqp + diff * (diff * diagonal + 2.0 * qp[:, t])) / whole / whole
        qp = (qp + diff[:, tf.newaxis] * q[:, t]) / whole[:, tf.newaxis]
    return p
