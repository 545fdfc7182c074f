"""LightGBM's trees, read from the model that it writes as text. Its values, thresholds and features are float64."""

from __future__ import annotations

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
from headrace.models.exporters.estimators.splits import Nodes, bounds_of
from headrace.models.exporters.estimators.table import Table
from headrace.models.exporters.estimators.trees import Tree, leaves

_IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_LOG = ("poisson", "gamma", "tweedie")
_CLASSES = ("binary", "multiclass", "multiclassova")
_SAME = {
    **dict.fromkeys(("l2", "mse", "mean_squared_error", "rmse", "regression_l2", "l2_root"), "regression"),
    **dict.fromkeys(("l1", "mae", "mean_absolute_error"), "regression_l1"),
    **dict.fromkeys(("softmax",), "multiclass"),
    **dict.fromkeys(("multiclass_ova", "ova", "ovr"), "multiclassova"),
    "mean_absolute_percentage_error": "mape",
}
# Of a split, in `decision_type`.
_IS_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT, _ZERO_MISSING, _NAN_MISSING = 1, 2, 2, 1, 2
# What counts as 0: at most this float32.
_ZERO = float(np.float32(1e-35))


@converts("lightgbm.sklearn.LGBMClassifier", "lightgbm.sklearn.LGBMRegressor")
class LightGBM(Converter):
    """Boosted trees and random forests, with missing values and categories."""

    def check(self, estimator: Any) -> str | None:
        """Leaves that are linear models, and other objectives, are not covered."""
        given, name = estimator.get_params(), type(estimator).__name__
        if given.get("linear_tree") or given.get("linear_trees"):
            return f"{name}(linear_tree=True) is not covered"
        objective = given.get("objective")
        known = (*_CLASSES, *_IDENTITY, *_LOG)
        if objective is not None and _SAME.get(objective, objective) not in known:
            return f"{name}(objective={objective!r}) is not covered, but {', '.join(known)}"
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        header, trees = _read(estimator)
        width = int(header["num_tree_per_iteration"])
        each = leaves([_tree(tree) for tree in trees], table.matrix(), store)[:, :, 0]
        raw = tf.reduce_sum(tf.reshape(each, [-1, len(trees) // width, width]), axis=1)
        if "average_output" in header:
            raw /= len(trees) // width
        objective, *options = header["objective"].split()
        if not hasattr(estimator, "classes_"):
            return Prediction(_mean(raw, objective, options), PREDICTIONS)
        factor = next((float(one[8:]) for one in options if one.startswith("sigmoid:")), 1.0)
        if objective == "binary":
            return Prediction(two(tf.sigmoid(factor * raw)), PROBABILITIES, estimator.classes_, raw[:, 0])
        shares = tf.nn.softmax(raw) if objective == "multiclass" else tf.sigmoid(factor * raw)
        return Prediction(shares, PROBABILITIES, estimator.classes_, raw)

    def told(self, estimator: Any) -> str:
        """Trees and nodes."""
        trees = _read(estimator)[1]
        return f"{len(trees):,} trees, {sum(2 * int(tree['num_leaves']) - 1 for tree in trees):,} nodes"


def _mean(raw: tf.Tensor, objective: str, options: list[str]) -> tf.Tensor:
    if objective in _LOG:
        return tf.exp(raw)
    # The label's square root was learnt: reg_sqrt.
    return tf.sign(raw) * raw**2 if "sqrt" in options else raw


def _read(estimator: Any) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return what the text says of the model and of each tree, up to the best round after early stopping."""
    text = estimator.booster_.model_to_string()
    header, *parts = text.partition("end of trees")[0].split("\nTree=")
    return _entries(header), [_entries(part) for part in parts]


def _entries(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs if name}


def _tree(entries: dict[str, str]) -> Tree:
    count = int(entries["num_leaves"])
    splits = count - 1
    nodes = Nodes(splits + count)

    def array(name: str, dtype: type) -> Any:
        return np.array(entries.get(name, "").split(), dtype)

    for leaf, value in enumerate(array("leaf_value", np.float64)):
        nodes.leaf(splits + leaf, value)
    if not splits:
        return nodes.tree()
    feature, kind = array("split_feature", np.int64), array("decision_type", np.int64)
    threshold = array("threshold", np.float64)
    ends, words = array("cat_boundaries", np.int64), array("cat_threshold", np.int64)
    # A leaf is written as the complement of its number.
    left, right = (
        np.where(child < 0, splits + ~child, child)
        for child in (array(f"{side}_child", np.int64) for side in ("left", "right"))
    )
    for number in range(splits):
        children, missing_left = (int(left[number]), int(right[number])), bool(kind[number] & _DEFAULT_LEFT)
        if kind[number] & _IS_CATEGORICAL:
            place = int(threshold[number])
            bounds = bounds_of(_members(words[ends[place] : ends[place + 1]]))
            # Below the first bound, and where it is missing, it is none of the categories.
            nodes.split(number, int(feature[number]), bounds, (children[1], children[0]), True)
            continue
        missing = int(kind[number]) >> _MISSING_SHIFT & 3
        bounds = [float(threshold[number])]
        if missing == _ZERO_MISSING:
            bounds = _around_zero(bounds[0], missing_left)
        elif missing != _NAN_MISSING:
            missing_left = bounds[0] >= 0
        nodes.split(number, int(feature[number]), bounds, children, missing_left)
    return nodes.tree()


def _members(words: Any) -> list[int]:
    return [32 * place + bit for place, word in enumerate(words) for bit in range(32) if word >> bit & 1]


def _around_zero(threshold: float, zero_left: bool) -> list[float]:
    """Return the bounds of a split that sends zeros, which stand for missing values, to a side of their own."""
    before = float(np.nextafter(-_ZERO, -np.inf))
    if zero_left:
        found = [threshold, before, _ZERO] if threshold < before else [max(threshold, _ZERO)]
    else:
        found = [before, _ZERO, threshold] if threshold > _ZERO else [min(threshold, before)]
    return found
