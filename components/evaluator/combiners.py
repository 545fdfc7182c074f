"""TFMA's metric combiners, fed a batch at a time.

A metric in TFMA is a Beam `CombineFn` that takes one row after the other: 50 to 100 microseconds for each
row, metric and slice. The functions here add all rows of a slice to the same accumulator at once.
Accumulators, merging and results stay TFMA's own. Combiners without a function here, and inputs that
`pairs.select` cannot express, go row by row through TFMA.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import binary_confusion_matrices as matrices
from tensorflow_model_analysis.metrics import (
    calibration,
    calibration_histogram,
    cross_entropy_metrics,
    example_count,
    mean_regression_error,
    metric_types,
    multi_class_confusion_matrix_metrics,
    tf_metric_wrapper,
)

from headrace.components.evaluator.pairs import Pairs, Selection

# Adds pairs that `accepts` took to an accumulator, and returns it.
AddPairs = Callable[[Any, Any, Pairs], Any]


def takes_batches(computation: Any) -> bool:
    """Whether a `MetricComputation` can be fed through `add`."""
    preprocessors = computation.preprocessors or []
    if len(preprocessors) > 1 or any(
        type(preprocessor) is not metric_types.StandardMetricInputsPreprocessor
        for preprocessor in preprocessors
    ):
        return False
    combiner = computation.combiner
    if is_example_count(combiner):
        # Weights by output or of several values per row are TFMA's business.
        return not combiner._example_weighted
    return type(combiner) in _ADDERS and selections(combiner) is not None


def selections(combiner: Any) -> list[Selection] | None:
    """Return which pairs a combiner reads, one selection for each output; `None` where TFMA must choose."""
    if is_example_count(combiner):
        return []
    key: Any = getattr(combiner, "_key", None) or getattr(combiner, "_metric_key", None)
    sub_key = key.sub_key if key is not None else combiner._sub_key
    if sub_key is not None and (sub_key.k is not None or sub_key.top_k is not None):
        return None
    reader = getattr(combiner, "_extract_label_prediction_and_weight", None)
    if reader is not None and reader.__name__ != "to_label_prediction_example_weight":
        return None
    if getattr(combiner, "_example_id_key", None):
        return None
    if isinstance(combiner, tf_metric_wrapper._CompilableMetricsCombiner):
        aggregation = combiner._aggregation_type
        if combiner._class_weights or (aggregation and aggregation.micro_average):
            return None
        return [
            _selection(combiner, combiner._model_name, name, sub_key, is_flat=False)
            for name in combiner._output_names
        ]
    is_flat = not isinstance(
        combiner,
        (
            cross_entropy_metrics._CrossEntropyCombiner,
            multi_class_confusion_matrix_metrics._MultiClassConfusionMatrixCombiner,
        ),
    )
    return [_selection(combiner, key.model_name, key.output_name, sub_key, is_flat)]


def _selection(
    combiner: Any, model_name: str | None, output_name: str | None, sub_key: Any, is_flat: bool
) -> Selection:
    class_weights = getattr(combiner, "_class_weights", None) or {}
    return Selection(
        model_name or "",
        output_name or "",
        sub_key.class_id if sub_key is not None else None,
        tuple(sorted(class_weights.items())),
        bool(combiner._example_weighted),
        is_flat,
    )


def is_example_count(combiner: Any) -> bool:
    """Whether the combiner counts rows, whatever labels and predictions are."""
    return type(combiner) is example_count._ExampleCountCombiner


def accepts(combiner: Any, parts: list[Pairs]) -> bool:
    """Whether `add` can add these pairs, and any rows of them; where not, TFMA must, or says what is wrong."""
    if isinstance(combiner, tf_metric_wrapper._CompilableMetricsCombiner):
        return not combiner.create_accumulator()._pad and not combiner._sub_key_in_config
    if isinstance(combiner, multi_class_confusion_matrix_metrics._MultiClassConfusionMatrixCombiner):
        # With several thresholds TFMA carries the "no class" of one over to the next.
        return len(combiner._thresholds) == 1 and parts[0].predictions.shape[1] > 1
    if isinstance(combiner, cross_entropy_metrics._CrossEntropyCombiner):
        return parts[0].labels.shape == parts[0].predictions.shape
    if getattr(combiner, "_fractional_labels", False) or getattr(
        combiner, "_enable_fractional_labels", False
    ):
        return not ((parts[0].labels < 0) | (parts[0].labels > 1)).any()
    return True


def add(combiner: Any, accumulator: Any, parts: list[Pairs], num_rows: int) -> Any:
    """Add rows to an accumulator.

    Args:
        combiner: One for which `takes_batches` holds.
        accumulator: Of this combiner; it may be changed.
        parts: Pairs for each of its `selections`, which it `accepts`.
        num_rows: Rows that are added.

    Returns:
        The accumulator with the rows added.
    """
    if is_example_count(combiner):
        return accumulator + float(num_rows)
    if isinstance(combiner, tf_metric_wrapper._CompilableMetricsCombiner):
        return _add_keras(combiner, accumulator, parts)
    return _ADDERS[type(combiner)](combiner, accumulator, parts[0])


def _flat(pairs: Pairs) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return (
        pairs.labels.reshape(-1).astype(np.float64),
        pairs.predictions.reshape(-1).astype(np.float64),
        np.broadcast_to(pairs.weights, pairs.labels.shape).reshape(-1).astype(np.float64),
    )


def _split_fractional(
    labels: NDArray[Any], predictions: NDArray[Any], weights: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A label of 0.3 counts 0.7 as negative and 0.3 as positive; pairs of weight zero are left out."""
    both = np.concatenate([weights * (1 - labels), weights * labels])
    # TFMA leaves out weights with math.isclose(weight, 0.0), which holds for exact zeros alone.
    kept = both != 0
    split = np.concatenate([np.zeros_like(labels), np.ones_like(labels)])
    return split[kept], np.concatenate([predictions, predictions])[kept], both[kept]


