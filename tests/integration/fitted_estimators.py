"""Fitted estimators as TensorFlow operations beside scikit-learn's own answers."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import settings
from sklearn import base
from threadpoolctl import threadpool_limits

from headrace.models.exporters.estimators import registry
from headrace.models.exporters.estimators.table import Block, Table
from headrace.models.missing import MISSING_TEXT

_GIVEN = int(os.environ.get("HEADRACE_EXAMPLES", "0"))


def drawn(count: int) -> settings:
    """Return settings that draw so many examples, always the same; HEADRACE_EXAMPLES asks for more and others."""
    return settings(max_examples=_GIVEN or count, deadline=None, derandomize=not _GIVEN)


def table(rows: Any) -> Table:
    """Return rows as the table that a model reads: a matrix, or an object array whose columns may be text."""
    rows = np.asarray(rows)
    if rows.dtype != object:
        return Table.of(tf.constant(rows))
    return Table(Block(("",), tensor(rows[:, place])[:, tf.newaxis]) for place in range(rows.shape[1]))


def tensor(column: Any) -> tf.Tensor:
    """Return a column of objects as numbers, or as texts where one is a text."""
    if any(isinstance(value, str) for value in column):
        texts = [value.encode() if isinstance(value, str) else MISSING_TEXT for value in column]
        return tf.constant(np.array(texts, object))
    return tf.constant(np.array([np.nan if value is None else value for value in column], np.float64))


def quietly(call: Any, *arguments: Any) -> Any:
    """Return what scikit-learn answers, without its warnings of constant features, small samples and convergence."""
    # Threads that wait for each other's turn make small fits slow on a busy machine.
    with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(1):
        warnings.simplefilter("ignore")
        return call(*arguments)


def ours(estimator: Any, rows: Any, method: str = "transform") -> Any:
    """Return what the operations answer: a matrix of numbers or of objects, or the values of a prediction.

    They are traced as a saved model's are: types that differ are errors in graphs alone.
    """
    assert registry.check(estimator) is None
    store, given = registry.Store(), table(rows)
    eager = getattr(registry, method)(estimator, _first(given), store)
    store.again()
    names = [block.names for block in given.blocks]

    def call(*values: tf.Tensor) -> list[tf.Tensor]:
        read = Table(map(Block, names, values))
        answer = getattr(registry, method)(estimator, read, store)
        return [answer.values] if method == "predict" else [block.values for block in answer.blocks]

    values = [block.values for block in given.blocks]
    specs = [tf.TensorSpec([None, *one.shape[1:]], one.dtype) for one in values]
    columns = [one.numpy() for one in tf.function(call, input_signature=specs, autograph=False)(*values)]
    assert len(columns) == (1 if method == "predict" else len(eager.blocks))
    return np.hstack([column.astype(object) for column in columns]) if len(columns) > 1 else columns[0]


def _first(given: Table) -> Table:
    """Its first row, with which converters are called to make what they keep."""
    return Table(Block(block.names, block.values[:1]) for block in given.blocks)


def theirs(estimator: Any, rows: Any, method: str) -> Any:
    """Return scikit-learn's answer as a dense matrix."""
    answer = quietly(getattr(estimator, method), rows)
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    return answer.reshape(len(answer), -1)


def assert_equal(estimator: Any, rows: Any, method: str = "transform", tolerance: float = 1e-9) -> None:
    """Hold that operations and scikit-learn agree, in NaN too."""
    mine = ours(estimator, rows, "transform" if method == "transform" else "predict")
    expected = theirs(estimator, rows, method)
    assert mine.shape == expected.shape, (estimator, mine.shape, expected.shape)
    np.testing.assert_allclose(
        mine.astype(float), expected.astype(float), rtol=tolerance, atol=tolerance, err_msg=repr(estimator)
    )


def fit(estimator: Any, rows: Any, targets: Any = None) -> Any:
    """Return a clone of the estimator fitted."""
    return quietly(base.clone(estimator).fit, rows, targets)


def saved(estimator: Any, rows: Any, method: str, path: str) -> Any:
    """Return what the operations answer after they were saved and loaded, of a matrix of unknown length."""
    store = registry.Store()
    getattr(registry, method)(estimator, table(rows), store)
    store.again()
    module = tf.Module()
    module.kept = store.kept
    read = table(rows)
    (block,) = read.blocks
    spec = tf.TensorSpec([None, *block.values.shape[1:]], block.values.dtype)

    @tf.function(input_signature=[spec], autograph=False)
    def call(values: tf.Tensor) -> tf.Tensor:
        answer = getattr(registry, method)(estimator, Table([Block(block.names, values)]), store)
        return answer.values if method == "predict" else answer.blocks[0].values

    module.call = call
    tf.saved_model.save(module, path)
    # A loaded function does not keep the variables that it reads: the loaded object does.
    loaded = tf.saved_model.load(path)
    return loaded.call(block.values).numpy()
