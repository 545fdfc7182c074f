"""TFMA's metric combiners, fed a batch at a time.

A metric in TFMA is a Beam `CombineFn` that takes one row after the other: 50 to 100 microseconds for each
row, metric and slice. The functions here add all rows of a slice to the same accumulator at once.
Accumulators, merging and results stay TFMA's own. Combiners without a function here, and inputs that
`pairs.select` cannot express, go row by row through TFMA.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import (
    calibration_histogram,
    metric_types,
    metric_util,
    multi_class_confusion_matrix_metrics,
)
from tensorflow_model_analysis.utils import model_util

from headrace.components.evaluator import classes, keras_metrics, merging, r2_score, tfma_internals
from headrace.components.evaluator.pairs import Pairs, Selection

# Imported for what it does: TFMA's combiners merge right from here on.
_ = merging

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
    return selections(computation.combiner) is not None


def selections(combiner: Any) -> list[Selection] | None:
    """Return which pairs a combiner reads, one selection for each output; `None` where TFMA must choose."""
    kind = type(combiner)
    if kind is r2_score.R2Combiner:
        return [_selection(combiner.key, combiner.example_weighted)]
    if kind not in _ADDERS or not tfma_internals.is_known(combiner):
        return None
    if kind in (tfma_internals.ClassMatrix, tfma_internals.BinaryMatrices) and not _is_plain(combiner):
        return None
    is_weighted = bool(combiner._example_weighted)
    if is_example_count(combiner):
        names = combiner._model_name or "", combiner._output_name or ""
        return [Selection(*names, is_weighted=True, is_count=True)] if is_weighted else []
    if kind is tfma_internals.KerasMetrics:
        return _keras_selections(combiner, is_weighted)
    if kind is tfma_internals.ClassMatrix:
        # TFMA reads all classes, whatever the metric's specification binarizes.
        return [_selection(combiner._key._replace(sub_key=None), is_weighted)]
    if kind is tfma_internals.BinaryCrossEntropy:
        return [_selection(combiner._metric_key, is_weighted)]
    selection = _selection(combiner._metric_key if kind in _MEAN_ERRORS else combiner._key, is_weighted)
    return [
        dataclasses.replace(
            selection,
            class_weights=tuple(sorted((combiner._class_weights or {}).items())),
            is_aggregated=combiner._aggregation_type is not None,
            is_flat=True,
        )
    ]


def _keras_selections(combiner: Any, is_weighted: bool) -> list[Selection] | None:
    aggregation = combiner._aggregation_type
    if combiner._class_weights or (aggregation and aggregation.micro_average):
        return None
    keys = [
        metric_types.MetricKey("", combiner._model_name, name, combiner._sub_key)
        for name in combiner._output_names
    ]
    return [
        dataclasses.replace(_selection(key, is_weighted), is_aggregated=aggregation is not None)
        for key in keys
    ]


def _selection(key: Any, is_weighted: bool) -> Selection:
    class_id, k, top_k = key.sub_key or (None, None, None)
    return Selection(key.model_name or "", key.output_name or "", class_id, k, top_k, is_weighted=is_weighted)


def _is_plain(combiner: Any) -> bool:
    """Whether labels and predictions are read as TFMA reads them by default, without example ids."""
    reader = combiner._extract_label_prediction_and_weight
    if reader is not metric_util.to_label_prediction_example_weight:
        return False
    return type(combiner) is tfma_internals.ClassMatrix or not combiner._example_id_key


def is_example_count(combiner: Any) -> bool:
    """Whether the combiner counts rows, whatever labels and predictions are."""
    return type(combiner) is tfma_internals.ExampleCount


def accepts(combiner: Any, parts: list[Pairs]) -> bool:
    """Whether `add` can add these pairs, and any rows of them; where not, TFMA must, or says what is wrong."""
    kind = type(combiner)
    if kind is tfma_internals.KerasMetrics:
        return not _pads(combiner) and not combiner._sub_key_in_config
    if kind is tfma_internals.ClassMatrix:
        return parts[0].predictions.shape[1] > 1 or _with_scores(parts[0]) is not None
    if kind in (tfma_internals.BinaryCrossEntropy, r2_score.R2Combiner):
        return parts[0].labels.shape == parts[0].predictions.shape
    return not reads_shares(combiner) or not ((parts[0].labels < 0) | (parts[0].labels > 1)).any()


def reads_shares(combiner: Any) -> bool:
    """Whether a combiner that takes batches reads a label of 0.3 as 0.7 of a negative and 0.3 of a positive row."""
    if type(combiner) is tfma_internals.CalibrationHistogram:
        return bool(combiner._fractional_labels)
    return type(combiner) is tfma_internals.BinaryMatrices and bool(combiner._enable_fractional_labels)


def _with_scores(pairs: Pairs) -> Pairs | None:
    """Pairs with scores for predictions that are numbers of classes; `None` where they are not."""
    if pairs.labels.shape[1] != 1 or not classes.are_numbers(pairs.predictions):
        return None
    scores = classes.scores(pairs.labels, pairs.predictions)
    return None if scores is None else Pairs(pairs.labels, scores, pairs.weights)


def _pads(combiner: Any) -> bool:
    """Whether the user asks for labels and predictions to be padded, which TFMA does row by row."""
    spec = (
        model_util.get_model_spec(combiner._eval_config, combiner._model_name)
        if combiner._eval_config
        else None
    )
    return spec is not None and spec.HasField("padding_options")


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
        return accumulator + (float(parts[0].weights.sum()) if parts else float(num_rows))
    if type(combiner) is tfma_internals.KerasMetrics:
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
    """Each threshold by itself: TFMA takes the "no class" of one threshold over to the next."""
    pairs = _with_scores(pairs) or pairs
    labels, predictions = pairs.labels, pairs.predictions
    weights = pairs.weights[:, 0].astype(np.float64)
    actual = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0].astype(np.int64)
    none = multi_class_confusion_matrix_metrics.NO_PREDICTED_CLASS_ID
    likeliest, highest = predictions.argmax(axis=1), predictions.max(axis=1)
    for threshold in combiner._thresholds:
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


def _add_keras(combiner: Any, accumulator: Any, parts: list[Pairs]) -> Any:
    """Update Keras metrics with all rows at once; TFMA adds up their weights as it does for its batches."""
    for output_index, (name, pairs) in enumerate(zip(combiner._output_names, parts)):
        for metric_index, metric in enumerate(combiner._metrics[name]):
            read = _for_keras(metric, pairs)
            keras_metrics.update(metric, read.labels, read.predictions, read.weights.astype(np.float32))
            accumulator.add_weights(output_index, metric_index, metric.get_weights())
    return accumulator


def _for_keras(metric: Any, pairs: Pairs) -> Pairs:
    """Pairs with scores, for a metric that finds the class of the highest, where predictions are classes."""
    kind = type(metric).__name__
    scored = _with_scores(pairs) if kind in classes.KERAS_METRICS else None
    if scored is None:
        return pairs
    if kind == "CategoricalAccuracy":
        labels = np.eye(scored.predictions.shape[1])[pairs.labels[:, 0].astype(np.int64)]
        return Pairs(labels, scored.predictions, pairs.weights)
    return scored


_MEAN_ERRORS: dict[type, AddPairs] = {
    tfma_internals.MeanAbsoluteError: _add_regression(lambda labels, values: np.abs(labels - values)),
    tfma_internals.MeanSquaredError: _add_regression(lambda labels, values: np.square(labels - values)),
    tfma_internals.MeanAbsolutePercentageError: _add_regression(_percentage),
    tfma_internals.MeanSquaredLogarithmicError: _add_regression(
        lambda labels, values: np.square(np.log(labels + 1) - np.log(values + 1))
    ),
}
_ADDERS: dict[type, AddPairs] = {
    **_MEAN_ERRORS,
    tfma_internals.ExampleCount: lambda combiner, accumulator, pairs: accumulator,
    tfma_internals.KerasMetrics: lambda combiner, accumulator, pairs: accumulator,
    tfma_internals.CalibrationHistogram: _add_histogram,
    tfma_internals.BinaryMatrices: _add_matrices,
    tfma_internals.WeightedSums: _add_sums,
    tfma_internals.BinaryCrossEntropy: _add_binary_cross_entropy,
    tfma_internals.ClassMatrix: _add_class_matrix,
    r2_score.R2Combiner: _add_r2,
}
