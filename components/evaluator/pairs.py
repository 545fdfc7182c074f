"""Labels, predictions and weights of a batch in the form in which metrics read them.

The rules are those of TFMA's `metric_util.to_label_prediction_example_weight`, for a batch instead of one
row. What they cannot express here (vocabularies, ragged labels) is `None`; the caller then goes row by row through
TFMA itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator import classes, ragged
from headrace.components.evaluator.tfma_internals import metric_util

_VOCABULARY_KEYS = ("all_classes", "classes")


@dataclass(frozen=True)
class Selection:
    """Which pairs a metric reads; equal selections share their arrays.

    Attributes:
        model_name: Model, empty where there is one.
        output_name: Output of the model, empty where there is one.
        class_id: Class that is compared with all others; `None` for all classes.
        k: Which class is compared with all others: the one of the k-th largest prediction.
        top_k: How many of the largest predictions count.
        class_weights: Weights by class of a micro average, as items.
        is_weighted: Whether example weights count.
        is_flat: Whether a multi-class row is read as one pair per class.
        is_aggregated: Whether the classes beyond `top_k` are left out, instead of never being predicted.
        is_count: Whether only the weights are read.
    """

    model_name: str
    output_name: str
    class_id: int | None = None
    k: int | None = None
    top_k: int | None = None
    class_weights: tuple[tuple[int, float], ...] = ()
    is_weighted: bool = False
    is_flat: bool = False
    is_aggregated: bool = False
    is_count: bool = False


@dataclass(frozen=True)
class Pairs:
    """Labels, predictions and weights, one row per example; columns are classes.

    Where `is_flat`, all three have the same shape; else labels and predictions may differ in columns, and
    weights have one column.
    """

    labels: NDArray[Any]
    predictions: NDArray[Any]
    weights: NDArray[Any]

    def take(self, rows: NDArray[Any] | None) -> Pairs:
        """Return the given rows; all for `None`."""
        if rows is None:
            return self
        return Pairs(self.labels[rows], self.predictions[rows], self.weights[rows])


@dataclass(frozen=True)
class Inputs:
    """What the extractors made of a batch: arrays, or dicts by model and output name."""

    labels: Any
    predictions: Any
    example_weights: Any
    num_rows: int


def select(inputs: Inputs, selection: Selection, eval_config: Any) -> Pairs | None:
    """Return the pairs of a batch, or `None` where they have no rectangular, numeric form."""
    names = (selection.model_name, selection.output_name)
    if selection.is_count:
        return _weights(inputs, names)
    predictions = inputs.predictions
    for name in names:
        if name:
            if not isinstance(predictions, Mapping) or name not in predictions:
                return None
            predictions = predictions[name]
    if isinstance(predictions, Mapping) and any(key in predictions for key in _VOCABULARY_KEYS):
        return None
    labels, weights = _look_up(inputs.labels, names), _look_up(inputs.example_weights, names)
    if labels is None or predictions is None or isinstance(labels, Mapping):
        return None
    labels = ragged.dense(labels)
    if not isinstance(labels, np.ndarray):
        return None
    key = _prediction_key(selection.model_name, eval_config)
    labels, predictions = metric_util.prepare_labels_and_predictions(labels, predictions, key)
    weights = ragged.dense(weights) if selection.is_weighted and weights is not None else None
    arrays = [_matrix(labels, inputs.num_rows), _matrix(predictions, inputs.num_rows)]
    arrays.append(np.ones((inputs.num_rows, 1)) if weights is None else _matrix(weights, inputs.num_rows))
    labels, predictions, weights = arrays
    if labels is None or predictions is None or weights is None or weights.shape[1] != 1:
        return None
    return _by_class(Pairs(labels, predictions, weights), selection)


def _weights(inputs: Inputs, names: tuple[str, str]) -> Pairs | None:
    """Pairs of weights alone, the sum of those that a row has."""
    nothing = np.zeros((inputs.num_rows, 0))
    value = ragged.dense(_look_up(inputs.example_weights, names))
    weights = np.ones((inputs.num_rows, 1)) if value is None else _matrix(value, inputs.num_rows)
    return None if weights is None else Pairs(nothing, nothing, weights.sum(axis=1, keepdims=True))


def _look_up(value: Any, names: tuple[str, str]) -> Any:
    """Labels and weights may be shared by models and outputs, so a missing key is no error."""
    for name in names:
        if name and isinstance(value, Mapping) and name in value:
            value = value[name]
    return value


def _prediction_key(model_name: str, eval_config: Any) -> str:
    specs = list(eval_config.model_specs)
    for spec in specs:
        if (spec.name if len(specs) > 1 else "") == model_name:
            return str(spec.prediction_key)
    return ""


def _matrix(values: Any, num_rows: int) -> NDArray[Any] | None:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or values.ndim > 2:
        return None
    if values.ndim == 0 or len(values) != num_rows or not np.isfinite(values).all():
        return None
    return values.reshape(num_rows, -1)


def _by_class(pairs: Pairs, selection: Selection) -> Pairs | None:
    labels, predictions, weights = pairs.labels, pairs.predictions, pairs.weights
    num_classes = predictions.shape[1]
    is_sparse = labels.shape[1] != num_classes
    if is_sparse and labels.shape[1] != 1:
        return None
    if selection.k is not None or selection.top_k is not None:
        found = _largest(labels, predictions, selection, is_sparse)
        if found is None:
            return None
        labels, predictions = found
        num_classes = predictions.shape[1]
        is_sparse = labels.shape[1] != num_classes
    if selection.class_id is not None and num_classes == 1 and classes.are_numbers(predictions):
        is_class = [(values == selection.class_id).astype(np.float64) for values in (labels, predictions)]
        return Pairs(is_class[0], is_class[1], weights)
    if selection.class_id is not None:
        if not 0 <= selection.class_id < num_classes:
            return None
        column = slice(selection.class_id, selection.class_id + 1)
        labels = (labels == selection.class_id).astype(np.int64) if is_sparse else labels[:, column]
        return Pairs(labels, predictions[:, column], weights)
    if not selection.is_flat:
        return Pairs(labels, predictions, weights)
    if is_sparse:
        one_hot = _one_hot(labels, num_classes)
        if one_hot is None:
            return None
        labels = one_hot
    weights = np.broadcast_to(weights, predictions.shape)
    if selection.class_weights:
        by_class = dict(selection.class_weights)
        weights = weights * np.array([by_class.get(number, 0.0) for number in range(num_classes)])
    return Pairs(labels, predictions, weights)


def _one_hot(labels: NDArray[Any], num_classes: int) -> NDArray[Any] | None:
    numbers = labels[:, 0].astype(np.int64)
    if (numbers < 0).any() or (numbers >= num_classes).any():
        return None
    return np.eye(num_classes)[numbers]


def _largest(
    labels: NDArray[Any], predictions: NDArray[Any], selection: Selection, is_sparse: bool
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Labels and predictions of the k-th largest prediction, or with what is beyond the `top_k` largest put aside.

    Which of equal predictions are taken is left to `argpartition`, as in TFMA.
    """
    count = selection.k if selection.k is not None else selection.top_k
    if count is None or not 0 < count <= predictions.shape[1]:
        return None
    places = np.argpartition(predictions, -count, axis=1)[:, -count:]
    if selection.k is None and not selection.is_aggregated:
        kept = np.full(predictions.shape, -np.inf)
        np.put_along_axis(kept, places, np.take_along_axis(predictions, places, axis=1), axis=1)
        return labels, kept
    dense = _one_hot(labels, predictions.shape[1]) if is_sparse else labels
    if dense is None:
        return None
    if selection.k is not None:
        places = places[:, :1]
    return np.take_along_axis(dense, places, axis=1), np.take_along_axis(predictions, places, axis=1)
