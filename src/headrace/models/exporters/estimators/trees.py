"""All trees of an estimator as one table of nodes, which every row walks down at once.

One graph for each tree would take minutes to write and to load.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
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

# So many steps are all walked by all rows, and every half as many of deeper trees it is looked who has arrived.
_SHALLOW = 8


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
        # Nodes may share a child; each is looked at once.
        level = np.unique(np.concatenate([np.asarray(tree.left)[level], np.asarray(tree.right)[level]]))
        steps += 1


def leaves(trees: Sequence[Tree], matrix: tf.Tensor, store: Store) -> tf.Tensor:
    """Return the values of the leaves that rows come to, `(rows, trees, columns)`, float64.

    Args:
        trees: One or more.
        matrix: Of shape `(rows, features)`, float32 or float64: what thresholds are compared with.
        store: Keeps the table of nodes.
    """
    table = store.variable(_nodes(trees, matrix.dtype)).read_value()
    values = store.variable(np.concatenate([tree.values for tree in trees]).astype(np.float64)).read_value()
    starts = np.cumsum([0, *[len(tree.left) for tree in trees]])[:-1]
    rows, steps = tf.shape(matrix)[0], max(map(depth, trees))
    roots = tf.tile(store.array(starts, tf.int32), rows[None])
    cells = tf.repeat(tf.range(rows) * matrix.shape[1], len(trees))
    flat = tf.reshape(matrix, [-1])
    takes_missing = any(np.asarray(tree.missing_left, bool).any() for tree in trees)

    def walk(node: tf.Tensor, cell: tf.Tensor, number: int) -> tf.Tensor:
        for _ in range(number):
            node = _step(table, flat, node, cell, takes_missing)
        return node

    found = walk(roots, cells, steps) if steps <= _SHALLOW else _deep(walk, table, roots, cells)
    return tf.gather(values, tf.reshape(found, [-1, len(trees)]))


def _nodes(trees: Sequence[Tree], dtype: tf.DType) -> Any:
    """Return a row of int32 for each node, which lies side by side in memory.

    Left and right child, where a leaf is its own; twice the feature, and 1 more where missing values go left; the bits
    of the threshold.
    """
    tables, start = [], 0
    for tree in trees:
        is_leaf, itself = np.asarray(tree.left) < 0, np.arange(len(tree.left))
        left, right = (np.where(is_leaf, itself, one) + start for one in (tree.left, tree.right))
        feature = 2 * np.where(is_leaf, 0, tree.feature) + np.asarray(tree.missing_left, bool)
        bits = _at_most(np.where(is_leaf, 0.0, tree.threshold), dtype).view(np.int32).reshape(len(left), -1)
        tables.append(np.column_stack([left, right, feature, bits]).astype(np.int32))
        start += len(left)
    return np.concatenate(tables)


def _at_most(threshold: Any, dtype: tf.DType) -> Any:
    """Return thresholds as numbers of a type: the largest of it that is not above each.

    A float32 is at most a float64 if it is at most the float32 before it. Numbers nearer to 0 than any normal one count
    as 0 in TensorFlow, and so can be no threshold.
    """
    exact = np.asarray(threshold, np.float64)
    with np.errstate(over="ignore", under="ignore"):
        found = exact.astype(dtype.as_numpy_dtype)
    found = np.where(found > exact, np.nextafter(found, found.dtype.type(-np.inf)), found)
    tiny = np.finfo(found.dtype).tiny
    return np.where(np.abs(found) < tiny, np.where(exact < 0, -tiny, found.dtype.type(0)), found)


def _step(
    table: tf.Tensor, flat: tf.Tensor, node: tf.Tensor, cell: tf.Tensor, takes_missing: bool
) -> tf.Tensor:
    """Return the child that each goes to."""
    found = tf.gather(table, node)
    bits = found[:, 3] if flat.dtype == tf.float32 else found[:, 3:]
    seen = tf.gather(flat, cell + found[:, 2] // 2)
    goes_left = seen <= tf.bitcast(bits, flat.dtype)
    if takes_missing:
        goes_left |= tf.math.is_nan(seen) & (found[:, 2] % 2 == 1)
    return tf.where(goes_left, found[:, 0], found[:, 1])


def _deep(walk: Callable[..., tf.Tensor], table: tf.Tensor, node: tf.Tensor, cell: tf.Tensor) -> tf.Tensor:
    """Walk on only with what has not come to a leaf: few leaves are as deep as the deepest."""

    @tf.autograph.experimental.do_not_convert
    def further(
        found: tf.Tensor, places: tf.Tensor, node: tf.Tensor, cell: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        node = walk(node, cell, _SHALLOW // 2)
        found = tf.tensor_scatter_nd_update(found, places[:, None], node)
        goes_on = tf.where(tf.gather(table[:, 0], node) != node)[:, 0]
        return found, tf.gather(places, goes_on), tf.gather(node, goes_on), tf.gather(cell, goes_on)

    unknown = tf.TensorShape([None])
    found, *_ = tf.while_loop(
        lambda found, places, node, cell: tf.size(node) > 0,
        further,
        (node, tf.range(tf.size(node)), node, cell),
        shape_invariants=(unknown,) * 4,
    )
    return found


def _of_sklearn(tree: Any, values: Any) -> Tree:
    """A `tree_`; versions before 1.3 know no missing values."""
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, bool))
    return Tree(tree.children_left, tree.children_right, tree.feature, tree.threshold, missing, values)


def _rounded(table: Table) -> tf.Tensor:
    """Values as scikit-learn's trees see them: they are made float32, and compared with float64."""
    return table.matrix(tf.float32)


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
    """A tree, or a forest, whose prediction is the mean of its trees; a regressor's label may have several columns."""

    def check(self, estimator: Any) -> str | None:
        """Several columns of classes, which only the fitted one tells, are not covered."""
        if hasattr(estimator, "classes_") and getattr(estimator, "n_outputs_", 1) > 1:
            return (
                f"{type(estimator).__name__} of a label of several columns is not covered; take OneVsRestClassifier or "
                "MLPClassifier for labels of 0 and 1, or a model for each column"
            )
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        found = _several(_trees(estimator), estimator, _rounded(table), store)
        classes = getattr(estimator, "classes_", None)
        kind = PREDICTIONS if classes is None else PROBABILITIES
        return Prediction(tf.reduce_mean(found, axis=1), kind, classes)

    def told(self, estimator: Any) -> str:
        """Trees and nodes."""
        return _count(_trees(estimator))


