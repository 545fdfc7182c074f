"""Predictions that are classes, not scores: numbers of classes, or their names.

Metrics of several classes read a score for each class. A class becomes a row of scores, 1 for the class and 0 for all
others; the names of classes are numbered in their order, and a file beside TFMA's says which is which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray

from headrace.components.evaluator import ragged
from headrace.formats.evaluations import files

MAX_CLASSES = 10_000
# Metrics that are right for classes alone; Keras' by the type of the metric.
KERAS_METRICS = frozenset({"SparseCategoricalAccuracy", "CategoricalAccuracy"})
_METRICS = KERAS_METRICS | {
    "Accuracy",
    "MultiClassConfusionMatrixPlot",
    "MultiClassConfusionMatrixAtThresholds",
    "ClassificationScore",
    "ExampleCount",
    "WeightedExampleCount",
}


def are_enough(metrics_specs: Sequence[Any]) -> bool:
    """Whether all metrics of a configuration can be computed of classes, without scores."""
    return all(
        metric.class_name in _METRICS or bool(spec.binarize.class_ids.values)
        for spec in metrics_specs
        for metric in spec.metrics
    )


def names_in(values: Any) -> set[bytes]:
    """Return the texts in labels or predictions of a batch; none where they are numbers."""
    if isinstance(values, Mapping):
        return set().union(*(names_in(value) for value in values.values()))
    array = values.values if isinstance(values, tfma.types.VarLenTensorValue) else values
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "OSU":
        return set()
    return {_bytes(value) for value in array.reshape(-1).tolist() if isinstance(value, bytes | str)}


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def numbered(values: Any, vocabulary: Mapping[bytes, int]) -> Any:
    """Return names as their numbers; what are no names, or not one in each row, is returned as it is."""
    if isinstance(values, Mapping):
        return {key: numbered(value, vocabulary) for key, value in values.items()}
    array = ragged.dense(values)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "OSU":
        return values
    flat = array.reshape(-1).tolist()
    if not all(isinstance(value, bytes | str) and _bytes(value) in vocabulary for value in flat):
        return values
    return np.array([vocabulary[_bytes(value)] for value in flat], np.int64).reshape(array.shape)


def are_numbers(predictions: NDArray[Any]) -> bool:
    """Whether a matrix of predictions may hold numbers of classes: whole numbers, one in each row."""
    return predictions.shape[1] == 1 and predictions.dtype.kind in "iu" and not (predictions < 0).any()


def scores(labels: NDArray[Any], predictions: NDArray[Any]) -> NDArray[Any] | None:
    """Return one column for each class up to the largest in a batch; `None` where that is no number of classes."""
    largest = int(max(predictions.max(initial=0), labels.max(initial=0)))
    if largest >= MAX_CLASSES:
        return None
    # Two columns at least: one alone is a score.
    return np.eye(max(2, largest + 1), dtype=np.float32)[predictions[:, 0]]


def write(names: Sequence[bytes], folder: str) -> None:
    """Write the names of the classes 0, 1, 2 ..."""
    files.write_class_names(folder, [name.decode("utf-8", "replace") for name in names])
