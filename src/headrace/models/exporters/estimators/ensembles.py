"""Ensembles of scikit-learn beside forests and gradient boosting."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators import answers, fitted_internals, registry
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
from headrace.models.exporters.estimators.table import Block, Table
from headrace.models.exporters.estimators.trees import Tree, leaves

_ENSEMBLE = "sklearn.ensemble."


def _inner(estimator: Any) -> str | None:
    """Why the estimator that there are many of is not covered; a tree, where none is given, is."""
    given = getattr(estimator, "estimator", None)
    reason = registry.check(given) if given is not None else None
    if reason is None and given is not None and not registry.can_predict(given):
        reason = f"{registry.describe(given)} predicts nothing"
    return reason


def _count(estimator: Any) -> str:
    first = registry.describe(estimator.estimators_[0])
    return f"{len(estimator.estimators_):,} times {first}"


@converts(f"{_ENSEMBLE}_weight_boosting.AdaBoostClassifier")
class AdaBoost(Converter):
    """Zhu, Zou, Rosset and Hastie, "Multi-class AdaBoost" (2009): SAMME, and SAMME.R up to scikit-learn 1.5."""

    def check(self, estimator: Any) -> str | None:
        """What is boosted."""
        return _inner(estimator)

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba`."""
        classes = len(estimator.classes_)
        found = answers.each(estimator.estimators_, table, store)
        weights = np.asarray(estimator.estimator_weights_, np.float64)[: len(found)]
        if getattr(estimator, "algorithm", "SAMME") == "SAMME.R":
            total = tf.add_n([_centred_logarithm(one.values) for one in found])
        else:
            votes = [
                tf.one_hot(answers.place(one), classes, 1.0, -1 / (classes - 1), dtype=tf.float64)
                for one in found
            ]
            total = tf.add_n([vote * weight for vote, weight in zip(votes, weights)])
        total /= np.asarray(estimator.estimator_weights_).sum()
        if classes == 2:
            scores = total[:, 1] - total[:, 0]
            shares = two(tf.sigmoid(scores)[:, None])
            return Prediction(shares, PROBABILITIES, estimator.classes_, scores)
        return Prediction(tf.nn.softmax(total / (classes - 1)), PROBABILITIES, estimator.classes_, total)

    def told(self, estimator: Any) -> str:
        """How many."""
        return _count(estimator)


def _centred_logarithm(shares: tf.Tensor) -> tf.Tensor:
    logarithm = tf.math.log(tf.maximum(shares, np.finfo(np.float64).eps))
    classes = int(shares.shape[1])
    return (classes - 1) * (logarithm - tf.reduce_sum(logarithm, axis=1, keepdims=True) / classes)


@converts(f"{_ENSEMBLE}_weight_boosting.AdaBoostRegressor")
class AdaBoostMedian(Converter):
    """AdaBoost.R2: the weighted median of what several predict."""

    def check(self, estimator: Any) -> str | None:
        """What is boosted."""
        return _inner(estimator)

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        found = answers.each(estimator.estimators_, table, store)
        values = tf.concat([one.values for one in found], axis=1)
        weights = store.array(np.asarray(estimator.estimator_weights_, np.float64)[: len(found)])
        order = tf.argsort(values, axis=1, stable=True)
        cumulated = tf.cumsum(tf.gather(weights, order), axis=1)
        is_above = tf.cast(cumulated >= 0.5 * cumulated[:, -1:], tf.int32)
        middle = tf.argmax(is_above, axis=1)[:, None]
        return Prediction(
            tf.gather(tf.gather(values, order, batch_dims=1), middle, batch_dims=1), PREDICTIONS
        )

    def told(self, estimator: Any) -> str:
        """How many."""
        return _count(estimator)


@converts(f"{_ENSEMBLE}_bagging.BaggingClassifier", f"{_ENSEMBLE}_bagging.BaggingRegressor")
class Bagging(Converter):
    """The mean of what several predict, fitted on rows and columns drawn for each."""

    def check(self, estimator: Any) -> str | None:
        """What is bagged."""
        return _inner(estimator)

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        found = answers.each(estimator.estimators_, table, store, estimator.estimators_features_)
        classes = getattr(estimator, "classes_", None)
        if classes is None:
            return Prediction(tf.add_n([one.values for one in found]) / len(found), PREDICTIONS)
        shares = [
            _of_all(one, prediction, len(classes)) for one, prediction in zip(estimator.estimators_, found)
        ]
        return Prediction(tf.add_n(shares) / len(found), PROBABILITIES, classes)

    def told(self, estimator: Any) -> str:
        """How many."""
        return _count(estimator)


