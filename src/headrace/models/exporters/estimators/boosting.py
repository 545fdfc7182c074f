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
_IDENTITY = ("reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror")
_LOGISTIC = "reg:logistic"
_LOG = ("count:poisson", "reg:gamma", "reg:tweedie")


@converts("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor")
class XGBoost(Converter):
    """Boosted trees (`booster` "gbtree" and "dart"), random forests, and boosted linear models ("gblinear")."""

    def check(self, estimator: Any) -> str | None:
        """Other objectives, trees of several targets and categories are not covered."""
        given = estimator.get_params()
        name = type(estimator).__name__
        known = (*_CLASSIFIER_OBJECTIVES, *_IDENTITY, *_LOG, _LOGISTIC)
        if given.get("objective") not in (None, *known):
            return f"{name}(objective={given['objective']!r}) is not covered, but {', '.join(known)}"
        if "c" in (given.get("feature_types") or ()):
            return f"{name}(feature_types=...) with categories is not covered; encode them before, with OneHotEncoder"
        if given.get("multi_strategy") == "multi_output_tree":
            return f"{name}(multi_strategy='multi_output_tree') is not covered"
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        learner = _learner(estimator)
        matrix = table.matrix(tf.float32)
        missing = estimator.get_params().get("missing")
        if missing is not None and not math.isnan(missing):
            matrix = tf.where(matrix == np.float32(missing), np.float32("nan"), matrix)
        objective = learner["objective"]["name"]
        if learner["gradient_booster"]["name"] == "gblinear":
            raw = _linear(estimator, learner, matrix)
        else:
            raw = _trees(learner, matrix, store) + tf.constant(_first(learner, objective), tf.float64)
        if not hasattr(estimator, "n_classes_"):
            mean = tf.exp(raw) if objective in _LOG else tf.sigmoid(raw) if objective == _LOGISTIC else raw
            return Prediction(mean, PREDICTIONS)
        shares = two(tf.sigmoid(raw)) if raw.shape[1] == 1 else tf.nn.softmax(raw)
        scores = raw[:, 0] if raw.shape[1] == 1 else raw
        return Prediction(shares, PROBABILITIES, estimator.classes_, scores)

    def told(self, estimator: Any) -> str:
        """Trees and nodes; of a linear model nothing."""
        trees = _forest(_learner(estimator)).get("trees", [])
        if not trees:
            return ""
        return f"{len(trees):,} trees, {sum(len(tree['left_children']) for tree in trees):,} nodes"


def _forest(learner: dict[str, Any]) -> dict[str, Any]:
    booster = learner["gradient_booster"]
    found: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return found


def _trees(learner: dict[str, Any], matrix: tf.Tensor, store: Store) -> tf.Tensor:
    model = _forest(learner)
    places = np.asarray(model["tree_info"], np.int64)
    width = int(places.max()) + 1
    trees = [_tree(tree, place, width) for tree, place in zip(model["trees"], places)]
    each = leaves(trees, matrix, store)
    weights = learner["gradient_booster"].get("weight_drop")
    if weights is not None:
        # Those of dart, which leaves trees out and weighs what comes instead of them.
        each *= store.array(np.asarray(weights, np.float32))[None, :, None]
    return tf.reduce_sum(each, axis=1)


def _linear(estimator: Any, learner: dict[str, Any], matrix: tf.Tensor) -> tf.Tensor:
    columns = int(matrix.shape[1])
    weights = np.asarray(learner["gradient_booster"]["model"]["weights"], np.float64).reshape(columns + 1, -1)
    # Versions differ in the guess that they begin with where there are several classes: this one says it.
    first = estimator.predict(np.zeros((1, columns), np.float32), output_margin=True)
    # What is missing adds nothing.
    known = tf.cast(tf.where(tf.math.is_nan(matrix), np.float32(0), matrix), tf.float64)
    return tf.linalg.matmul(known, tf.constant(weights[:-1])) + tf.constant(np.ravel(first), tf.float64)


def _learner(estimator: Any) -> dict[str, Any]:
    booster = estimator.get_booster()
    # As `predict` does after early stopping.
    best = getattr(estimator, "best_iteration", None) if estimator.early_stopping_rounds else None
    attributes = booster.attributes()
    if best is None and "best_iteration" in attributes:
        best = int(attributes["best_iteration"])
    if best is not None and estimator.get_params().get("booster") != "gblinear":
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
    if objective in ("binary:logistic", _LOGISTIC):
        return np.log(found) - np.log1p(-found)
    return np.log(found) if objective in _LOG else found
