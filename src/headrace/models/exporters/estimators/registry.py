"""Which converter an estimator has, by the path of its class. A family's module enters its own."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.table import Table

PROBABILITIES, PREDICTIONS, SCORES = "probabilities", "predictions", "scores"

# What a subclass changes by defining one of these, a converter of its base class does not know.
_METHODS = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples"}
)
# A constant of more bytes becomes a variable: graphs end at 2 GiB, and are read slowly before.
_MAX_CONSTANT_BYTES = 4096


_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class Prediction:
    """What an estimator predicts.

    Attributes:
        values: Of shape `(rows, columns)`, float64: the probabilities of `classes`; or the predictions; or scores, as
            `decision_function` or `score_samples` gives them.
        kind: `PROBABILITIES`, `PREDICTIONS` or `SCORES`.
        classes: Of a classifier, as its `classes_`; else `None`.
        scores: What `decision_function` returns, where there is such: of shape `(rows,)` for two classes, else
            `(rows, classes)`.
    """

    values: tf.Tensor
    kind: str
    classes: Any = None
    scores: tf.Tensor | None = None


class Store:
    """Holds what operations read and is too large for the graph itself, or is no tensor.

    Converters run twice: eagerly, when these objects are made, and again to be traced, when they get the same ones in
    the same order.

    Attributes:
        kept: The variables and tables, which the saved model has to hold.
    """

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self._next = 0
        self._is_made = False

    def again(self) -> None:
        """From now on, hand out what was made."""
        self._next, self._is_made = 0, True

    def keep(self, make: Callable[[], _Kept]) -> _Kept:
        """Return what `make` returned: a `tf.Variable`, a lookup table, or another object that TensorFlow tracks."""
        if not self._is_made:
            self.kept.append(make())
        found: _Kept = self.kept[self._next]
        self._next += 1
        return found

    def variable(self, array: Any, dtype: tf.DType | None = None) -> tf.Variable:
        """Return an array as a variable that is saved with the model."""
        name = f"constant_{len(self.kept)}"
        return self.keep(lambda: tf.Variable(np.asarray(array), trainable=False, dtype=dtype, name=name))

    def array(self, array: Any, dtype: tf.DType = tf.float64) -> tf.Tensor:
        """Return an array as a constant where it is small, else as a variable."""
        found = np.asarray(array)
        if found.nbytes > _MAX_CONSTANT_BYTES and dtype != tf.string:
            return self.variable(found.astype(dtype.as_numpy_dtype)).read_value()
        return tf.constant(found, dtype)


class Converter:
    """What a family's converters are made of. One has `transform`, `predict`, or both."""

    def check(self, estimator: Any) -> str | None:
        """Return why an estimator is not covered, before it is fitted; `None` where it is."""
        return None

    def transform(self, estimator: Any, table: Table, store: Store) -> Table:
        """Return what the fitted estimator's `transform` does."""
        raise NotImplementedError

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """Return what the fitted estimator's `predict_proba` does, or `predict` without that."""
        raise NotImplementedError

    def told(self, estimator: Any) -> str:
        """Return the size of the fitted estimator in words, such as `"200 trees, 31,000 nodes"`; empty for none."""
        return ""


# A table of classes, filled when the families' modules are imported and read only afterwards.
_CONVERTERS: dict[str, Converter] = {}
_Kind = TypeVar("_Kind", bound=type[Converter])


def converts(*paths: str) -> Callable[[_Kind], _Kind]:
    """Enter a class of converters for the classes of these paths, such as `"sklearn.svm._classes.SVC"`."""

    def enter(kind: _Kind) -> _Kind:
        converter = kind()
        _CONVERTERS.update(dict.fromkeys(paths, converter))
        return kind

    return enter


def find(estimator: Any) -> Converter | None:
    """Return the converter of an estimator, also where its class is of the user's and predicts as its base does."""
    _import_families()
    for kind in type(estimator).__mro__:
        converter = _CONVERTERS.get(f"{kind.__module__}.{kind.__qualname__}")
        if converter is not None:
            return converter
        if _METHODS & set(vars(kind)):
            return None
    return None


def check(estimator: Any) -> str | None:
    """Return why an estimator, or what it is made of, is not covered; `None` where it is. It need not be fitted."""
    converter = find(estimator)
    if converter is None:
        return f"{describe(estimator)} is not covered"
    return converter.check(estimator)


def check_all(estimators: Iterable[Any]) -> str | None:
    """Return why the first of several is not covered that is not; `None` where all are."""
    return next((reason for reason in map(check, estimators) if reason is not None), None)


def can_predict(estimator: Any) -> bool:
    """Whether its converter predicts."""
    converter = find(estimator)
    return converter is not None and type(converter).predict is not Converter.predict


def can_transform(estimator: Any) -> bool:
    """Whether its converter transforms."""
    converter = find(estimator)
    return converter is not None and type(converter).transform is not Converter.transform


def predict(estimator: Any, table: Table, store: Store) -> Prediction:
    """Return what a fitted estimator predicts of a table."""
    return _known(estimator).predict(estimator, table, store)


def transform(estimator: Any, table: Table, store: Store) -> Table:
    """Return what a fitted transformer makes of a table."""
    return _known(estimator).transform(estimator, table, store)


def told(estimator: Any) -> str:
    """Return the size of a fitted estimator in words; empty for none."""
    return _known(estimator).told(estimator)


def _known(estimator: Any) -> Converter:
    converter = find(estimator)
    if converter is None:
        raise NotImplementedError(f"{describe(estimator)} is not covered")
    return converter


def describe(estimator: Any) -> str:
    """Return the name of an estimator's class, with its package where that is not a well-known one."""
    kind = type(estimator)
    package = kind.__module__.partition(".")[0]
    return (
        kind.__qualname__
        if package in ("sklearn", "xgboost", "lightgbm")
        else f"{package}.{kind.__qualname__}"
    )


def covered() -> list[str]:
    """Return the names of all classes that have a converter."""
    _import_families()
    return sorted({path.rpartition(".")[2] for path in _CONVERTERS})


@functools.cache
def _import_families() -> None:
    package = importlib.import_module(__package__ or "")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")