def _of_all(estimator: Any, found: Prediction, classes: int) -> tf.Tensor:
    """Return probabilities of all classes, of which an estimator may not have seen some; votes where it knows none."""
    places = tf.constant(np.asarray(estimator.classes_, np.int64))
    shares = answers.proba(estimator, found)
    if shares is None:
        return tf.one_hot(tf.gather(places, answers.place(found)), classes, dtype=tf.float64)
    if len(estimator.classes_) == classes:
        return shares
    return tf.linalg.matmul(shares, tf.one_hot(places, classes, dtype=tf.float64))


@converts(
    f"{_ENSEMBLE}_hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    f"{_ENSEMBLE}_hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
)
class Histograms(Converter):
    """Gradient boosting on histograms, with missing values and categories."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        rounds, first, encoder = fitted_internals.histogram_boosting(estimator)
        trees = [_of_histogram(tree) for one in rounds for tree in one]
        width = len(rounds[0])
        each = leaves(trees, _encoded(estimator, encoder, table, store), store)[:, :, 0]
        raw = tf.reduce_sum(tf.reshape(each, [-1, len(trees) // width, width]), axis=1)
        raw += tf.constant(np.ravel(first), tf.float64)
        if not hasattr(estimator, "classes_"):
            return Prediction(tf.exp(raw) if estimator.loss in ("poisson", "gamma") else raw, PREDICTIONS)
        shares = two(tf.sigmoid(raw)) if width == 1 else tf.nn.softmax(raw)
        return Prediction(shares, PROBABILITIES, estimator.classes_, raw[:, 0] if width == 1 else raw)

    def told(self, estimator: Any) -> str:
        """Trees and nodes."""
        trees = [tree for one in fitted_internals.histogram_boosting(estimator)[0] for tree in one]
        return f"{len(trees):,} trees, {sum(len(tree.nodes) for tree in trees):,} nodes"


def _encoded(estimator: Any, encoder: Any, table: Table, store: Store) -> tf.Tensor:
    """Return the columns as the trees see them: categories first, numbered."""
    if encoder is None:
        return table.matrix()
    is_category = np.asarray(estimator.is_categorical_, bool)
    coded = registry.transform(encoder, table.select(np.flatnonzero(is_category).tolist()), store)
    rest = table.select(np.flatnonzero(~is_category).tolist())
    return Table([*coded.blocks, *rest.blocks]).matrix()


def _of_histogram(tree: Any) -> Tree:
    nodes = Nodes(len(tree.nodes))
    for number, node in enumerate(tree.nodes):
        children, feature = (int(node["left"]), int(node["right"])), int(node["feature_idx"])
        nodes.leaf(number, node["value"])
        if node["is_leaf"]:
            continue
        if not node["is_categorical"]:
            nodes.split(
                number, feature, [float(node["num_threshold"])], children, bool(node["missing_go_to_left"])
            )
            continue
        words = tree.raw_left_cat_bitsets[node["bitset_idx"]]
        members = [
            32 * place + bit for place, word in enumerate(words) for bit in range(32) if int(word) >> bit & 1
        ]
        # Below the first bound it is none of the categories, and so goes right.
        swapped = (children[1], children[0])
        nodes.split(number, feature, bounds_of(members), swapped, not node["missing_go_to_left"])
    return nodes.tree()


@converts(f"{_ENSEMBLE}_stacking.StackingClassifier", f"{_ENSEMBLE}_stacking.StackingRegressor")
class Stacking(Converter):
    """An estimator of what others predict."""

    def check(self, estimator: Any) -> str | None:
        """Each of them."""
        given = [one for _, one in estimator.estimators if not isinstance(one, str)]
        last = [estimator.final_estimator] if estimator.final_estimator is not None else []
        for one in [*given, *last]:
            if registry.check(one) is None and not registry.can_predict(one):
                return f"{registry.describe(one)} predicts nothing"
        return registry.check_all([*given, *last])

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        columns = []
        classes = getattr(estimator, "classes_", ())
        for one, method in zip(estimator.estimators_, estimator.stack_method_):
            found = registry.predict(one, table, store)
            if method == "predict_proba":
                columns.append(found.values[:, 1:] if len(classes) == 2 else found.values)
            elif method == "decision_function":
                values = answers.decision(one, found)
                assert values is not None, registry.describe(one)
                columns.append(values)
            else:
                columns.append(answers.answer(one, found))
        made = Table(Block(("",) * int(one.shape[1]), one) for one in columns)
        seen = made + table if estimator.passthrough else made
        last = registry.predict(estimator.final_estimator_, seen, store)
        if not len(classes):
            return last
        return Prediction(last.values, last.kind, estimator.classes_, last.scores)

    def told(self, estimator: Any) -> str:
        """Which there are."""
        return ", ".join(map(registry.describe, [*estimator.estimators_, estimator.final_estimator_]))
