"""XGBoost's trees, read from the model that it writes as JSON. Its values and thresholds are float32."""

from __future__ import annotations

import json
import math
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
from headrace.models.exporters.estimators.trees import Tree, leaves

_CLASSIFIER_OBJECTIVES = ("binary:logistic", "multi:softprob", "multi:softmax")
_IDENTITY = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror")
_LOG = ("count:poisson", "reg:gamma", "reg:tweedie")


@converts("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor")
class XGBoost(Converter):
    """Boosted trees (`booster="gbtree"`)."""

    def check(self, estimator: Any) -> str | None:
        """Other boosters, objectives, missing values and categories are not covered."""
        given = estimator.get_params()
        name = type(estimator).__name__
        if given.get("booster") not in (None, "gbtree"):
            return f"{name}(booster={given['booster']!r}) is not covered"
        known = (*_CLASSIFIER_OBJECTIVES, *_IDENTITY, *_LOG)
        if given.get("objective") not in (None, *known):
            return f"{name}(objective={given['objective']!r}) is not covered, but {', '.join(known)}"
        missing = given.get("missing")
        if missing is not None and not math.isnan(missing):
            return f"{name}(missing={missing!r}) is not covered, but NaN"
        if given.get("multi_strategy") == "multi_output_tree":
            return f"{name}(multi_strategy='multi_output_tree') is not covered"
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        learner = _learner(estimator)
        model = learner["gradient_booster"]["model"]
        places = np.asarray(model["tree_info"], np.int64)
        width = int(places.max()) + 1
        trees = [_tree(tree, place, width) for tree, place in zip(model["trees"], places)]
        total = tf.reduce_sum(leaves(trees, table.matrix(tf.float32), store), axis=1)
        objective = learner["objective"]["name"]
        raw = total + tf.constant(_first(learner, objective), tf.float64)
        if not hasattr(estimator, "n_classes_"):
            return Prediction(tf.exp(raw) if objective in _LOG else raw, PREDICTIONS)
        shares = two(tf.sigmoid(raw)) if width == 1 else tf.nn.softmax(raw)
        return Prediction(shares, PROBABILITIES, estimator.classes_, raw[:, 0] if width == 1 else raw)

    def told(self, estimator: Any) -> str:
        """Trees and nodes."""
        trees = _learner(estimator)["gradient_booster"]["model"]["trees"]
        return f"{len(trees):,} trees, {sum(len(tree['left_children']) for tree in trees):,} nodes"


def _learner(estimator: Any) -> dict[str, Any]:
    booster = estimator.get_booster()
    # As `predict` does after early stopping.
    best = getattr(estimator, "best_iteration", None) if estimator.early_stopping_rounds else None
    attributes = booster.attributes()
    if best is None and "best_iteration" in attributes:
        best = int(attributes["best_iteration"])
    if best is not None:
        booster = booster[: best + 1]
    found: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))["learner"]
    return found


def _tree(tree: dict[str, Any], place: int, width: int) -> Tree:
    conditions = np.asarray(tree["split_conditions"], np.float32)
    left = np.asarray(tree["left_children"], np.int64)
    values = np.zeros((len(left), width))
    # At a leaf the condition is its value.
    values[:, place] = conditions
    # It goes left below the threshold: at most the float32 before it.
    before = np.nextafter(conditions, np.float32(-np.inf))
    right, feature = (np.asarray(tree[name], np.int64) for name in ("right_children", "split_indices"))
    return Tree(left, right, feature, before, np.asarray(tree["default_left"], bool), values)


def _first(learner: dict[str, Any], objective: str) -> Any:
    """The guess before any tree, which is written as the objective's output; a list since XGBoost 3.1."""
    text = str(learner["learner_model_param"]["base_score"])
    found = np.asarray(json.loads(text) if text.startswith("[") else [float(text)], np.float64)
    if objective == "binary:logistic":
        return np.log(found) - np.log1p(-found)
    return np.log(found) if objective in _LOG else found