def _add_histogram(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    labels, predictions, weights = _flat(pairs)
    if combiner._fractional_labels:
        labels, predictions, weights = _split_fractional(labels, predictions, weights)
    binned = predictions if combiner._prediction_based_bucketing else labels
    last = combiner._num_buckets + 1
    position = (binned - combiner._left) / combiner._range * combiner._num_buckets + 1
    numbers = np.where(position < 0, 0, np.minimum(position, last)).astype(np.int64)
    buckets, at = np.unique(numbers, return_inverse=True)
    at = at.reshape(-1)
    sums = [np.bincount(at, values) for values in (labels * weights, predictions * weights, weights)]
    for number, *added in zip(buckets.tolist(), *(total.tolist() for total in sums)):
        bucket = calibration_histogram.Bucket(number, *added)
        if number in accumulator:
            accumulator[number].merge(bucket)
        else:
            accumulator[number] = bucket
    return accumulator


def _add_matrices(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    """Pairs that no threshold tells apart become one pair of their total weight."""
    labels, predictions, weights = _flat(pairs)
    if combiner._enable_fractional_labels:
        labels, predictions, weights = _split_fractional(labels, predictions, weights)
    if not len(labels):
        return accumulator
    thresholds = np.unique(np.asarray(combiner._binary_confusion_matrices._thresholds, np.float64))
    # side="left": a value equal to a threshold is not above it.
    interval = np.searchsorted(thresholds, predictions, side="left")
    label_interval = (
        (labels == 1.0).astype(np.int64)
        if combiner._enable_fractional_labels
        else np.searchsorted(thresholds, labels, side="left")
    )
    group = label_interval * (len(thresholds) + 1) + interval
    _, first, at = np.unique(group, return_index=True, return_inverse=True)
    return combiner._binary_confusion_matrices.add_input(
        accumulator,
        labels[first].tolist(),
        predictions[first].tolist(),
        np.bincount(at.reshape(-1), weights).tolist(),
        None,
    )


def _add_sums(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    labels, predictions, weights = _flat(pairs)
    accumulator.total_weighted_labels += float(labels @ weights)
    accumulator.total_weighted_predictions += float(predictions @ weights)
    accumulator.total_weighted_examples += float(weights.sum())
    return accumulator


def _add_regression(error: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> AddPairs:
    def add_errors(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
        labels, predictions, weights = _flat(pairs)
        with np.errstate(all="ignore"):
            errors = error(labels, predictions)
        kept = ~np.isnan(errors)
        accumulator.total_regression_error += float(errors[kept] @ weights[kept])
        accumulator.total_example_weights += float(weights[kept].sum())
        return accumulator

    return add_errors


def _percentage(labels: NDArray[Any], predictions: NDArray[Any]) -> NDArray[Any]:
    return np.where(labels == 0, np.nan, 100 * np.abs((labels - predictions) / labels))


def _add_binary_cross_entropy(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    smoothing = combiner._label_smoothing
    labels = pairs.labels.astype(np.float64) * (1.0 - smoothing) + 0.5 * smoothing
    # Not widened: where a float32 is 1.0, its logarithm counts as TFMA's does.
    predictions = pairs.predictions
    with np.errstate(all="ignore"):
        if combiner._from_logits:
            loss = np.maximum(predictions, 0) - predictions * labels + np.log1p(np.exp(-np.abs(predictions)))
        else:
            loss = -labels * np.log(predictions) - (1 - labels) * np.log(1 - predictions)
    weights = pairs.weights[:, 0].astype(np.float64)
    accumulator.total_cross_entropy += float(loss.mean(axis=1) @ weights)
    accumulator.total_example_weights += float(weights.sum())
    return accumulator


def _add_class_matrix(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    labels, predictions = pairs.labels, pairs.predictions
    (threshold,) = combiner._thresholds
    actual = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0].astype(np.int64)
    predicted = predictions.argmax(axis=1)
    none = multi_class_confusion_matrix_metrics.NO_PREDICTED_CLASS_ID
    predicted = np.where(predictions.max(axis=1) <= threshold, none, predicted)
    entries, at = np.unique(np.stack([actual, predicted]), axis=1, return_inverse=True)
    totals = np.bincount(at.reshape(-1), pairs.weights[:, 0].astype(np.float64))
    matrix = accumulator.setdefault(threshold, {})
    for row, column, total in zip(*entries.tolist(), totals.tolist()):
        key = multi_class_confusion_matrix_metrics.MatrixEntryKey(row, column)
        matrix[key] = matrix.get(key, 0.0) + total
    return accumulator


def _add_keras(combiner: Any, accumulator: Any, parts: list[Pairs]) -> Any:
    """Update Keras metrics with all rows at once; TFMA adds up their weights as it does for its batches."""
    for output_index, (name, pairs) in enumerate(zip(combiner._output_names, parts)):
        for metric_index, metric in enumerate(combiner._metrics[name]):
            metric.reset_states()
            metric.update_state(pairs.labels, pairs.predictions, pairs.weights.astype(np.float32))
            accumulator.add_weights(output_index, metric_index, metric.get_weights())
    return accumulator


_ADDERS: dict[type, AddPairs] = {
    example_count._ExampleCountCombiner: lambda combiner, accumulator, pairs: accumulator,
    tf_metric_wrapper._CompilableMetricsCombiner: lambda combiner, accumulator, pairs: accumulator,
    calibration_histogram._CalibrationHistogramCombiner: _add_histogram,
    matrices._BinaryConfusionMatrixCombiner: _add_matrices,
    calibration._WeightedLabelsPredictionsExamplesCombiner: _add_sums,
    mean_regression_error._MeanAbsoluteErrorCombiner: _add_regression(
        lambda labels, predictions: np.abs(labels - predictions)
    ),
    mean_regression_error._MeanSquaredErrorCombiner: _add_regression(
        lambda labels, predictions: np.square(labels - predictions)
    ),
    mean_regression_error._MeanAbsolutePercentageErrorCombiner: _add_regression(_percentage),
    mean_regression_error._MeanSquaredLogarithmicErrorCombiner: _add_regression(
        lambda labels, predictions: np.square(np.log(labels + 1) - np.log(predictions + 1))
    ),
    cross_entropy_metrics._BinaryCrossEntropyCombiner: _add_binary_cross_entropy,
    multi_class_confusion_matrix_metrics._MultiClassConfusionMatrixCombiner: _add_class_matrix,
}
