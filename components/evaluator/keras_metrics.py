"""Keras metrics whose state can be added up over batches, files and workers.

TFMA keeps a metric's state as the array that `get_weights` gives and adds these arrays. That fails for metrics
whose variables differ in shape, and for those that make their variables at the first batch (`FBetaScore`):
the worker that merges has seen no batch. And it computes a loss as the mean of a batch, weighted by the
batch's total weight, which is not the weighted mean of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.components.evaluator import tfma_internals
from headrace.components.evaluator.tfma_internals import tf_keras
from headrace.errors import DefinitionError
from headrace.runtime import messages


def set_up(combiner: Any) -> None:
    """Set a combiner up, as TFMA does before it is used, so that its metrics can be added up."""
    combiner.setup()
    if type(combiner) is not tfma_internals.KerasMetrics or not tfma_internals.is_known(combiner):
        return
    for metrics in tfma_internals.settings(combiner).metrics.values():
        metrics[:] = [_addable(metric) for metric in metrics]


def _addable(metric: Any) -> Any:
    if isinstance(metric, _RowLosses | _SummedLosses) or "get_weights" in vars(metric):
        return metric
    if type(metric) is tfma_internals.LossMetric:
        return _of_rows(metric.loss, metric.name)
    get_weights, set_weights, result = metric.get_weights, metric.set_weights, metric.result

    def get() -> Any:
        return _as_array(get_weights())

    def set_(weights: Sequence[Any]) -> None:
        if len(metric.weights) != len(weights):
            _make_variables(metric, weights)
        set_weights(list(weights))

    def computed() -> Any:
        # Without a single row there are no variables either.
        return result() if metric.weights else tf.constant(math.nan)

    metric.get_weights, metric.set_weights, metric.result = get, set_, computed
    if isinstance(metric, tf_keras.metrics.FBetaScore):
        _take_one_weight_per_row(metric)
    return metric


def _take_one_weight_per_row(metric: Any) -> None:
    """Let a metric that takes weights of shape (rows,) alone take TFMA's, of shape (rows, 1)."""
    update_state = metric.update_state

    def update(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return update_state(y_true, y_pred, sample_weight=_flat(sample_weight))

    metric.update_state = update


def update(metric: Any, labels: Any, predictions: Any, weights: Any) -> None:
    """Set a metric to the state that one batch gives it.

    Raises:
        DefinitionError: If the metric cannot read the labels and predictions.
    """
    metric.reset_states()
    try:
        metric.update_state(labels, predictions, weights)
    except (ValueError, TypeError, AssertionError, tf.errors.OpError) as error:
        raise DefinitionError(
            f"metric '{metric.name}' (Keras' {type(metric).__name__}) cannot read labels of shape "
            f"{_shape(labels)} and predictions of shape {_shape(predictions)}: {messages.first_line(error)}.",
            "choose a metric for this kind of label and prediction, or correct its config in eval_config.",
        ) from error


def _shape(values: Any) -> str:
    return f"({', '.join(['rows', *map(str, np.shape(values)[1:])])})"


def _as_array(weights: Sequence[Any]) -> Any:
    """Variables in a form that `np.add` adds one by one, whatever their shapes."""
    if len({np.shape(one) for one in weights}) <= 1:
        return weights
    result = np.empty(len(weights), object)
    for number, one in enumerate(weights):
        result[number] = np.asarray(one)
    return result


def _make_variables(metric: Any, weights: Sequence[Any]) -> None:
    """Let a metric make the variables that it makes at its first batch; what the batch held is overwritten."""
    width = max((np.shape(one)[-1] for one in weights if np.ndim(one)), default=1)
    metric.update_state(np.zeros((1, width), np.float32), np.zeros((1, width), np.float32))


def _of_rows(loss: Any, name: str) -> Any:
    """A metric of a loss's values by row: their sum where the loss is a sum, else their mean."""
    is_sum = loss.reduction == tf_keras.losses.Reduction.SUM
    loss.reduction = tf_keras.losses.Reduction.NONE
    return _SummedLosses(loss, name) if is_sum else _RowLosses(loss, name)


class _RowLosses(tf_keras.metrics.Mean):
    """Weighted mean of a loss over rows."""

    def __init__(self, loss: Any, name: str) -> None:
        super().__init__(name=name)
        self.loss = loss

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add a batch."""
        return super().update_state(_by_row(self.loss(y_true, y_pred)), sample_weight=_flat(sample_weight))


class _SummedLosses(tf_keras.metrics.Sum):
    """Weighted sum of a loss over rows."""

    def __init__(self, loss: Any, name: str) -> None:
        super().__init__(name=name)
        self.loss = loss

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add a batch."""
        return super().update_state(_by_row(self.loss(y_true, y_pred)), sample_weight=_flat(sample_weight))


def _by_row(losses: Any) -> Any:
    """One value for each row; a loss of one's own may give one for each output, or one for the batch."""
    losses = tf.convert_to_tensor(losses)
    return tf.reduce_mean(losses, axis=list(range(1, losses.shape.rank))) if losses.shape.rank > 1 else losses


def _flat(sample_weight: Any) -> Any:
    return None if sample_weight is None else tf.reshape(sample_weight, [-1])
