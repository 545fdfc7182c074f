"""Estimators that wrap one, or one for each class or target."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators import answers, registry
from headrace.models.exporters.estimators.linear import two
from headrace.models.exporters.estimators.registry import (
    PREDICTIONS,
    PROBABILITIES,
    SCORES,
    Converter,
    Prediction,
    Store,
    converts,
)
from headrace.models.exporters.estimators.table import Table

_CALIBRATED = "sklearn.calibration.CalibratedClassifierCV"


class Wrapper(Converter):
    """One whose `estimator` is what is wrapped."""

    def check(self, estimator: Any) -> str | None:
        """What is wrapped."""
        inner = estimator.estimator
        if inner is None:
            return None
        if registry.check(inner) is None and not registry.can_predict(inner):
            return f"{registry.describe(inner)} predicts nothing"
        return registry.check(inner)

    def told(self, estimator: Any) -> str:
        """What is wrapped."""
        inner = estimator.estimator
        many = getattr(estimator, "estimators_", ())
        name = registry.describe(inner) if inner is not None else ""
        return f"{len(many):,} times {name}" if len(many) else name


@converts(_CALIBRATED)
class Calibrated(Wrapper):
    """Probabilities by a sigmoid or an isotonic step function of each class's score, the mean of all folds."""

    def check(self, estimator: Any) -> str | None:
        """What is wrapped, and the method."""
        if estimator.method not in ("sigmoid", "isotonic"):
            return f"CalibratedClassifierCV(method={estimator.method!r}) is not covered, but 'sigmoid' and 'isotonic'"
        return super().check(estimator)

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba`."""
        classes = estimator.classes_
        found = [_calibrated(one, classes, table, store) for one in estimator.calibrated_classifiers_]
        return Prediction(tf.add_n(found) / len(found), PROBABILITIES, classes)


def _calibrated(fold: Any, classes: Any, table: Table, store: Store) -> tf.Tensor:
    inner = fold.estimator
    found = registry.predict(inner, table, store)
    scores = answers.decision(inner, found)
    if scores is None:
        scores = found.values[:, 1:] if len(classes) == 2 else found.values
    columns = [_by(calibrator, scores[:, place], store) for place, calibrator in enumerate(fold.calibrators)]
    if len(classes) == 2:
        return two(columns[0][:, None])
    each = tf.stack(columns, axis=1)
    places = tf.constant(np.searchsorted(classes, inner.classes_))
    each = tf.linalg.matmul(each, tf.one_hot(places, len(classes), dtype=tf.float64))
    total = tf.reduce_sum(each, axis=1, keepdims=True)
    # As scikit-learn does where no class is likely.
    shares = tf.where(
        total == 0, tf.constant(1 / len(classes), tf.float64), tf.math.divide_no_nan(each, total)
    )
    return tf.where((shares > 1) & (shares <= 1 + 1e-5), tf.ones_like(shares), shares)


def _by(calibrator: Any, scores: tf.Tensor, store: Store) -> tf.Tensor:
    if hasattr(calibrator, "a_"):
        return tf.sigmoid(-(calibrator.a_ * scores + calibrator.b_))
    return interpolated(calibrator, scores, store)


def interpolated(isotonic: Any, values: tf.Tensor, store: Store) -> tf.Tensor:
    """Return what a fitted `IsotonicRegression` answers; NaN beyond its range where `out_of_bounds` is not "clip"."""
    x = np.asarray(isotonic.X_thresholds_)
    known = tf.cast(tf.cast(values, x.dtype), tf.float64)
    x, y = x.astype(np.float64), np.asarray(isotonic.y_thresholds_, np.float64)
    if len(x) == 1:
        return tf.ones_like(known) * y[0]
    inside = tf.clip_by_value(known, x[0], x[-1])
    starts, ends = store.array(x), store.array(y)
    slope = store.array(np.diff(y) / np.diff(x))
    place = tf.clip_by_value(tf.searchsorted(starts, inside, side="left") - 1, 0, len(x) - 2)
    found = tf.gather(slope, place) * (inside - tf.gather(starts, place)) + tf.gather(ends, place)
    if isotonic.out_of_bounds == "clip":
        return tf.where(tf.math.is_nan(known), known, found)
    return tf.where(known == inside, found, tf.constant(np.nan, tf.float64))


@converts("sklearn.isotonic.IsotonicRegression")
class Isotonic(Converter):
    """A function of one feature that only rises, or only falls."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        return Prediction(interpolated(estimator, table.matrix()[:, 0], store)[:, None], PREDICTIONS)


@converts("sklearn.compose._target.TransformedTargetRegressor")
class TransformedTarget(Converter):
    """A regressor of what a function or a scaler makes of the label."""

    def check(self, estimator: Any) -> str | None:
        """The regressor, and that the way back is known."""
        reason = registry.check(estimator.regressor) if estimator.regressor is not None else None
        if reason is not None:
            return reason
        if estimator.transformer is not None:
            if type(estimator.transformer).__name__ not in _BACK:
                return (
                    f"TransformedTargetRegressor(transformer={registry.describe(estimator.transformer)}) is not covered, "
                    f"but {', '.join(_BACK)}, and func with inverse_func of {', '.join(_FUNCTIONS)}"
                )
            return None
        inverse = estimator.inverse_func
        if inverse is not None and getattr(inverse, "__name__", "") not in _FUNCTIONS:
            return (
                f"TransformedTargetRegressor(inverse_func={inverse!r}) is not covered, but numpy's "
                f"{', '.join(_FUNCTIONS)}"
            )
        if inverse is not None and not isinstance(inverse, np.ufunc):
            return (
                f"TransformedTargetRegressor(inverse_func={inverse!r}) is Python, which no SavedModel carries"
            )
        return None

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        values = registry.predict(estimator.regressor_, table, store).values
        if estimator.transformer is not None:
            return Prediction(
                _BACK[type(estimator.transformer).__name__](estimator.transformer_, values), PREDICTIONS
            )
        inverse = estimator.inverse_func
        return Prediction(values if inverse is None else _FUNCTIONS[inverse.__name__](values), PREDICTIONS)

    def told(self, estimator: Any) -> str:
        """The regressor's."""
        inner = estimator.regressor_
        return ", ".join(filter(None, [registry.describe(inner), registry.told(inner)]))


_FUNCTIONS: dict[str, Any] = {
    "exp": tf.exp,
    "expm1": tf.math.expm1,
    "exp2": lambda values: tf.pow(tf.constant(2.0, tf.float64), values),
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "square": tf.square,
    "sqrt": tf.sqrt,
    "sinh": tf.sinh,
    "arcsinh": tf.asinh,
    "negative": tf.negative,
    "reciprocal": lambda values: 1 / values,
}


def _standard(scaler: Any, values: tf.Tensor) -> tf.Tensor:
    scaled = values * scaler.scale_ if scaler.with_std else values
    return scaled + scaler.mean_ if scaler.with_mean else scaled


def _robust(scaler: Any, values: tf.Tensor) -> tf.Tensor:
    scaled = values * scaler.scale_ if scaler.with_scaling else values
    return scaled + scaler.center_ if scaler.with_centering else scaled


_BACK: dict[str, Any] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": lambda scaler, values: (values - scaler.min_) / scaler.scale_,
    "MaxAbsScaler": lambda scaler, values: values * scaler.scale_,
}


@converts("sklearn.multiclass.OneVsRestClassifier")
class OneVsRest(Wrapper):
    """A classifier for each class against all others; of a label with several columns, one for each."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba`, else `decision_function`."""
        inner = estimator.estimators_
        found = (
            answers.each(inner, table, store)
            if not _has_constant(inner)
            else _with_constants(inner, table, store)
        )
        shares = [answers.proba(one, given) for one, given in zip(inner, found)]
        if all(one is not None for one in shares):
            each = tf.concat([one[:, 1:] for one in shares if one is not None], axis=1)
            each = two(each) if len(inner) == 1 else each
            if estimator.multilabel_:
                # Of each label its own probability: they are no classes of which one is right.
                return Prediction(each, PROBABILITIES)
            return Prediction(
                each / tf.reduce_sum(each, axis=1, keepdims=True), PROBABILITIES, estimator.classes_
            )
        scores = tf.concat([_score(one, given) for one, given in zip(inner, found)], axis=1)
        classes = None if estimator.multilabel_ else estimator.classes_
        return Prediction(scores, SCORES, classes, scores[:, 0] if len(inner) == 1 else scores)


def _score(estimator: Any, found: Prediction) -> tf.Tensor:
    scores = answers.decision(estimator, found)
    return scores if scores is not None else found.values[:, -1:]


def _has_constant(estimators: Any) -> bool:
    return any(type(one).__name__ == "_ConstantPredictor" for one in estimators)


def _with_constants(estimators: Any, table: Table, store: Store) -> list[Prediction]:
    """As `answers.each`, where a column of the label was always the same."""
    found = []
    for one in estimators:
        if type(one).__name__ != "_ConstantPredictor":
            found.append(registry.predict(one, table, store))
            continue
        rows = tf.zeros_like(table.blocks[0].values[:, :1], tf.float64) + float(np.ravel(one.y_)[0])
        found.append(Prediction(two(rows), PROBABILITIES, np.array([0, 1]), rows[:, 0]))
    return found


@converts("sklearn.multiclass.OneVsOneClassifier")
class OneVsOne(Wrapper):
    """A classifier for each pair of classes: votes, and the scores where they are equal."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `decision_function`."""
        found = answers.each(estimator.estimators_, table, store)
        classes = len(estimator.classes_)
        zero = tf.zeros_like(found[0].values[:, 0])
        votes, sums = [zero] * classes, [zero] * classes
        for (first, second), one, given in zip(
            itertools.combinations(range(classes), 2), estimator.estimators_, found
        ):
            score = _score(one, given)[:, 0]
            vote = tf.cast(answers.place(given), tf.float64)
            votes[first], votes[second] = votes[first] + 1 - vote, votes[second] + vote
            sums[first], sums[second] = sums[first] - score, sums[second] + score
        total = tf.stack(sums, axis=1)
        values = tf.stack(votes, axis=1) + total / (3 * (tf.abs(total) + 1))
        if classes == 2:
            return Prediction(values[:, 1:], SCORES, estimator.classes_, values[:, 1])
        return Prediction(values, SCORES, estimator.classes_, values)


@converts("sklearn.multioutput.MultiOutputRegressor")
class Targets(Wrapper):
    """A regressor for each column of the label."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        found = answers.each(estimator.estimators_, table, store)
        return Prediction(tf.concat([one.values for one in found], axis=1), PREDICTIONS)
