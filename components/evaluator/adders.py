"""How the rows of a batch are added to the accumulator of each of TFMA's combiners, all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator import classes, keras_metrics, r2_score, tfma_internals
from headrace.components.evaluator.pairs import Pairs
from headrace.components.evaluator.tfma_internals import (
    calibration_histogram,
    multi_class_confusion_matrix_metrics,
)

# Adds pairs that a combiner accepts to an accumulator, and returns it.
AddPairs = Callable[[Any, Any, Pairs], Any]


def with_scores(pairs: Pairs) -> Pairs | None:
    """Pairs with scores for predictions that are numbers of classes; `None` where they are not."""
    if pairs.labels.shape[1] != 1 or not classes.are_numbers(pairs.predictions):
        return None
    scores = classes.scores(pairs.labels, pairs.predictions)
    return None if scores is None else Pairs(pairs.labels, scores, pairs.weights)


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
    known = tfma_internals.settings(combiner)
    labels, predictions, weights = _flat(pairs)
    if known.fractional_labels:
        labels, predictions, weights = _split_fractional(labels, predictions, weights)
    binned = predictions if known.prediction_based_bucketing else labels
    last = known.num_buckets + 1
    position = (binned - known.left) / known.range * known.num_buckets + 1
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
    known = tfma_internals.settings(combiner)
    labels, predictions, weights = _flat(pairs)
    if known.enable_fractional_labels:
        labels, predictions, weights = _split_fractional(labels, predictions, weights)
    if not len(labels):
        return accumulator
    thresholds = np.unique(np.asarray(tfma_internals.setting_of_matrices(combiner).thresholds, np.float64))
    # side="left": a value equal to a threshold is not above it.
    interval = np.searchsorted(thresholds, predictions, side="left")
    label_interval = (
        (labels == 1.0).astype(np.int64)
        if known.enable_fractional_labels
        else np.searchsorted(thresholds, labels, side="left")
    )
    group = label_interval * (len(thresholds) + 1) + interval
    _, first, at = np.unique(group, return_index=True, return_inverse=True)
    return known.binary_confusion_matrices.add_input(
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
    known = tfma_internals.settings(combiner)
    smoothing = known.label_smoothing
    labels = _by_output(pairs) * (1.0 - smoothing) + 0.5 * smoothing
    # Not widened: where a float32 is 1.0, its logarithm counts as TFMA's does.
    predictions = pairs.predictions
    with np.errstate(all="ignore"):
        if known.from_logits:
            loss = np.maximum(predictions, 0) - predictions * labels + np.log1p(np.exp(-np.abs(predictions)))
        else:
            loss = -labels * np.log(predictions) - (1 - labels) * np.log(1 - predictions)
    return _add_loss(accumulator, loss.mean(axis=1), pairs)


def _add_categorical_cross_entropy(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    known = tfma_internals.settings(combiner)
    smoothing = known.label_smoothing
    labels = _by_output(pairs) * (1.0 - smoothing) + smoothing / pairs.predictions.shape[1]
    with np.errstate(all="ignore"):
        predictions = np.exp(pairs.predictions) if known.from_logits else pairs.predictions
        predictions = predictions / predictions.sum(axis=1, keepdims=True)
        # TFMA leaves out classes of no probability.
        logarithms = np.where(predictions > 0, np.log(predictions), 0.0)
    return _add_loss(accumulator, -(labels * logarithms).sum(axis=1), pairs)


def _add_loss(accumulator: Any, loss: NDArray[Any], pairs: Pairs) -> Any:
    weights = pairs.weights[:, 0].astype(np.float64)
    accumulator.total_cross_entropy += float(loss @ weights)
    accumulator.total_example_weights += float(weights.sum())
    return accumulator


def _by_output(pairs: Pairs) -> NDArray[np.float64]:
    """Labels with one column for each output: TFMA would hold the number of a class against each."""
    labels, num_outputs = pairs.labels, pairs.predictions.shape[1]
    if labels.shape[1] == num_outputs:
        return labels.astype(np.float64)
    # A row of no class, which TFMA writes as -1, has zeros.
    return np.vstack([np.eye(num_outputs), np.zeros((1, num_outputs))])[labels[:, 0].astype(np.int64)]


def _add_class_matrix(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    """Each threshold by itself: TFMA takes the "no class" of one threshold over to the next."""
    pairs = with_scores(pairs) or pairs
    labels, predictions = pairs.labels, pairs.predictions
    weights = pairs.weights[:, 0].astype(np.float64)
    actual = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0].astype(np.int64)
    none = multi_class_confusion_matrix_metrics.NO_PREDICTED_CLASS_ID
    likeliest, highest = predictions.argmax(axis=1), predictions.max(axis=1)
    for threshold in tfma_internals.settings(combiner).thresholds:
        predicted = np.where(highest <= threshold, none, likeliest)
        entries, at = np.unique(np.stack([actual, predicted]), axis=1, return_inverse=True)
        matrix = accumulator.setdefault(threshold, {})
        for row, column, total in zip(*entries.tolist(), np.bincount(at.reshape(-1), weights).tolist()):
            key = multi_class_confusion_matrix_metrics.MatrixEntryKey(row, column)
            matrix[key] = matrix.get(key, 0.0) + total
    return accumulator


def _add_r2(combiner: Any, accumulator: Any, pairs: Pairs) -> Any:
    added = r2_score.Accumulator.of(pairs.labels, pairs.predictions, pairs.weights[:, 0])
    return accumulator.merged(added)


def add_keras(combiner: Any, accumulator: Any, parts: list[Pairs]) -> Any:
    """Update Keras metrics with all rows at once; TFMA adds up their weights as it does for its batches."""
    known = tfma_internals.settings(combiner)
    for output_index, (name, pairs) in enumerate(zip(known.output_names, parts)):
        for metric_index, metric in enumerate(known.metrics[name]):
            read = _for_keras(metric, pairs)
            keras_metrics.update(metric, read.labels, read.predictions, read.weights.astype(np.float32))
            accumulator.add_weights(output_index, metric_index, metric.get_weights())
    return accumulator


def _for_keras(metric: Any, pairs: Pairs) -> Pairs:
    """Pairs with scores, for a metric that finds the class of the highest, where predictions are classes."""
    kind = type(metric).__name__
    scored = with_scores(pairs) if kind in classes.KERAS_METRICS else None
    if scored is None:
        return pairs
    if kind == "CategoricalAccuracy":
        labels = np.eye(scored.predictions.shape[1])[pairs.labels[:, 0].astype(np.int64)]
        return Pairs(labels, scored.predictions, pairs.weights)
    return scored


MEAN_ERRORS: dict[type, AddPairs] = {
    tfma_internals.MeanAbsoluteError: _add_regression(lambda labels, values: np.abs(labels - values)),
    tfma_internals.MeanSquaredError: _add_regression(lambda labels, values: np.square(labels - values)),
    tfma_internals.MeanAbsolutePercentageError: _add_regression(_percentage),
    tfma_internals.MeanSquaredLogarithmicError: _add_regression(
        lambda labels, values: np.square(np.log(labels + 1) - np.log(values + 1))
    ),
}
CROSS_ENTROPIES: dict[type, AddPairs] = {
    tfma_internals.BinaryCrossEntropy: _add_binary_cross_entropy,
    tfma_internals.CategoricalCrossEntropy: _add_categorical_cross_entropy,
}
ADDERS: dict[type, AddPairs] = {
    **MEAN_ERRORS,
    **CROSS_ENTROPIES,
    tfma_internals.ExampleCount: lambda combiner, accumulator, pairs: accumulator,
    tfma_internals.KerasMetrics: lambda combiner, accumulator, pairs: accumulator,
    tfma_internals.CalibrationHistogram: _add_histogram,
    tfma_internals.BinaryMatrices: _add_matrices,
    tfma_internals.WeightedSums: _add_sums,
    tfma_internals.ClassMatrix: _add_class_matrix,
    r2_score.R2Combiner: _add_r2,
}
