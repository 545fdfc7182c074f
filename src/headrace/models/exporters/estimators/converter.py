"""How a family declares its estimators: the classes, what is refused before a fit, and a calculation on tensors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.registry import (
    PREDICTIONS,
    PROBABILITIES,
    SCORES,
    Converter,
    Prediction,
    Store,
    converts,
)
from headrace.models.exporters.estimators.table import Block, Table

Check = Callable[[Any], "str | None"]


def covers_all(estimator: Any) -> str | None:
    """Refuse nothing: every parameter of the class is covered."""
    return None


@dataclass(frozen=True)
class Transformer:
    """A transformer of a matrix, or (`by_column`) of columns that may be text.

    Attributes:
        paths: The classes, as `module.Class`, in their private modules.
        apply: (fitted estimator, rows, store) -> matrix. `rows` is a float64 tensor of shape (rows, n);
            for `by_column` a list of n tensors of shape (rows,), each a number or text, and the result may be such a list.
        check: (estimator, fitted or not) -> why it is not covered, or None.
        by_column: Whether `apply` takes columns.
        takes_nan: Whether scikit-learn takes rows with NaN here. Where it would raise, the answer for such a row is NaN.
    """

    paths: tuple[str, ...]
    apply: Callable[[Any, Any, Store], Any]
    check: Check = covers_all
    by_column: bool = False
    takes_nan: bool = False


@dataclass(frozen=True)
class Predictor:
    """A classifier, a regressor or a clusterer over a float64 matrix.

    Attributes:
        paths: As of `Transformer`.
        apply: (fitted estimator, rows, store) -> values of shape (rows, classes or targets), in the order of
            `classes_`; or a pair of them and of what `decision_function` returns.
        kind: (estimator) -> what the values are, one of those of `Prediction`.
        check: As of `Transformer`.
        classes: (estimator) -> the classes that the columns are of, or None.
    """

    paths: tuple[str, ...]
    apply: Callable[[Any, tf.Tensor, Store], Any]
    kind: Callable[[Any], str]
    check: Check = covers_all
    classes: Callable[[Any], Any] = lambda estimator: getattr(estimator, "classes_", None)


class Declared(Converter):
    """The converter of a class, from the declarations of it.

    Args:
        transformer: What its `transform` does, if it has one.
        predictor: What it predicts, if it does.
    """

    def __init__(self, transformer: Transformer | None, predictor: Predictor | None) -> None:
        self._transformer = transformer
        self._predictor = predictor

    def check(self, estimator: Any) -> str | None:
        """Return why it is not covered; that of the predictor where there are both."""
        declared = self._predictor or self._transformer
        reason = declared.check(estimator) if declared else None
        return f"{type(estimator).__name__}: {reason}" if reason else None


class DeclaredTransformer(Declared):
    """A converter with `transform`."""

    def transform(self, estimator: Any, table: Table, store: Store) -> Table:
        """Return what the fitted estimator's `transform` does."""
        assert self._transformer is not None
        if self._transformer.by_column:
            return _as_table(self._transformer.apply(estimator, columns(table), store))
        rows = table.matrix()
        values = as_matrix(self._transformer.apply(estimator, rows, store))
        return Table.of(values if self._transformer.takes_nan else nan_where_not_finite(rows, values))


class DeclaredPredictor(Declared):
    """A converter with `predict`."""

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """Return what the fitted estimator predicts; NaN for a row that scikit-learn would not take."""
        assert self._predictor is not None
        rows = table.matrix()
        values = self._predictor.apply(estimator, rows, store)
        values, decision = values if isinstance(values, tuple) else (values, None)
        kind = self._predictor.kind(estimator)
        classes = self._predictor.classes(estimator) if kind != PREDICTIONS else None
        return Prediction(nan_where_not_finite(rows, as_matrix(values)), kind, classes, decision)


class DeclaredBoth(DeclaredTransformer, DeclaredPredictor):
    """A converter with both."""


def enter(*declarations: Transformer | Predictor) -> None:
    """Enter the converters of a family."""
    transformers = {path: one for one in declarations if isinstance(one, Transformer) for path in one.paths}
    predictors = {path: one for one in declarations if isinstance(one, Predictor) for path in one.paths}
    for path in {**transformers, **predictors}:
        transformer, predictor = transformers.get(path), predictors.get(path)
        kind = (
            DeclaredBoth
            if transformer and predictor
            else DeclaredTransformer
            if transformer
            else DeclaredPredictor
        )
        made = kind(transformer, predictor)
        converts(path)(cast("type[Converter]", lambda made=made: made))


def columns(table: Table) -> list[tf.Tensor]:
    """Return each column of a table as a tensor of shape (rows,)."""
    return [block.values[:, place] for block in table.blocks for place in range(len(block.names))]


def _as_table(values: Any) -> Table:
    if not isinstance(values, list):
        return Table.of(values)
    runs = itertools.groupby(values, key=lambda column: column.dtype)
    stacked = [tf.stack(list(run), 1) for _, run in runs]
    return Table(Block(("",) * int(matrix.shape[1]), matrix) for matrix in stacked)


def probabilities(estimator: Any) -> str:
    """Say that the values are those of `predict_proba`."""
    return PROBABILITIES


def scores(estimator: Any) -> str:
    """Say that the largest value of a row is that of the class predicted."""
    return SCORES


def predictions(estimator: Any) -> str:
    """Say that the values are those of `predict`."""
    return PREDICTIONS


def constant(array: Any) -> tf.Tensor:
    """Return an array as a float64 constant."""
    return tf.constant(np.asarray(array, np.float64))


def as_matrix(values: tf.Tensor) -> tf.Tensor:
    """Return values of shape (rows,) as (rows, 1), others as they are."""
    return values[:, tf.newaxis] if values.shape.rank == 1 else values


def nan_where_not_finite(rows: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Return values with NaN in each row whose features are not all finite, where scikit-learn would raise."""
    finite = tf.reduce_all(tf.math.is_finite(rows), 1, keepdims=True)
    return tf.where(finite, values, constant(float("nan")))


def option(estimator: Any, name: str, *covered: Any) -> str | None:
    """Say that a parameter has a value that is not covered, or nothing.

    Args:
        estimator: Fitted or not.
        name: Of its parameter; one that this version of scikit-learn lacks is taken as covered.
        covered: The values that are.
    """
    value = getattr(estimator, name, covered[0])
    if any(value is one or (isinstance(value, type(one)) and value == one) for one in covered):
        return None
    names = ", ".join(repr(one) for one in covered)
    return f"{name}={value!r} is not covered; {name} may be {names}"


def first(*reasons: str | None) -> str | None:
    """Return the first reason there is."""
    return next((reason for reason in reasons if reason), None)