def _several(
    found: Sequence[Any],
    estimator: Any,
    matrix: tf.Tensor,
    store: Store,
    columns: Sequence[Any] | None = None,
) -> tf.Tensor:
    is_classifier = hasattr(estimator, "classes_")
    values = [_shares(tree) if is_classifier else tree.value[:, :, 0] for tree in found]
    made = list(map(_of_sklearn, found, values))
    if columns is not None:
        made = [
            dataclasses.replace(tree, feature=np.asarray(own)[np.maximum(tree.feature, 0)])
            for tree, own in zip(made, columns)
        ]
    return leaves(made, matrix, store)


def each(
    estimators: Sequence[Any], table: Table, store: Store, columns: Sequence[Any] | None
) -> list[Prediction]:
    """Return what each of several fitted trees predicts, walking all at once.

    Args:
        estimators: Of the same kind; their classes may differ.
        table: What they see.
        store: Keeps the nodes.
        columns: Of each tree the numbers of the columns that it was fitted on; `None` for all.
    """
    widths = [len(one.classes_) if hasattr(one, "classes_") else 0 for one in estimators]
    matrix = _rounded(table)
    if len(set(widths)) > 1:
        own = columns if columns is not None else [range(table.width)] * len(estimators)
        found = [
            _several([one.tree_], one, matrix, store, [some])[:, 0] for one, some in zip(estimators, own)
        ]
    else:
        trees = [one.tree_ for one in estimators]
        found = tf.unstack(_several(trees, estimators[0], matrix, store, columns), axis=1)
    kind = PROBABILITIES if widths[0] else PREDICTIONS
    return [
        Prediction(values, kind, getattr(one, "classes_", None)) for values, one in zip(found, estimators)
    ]


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
