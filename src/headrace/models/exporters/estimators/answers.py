"""What estimators that are made of others ask these for: classes, scores, and the answers of many trees at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators import registry
from headrace.models.exporters.estimators.registry import PREDICTIONS, PROBABILITIES, Prediction, Store
from headrace.models.exporters.estimators.table import Table


def place(found: Prediction) -> tf.Tensor:
    """Return the place in `classes_` of the class that `predict` answers, of shape `(rows,)`, int64."""
    values = found.values
    if found.scores is not None and found.kind != registry.SCORES:
        width = 1 if found.scores.shape.rank == 1 else int(found.scores.shape[1])
        if width in (1, len(found.classes)):
            values = found.scores
    if values.shape.rank == 1 or values.shape[1] == 1:
        return tf.cast(tf.reshape(values, [-1]) > 0, tf.int64)
    return tf.argmax(values, axis=1)


def proba(estimator: Any, found: Prediction) -> tf.Tensor | None:
    """Return what `predict_proba` answers; `None` of an estimator that has none."""
    return found.values if found.kind == PROBABILITIES and hasattr(estimator, "predict_proba") else None


def decision(estimator: Any, found: Prediction) -> tf.Tensor | None:
    """Return what `decision_function` answers, of shape `(rows, columns)`; `None` of an estimator that has none."""
    if not hasattr(estimator, "decision_function"):
        return None
    values = found.scores
    if values is None:
        values = found.values if found.kind == registry.SCORES else None
    if values is None:
        return None
    return values[:, None] if values.shape.rank == 1 else values


def answer(estimator: Any, found: Prediction) -> tf.Tensor:
    """Return what `predict` answers as numbers, of shape `(rows, targets)`.

    Raises:
        NotImplementedError: If it answers texts.
    """
    if found.kind == PREDICTIONS or found.classes is None:
        return found.values
    classes = np.asarray(found.classes)
    if classes.dtype.kind not in "iufb":
        raise NotImplementedError(f"{registry.describe(estimator)} answers texts, where numbers are needed")
    return tf.gather(tf.constant(classes.astype(np.float64)), place(found))[:, None]


def chosen(table: Table, columns: Any) -> Table:
    """Return the columns of these numbers; all, where there is no such list."""
    return table if columns is None else table.select([int(column) for column in columns])


def each(
    estimators: Sequence[Any], table: Table, store: Store, columns: Sequence[Any] | None = None
) -> list[Prediction]:
    """Return what each of several estimators predicts, of which each may see columns of its own.

    Trees of one kind are walked at once.
    """
    if len(estimators) > 1 and all(hasattr(one, "tree_") for one in estimators):
        from headrace.models.exporters.estimators import trees

        return trees.each(estimators, table, store, columns)
    own = columns if columns is not None else [None] * len(estimators)
    return [registry.predict(one, chosen(table, some), store) for one, some in zip(estimators, own)]
