"""All trees of an estimator as one table of nodes, which every row walks down at once.

One graph for each tree would take minutes to write and to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.linear import two
from headrace.models.exporters.estimators.registry import (
    PREDICTIONS,
    PROBABILITIES,
    Converter,
    Prediction,
    Store,
    converts,
)
from headrace.models.exporters.estimators.table import Table


@dataclass(frozen=True)
class Tree:
    """A tree: a row goes left where its feature is at most the threshold.

    Attributes:
        left: The left child of each node, or -1 at a leaf.
        right: Likewise.
        feature: The column that is looked at.
        threshold: What it is compared with.
        missing_left: Whether a missing value goes left.
        values: Of shape `(nodes, columns)`, of which those of leaves count.
    """

    left: Any
    right: Any
    feature: Any
    threshold: Any
    missing_left: Any
    values: Any


def depth(tree: Tree) -> int:
    """Return the number of steps from the root to the deepest leaf."""
    steps, level = 0, np.zeros(1, np.int64)
    while True:
        level = level[np.asarray(tree.left)[level] >= 0]
        if not len(level):
            return steps
        level = np.concatenate([np.asarray(tree.left)[level], np.asarray(tree.right)[level]])
        steps += 1


def leaves(trees: Sequence[Tree], matrix: tf.Tensor, store: Store) -> tf.Tensor:
    """Return the values of the leaves that rows come to, `(rows, trees, columns)`.

    Args:
        trees: One or more.
        matrix: Of shape `(rows, features)`, float64.
        store: Keeps the table of nodes.
    """
    starts = np.cumsum([0, *[len(tree.left) for tree in trees]])
    children, features, thresholds, missing = [], [], [], []
    for tree, start in zip(trees, starts):
        is_leaf, itself = np.asarray(tree.left) < 0, np.arange(len(tree.left))
        left = np.where(is_leaf, itself, tree.left) + start
        right = np.where(is_leaf, itself, tree.right) + start
        children.append(np.stack([left, right], axis=1).reshape(-1))
        features.append(np.where(is_leaf, 0, tree.feature))
        thresholds.append(np.where(is_leaf, 0.0, tree.threshold))
        missing.append(np.asarray(tree.missing_left, bool))
    child = store.variable(np.concatenate(children).astype(np.int32)).read_value()
    feature = store.variable(np.concatenate(features).astype(np.int32)).read_value()
    threshold = store.variable(np.concatenate(thresholds).astype(np.float64)).read_value()
    missing_left = store.variable(np.concatenate(missing)).read_value()
    values = store.variable(np.concatenate([tree.values for tree in trees]).astype(np.float64)).read_value()
    steps = max(map(depth, trees))

    @tf.autograph.experimental.do_not_convert
    def step(number: tf.Tensor, node: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seen = tf.gather(matrix, tf.gather(feature, node), batch_dims=1)
        goes_left = tf.where(
            tf.math.is_nan(seen), tf.gather(missing_left, node), seen <= tf.gather(threshold, node)
        )
        return number + 1, tf.gather(child, 2 * node + tf.cast(~goes_left, tf.int32))

    roots = tf.tile(tf.constant(starts[None, :-1], tf.int32), [tf.shape(matrix)[0], 1])
    _, node = tf.while_loop(
        lambda number, node: number < steps,
        step,
        (tf.constant(0), roots),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, len(trees)])),
    )
    return tf.gather(values, node)


def _of_sklearn(tree: Any, values: Any) -> Tree:
    """A `tree_`; versions before 1.3 know no missing values."""
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, bool))
    return Tree(tree.children_left, tree.children_right, tree.feature, tree.threshold, missing, values)


def _rounded(table: Table) -> tf.Tensor:
    """Values as scikit-learn's trees see them: they are made float32, and compared with float64."""
    return tf.cast(table.matrix(tf.float32), tf.float64)


def _shares(tree: Any) -> Any:
    counts = tree.value[:, 0, :]
    return counts / counts.sum(axis=1, keepdims=True)


def _count(trees: Sequence[Any]) -> str:
    nodes = sum(int(tree.node_count) for tree in trees)
    return f"{nodes:,} nodes" if len(trees) == 1 else f"{len(trees):,} trees, {nodes:,} nodes"


@converts(
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.ExtraTreeClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._classes.ExtraTreeRegressor",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
)
class Trees(Converter):
    """A tree, or a forest, whose prediction is the mean of its trees."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        found = _trees(estimator)
        classes = getattr(estimator, "classes_", None)
        values = [_shares(tree) if classes is not None else tree.value[:, :, 0] for tree in found]
        each = leaves(list(map(_of_sklearn, found, values)), _rounded(table), store)
        kind = PREDICTIONS if classes is None else PROBABILITIES
        return Prediction(tf.reduce_mean(each, axis=1), kind, classes)

    def told(self, estimator: Any) -> str:
        """Trees and nodes."""
        return _count(_trees(estimator))


def _trees(estimator: Any) -> list[Any]:
    return [one.tree_ for one in getattr(estimator, "estimators_", [estimator])]


@converts(
    "sklearn.ensemble._gb.GradientBoostingClassifier",
    "sklearn.ensemble._gb.GradientBoostingRegressor",
)
class GradientBoosting(Converter):
    """Gradient boosting: the sum of trees, of which each class has its own."""

    def check(self, estimator: Any) -> str | None:
        """The first guess is a constant."""
        if estimator.init is not None and estimator.init != "zero":
            return f"{type(estimator).__name__}(init=...) begins with another estimator"
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        found = [one.tree_ for one in estimator.estimators_.ravel()]
        trees = [_of_sklearn(tree, tree.value[:, :, 0]) for tree in found]
        width = estimator.estimators_.shape[1]
        each = leaves(trees, _rounded(table), store)[:, :, 0]
        total = tf.reduce_sum(tf.reshape(each, [-1, len(trees) // width, width]), axis=1)
        row = np.zeros((1, estimator.n_features_in_), np.float32)
        first = np.reshape(estimator._raw_predict_init(row), -1)  # noqa: SLF001 - the loss's own guess
        raw = tf.constant(first, tf.float64) + estimator.learning_rate * total
        if not hasattr(estimator, "classes_"):
            return Prediction(raw, PREDICTIONS)
        scale = 2.0 if estimator.loss == "exponential" else 1.0
        shares = two(tf.sigmoid(scale * raw)) if width == 1 else tf.nn.softmax(raw)
        return Prediction(shares, PROBABILITIES, estimator.classes_, raw[:, 0] if width == 1 else raw)

    def told(self, estimator: Any) -> str:
        """Trees and nodes."""
        return _count([one.tree_ for one in estimator.estimators_.ravel()])
