"""TFMA's metric combiners, fed a batch at a time.

A metric in TFMA is a Beam `CombineFn` that takes one row after the other: 50 to 100 microseconds for each
row, metric and slice. The functions here add all rows of a slice to the same accumulator at once.
Accumulators, merging and results stay TFMA's own. Combiners without a function here, and inputs that
`pairs.select` cannot express, go row by row through TFMA.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from headrace.components.evaluator import merging, r2_score, tfma_internals
from headrace.components.evaluator.adders import ADDERS as _ADDERS
from headrace.components.evaluator.adders import CROSS_ENTROPIES, MEAN_ERRORS, add_keras, with_scores
from headrace.components.evaluator.own_metrics.combiner import OwnCombiner
from headrace.components.evaluator.pairs import Pairs, Selection
from headrace.components.evaluator.tfma_internals import metric_types, metric_util, model_util, settings

# Imported for what it does: TFMA's combiners merge right from here on.
_ = merging


def takes_batches(computation: Any) -> bool:
    """Whether a `MetricComputation` can be fed through `add`."""
    preprocessors = computation.preprocessors or []
    if len(preprocessors) > 1 or any(
        type(preprocessor) is not metric_types.StandardMetricInputsPreprocessor
        for preprocessor in preprocessors
    ):
        return False
    return selections(computation.combiner) is not None


def name_of(computation: Any) -> str:
    """Return what to call a `MetricComputation`: the metric that it computes, or that others are computed from."""
    # TFMA's names for what it computes several metrics from begin with an underscore.
    return (
        str(computation.keys[0].name).lstrip("_") if computation.keys else type(computation.combiner).__name__
    )


def selections(combiner: Any) -> list[Selection] | None:
    """Return which pairs a combiner reads, one selection for each output; `None` where TFMA must choose."""
    kind = type(combiner)
    if kind is r2_score.R2Combiner or isinstance(combiner, OwnCombiner):
        return [_selection(combiner.key, combiner.example_weighted)]
    if kind not in _ADDERS or not tfma_internals.is_known(combiner):
        return None
    if kind in (tfma_internals.ClassMatrix, tfma_internals.BinaryMatrices) and not _is_plain(combiner):
        return None
    known = settings(combiner)
    is_weighted = bool(known.example_weighted)
    if is_example_count(combiner):
        names = known.model_name or "", known.output_name or ""
        return [Selection(*names, is_weighted=True, is_count=True)] if is_weighted else []
    if kind is tfma_internals.KerasMetrics:
        return _keras_selections(known, is_weighted)
    if kind is tfma_internals.ClassMatrix:
        # TFMA reads all classes, whatever the metric's specification binarizes.
        return [_selection(known.key._replace(sub_key=None), is_weighted)]
    if kind in CROSS_ENTROPIES:
        return [_selection(known.metric_key, is_weighted)]
    selection = _selection(known.metric_key if kind in MEAN_ERRORS else known.key, is_weighted)
    return [
        dataclasses.replace(
            selection,
            class_weights=tuple(sorted((known.class_weights or {}).items())),
            is_aggregated=known.aggregation_type is not None,
            is_flat=True,
        )
    ]


def _keras_selections(known: Any, is_weighted: bool) -> list[Selection] | None:
    aggregation = known.aggregation_type
    if known.class_weights or (aggregation and aggregation.micro_average):
        return None
    keys = [metric_types.MetricKey("", known.model_name, name, known.sub_key) for name in known.output_names]
    return [
        dataclasses.replace(_selection(key, is_weighted), is_aggregated=aggregation is not None)
        for key in keys
    ]


def _selection(key: Any, is_weighted: bool) -> Selection:
    class_id, k, top_k = key.sub_key or (None, None, None)
    return Selection(key.model_name or "", key.output_name or "", class_id, k, top_k, is_weighted=is_weighted)


def _is_plain(combiner: Any) -> bool:
    """Whether labels and predictions are read as TFMA reads them by default, without example ids."""
    known = settings(combiner)
    if known.extract_label_prediction_and_weight is not metric_util.to_label_prediction_example_weight:
        return False
    return type(combiner) is tfma_internals.ClassMatrix or not known.example_id_key


def is_example_count(combiner: Any) -> bool:
    """Whether the combiner counts rows, whatever labels and predictions are."""
    return type(combiner) is tfma_internals.ExampleCount


def accepts(combiner: Any, parts: list[Pairs]) -> bool:
    """Whether `add` can add these pairs, and any rows of them; where not, TFMA must, or says what is wrong."""
    kind = type(combiner)
    if isinstance(combiner, OwnCombiner):
        if not combiner.accepts(parts[0]):
            raise combiner.refusal(parts[0])
        return True
    if kind in CROSS_ENTROPIES:
        labels, num_outputs = parts[0].labels, parts[0].predictions.shape[1]
        return labels.shape[1] == num_outputs or bool((labels < num_outputs).all())
    if kind is tfma_internals.KerasMetrics:
        return not _pads(combiner) and not settings(combiner).sub_key_in_config
    if kind is tfma_internals.ClassMatrix:
        return parts[0].predictions.shape[1] > 1 or with_scores(parts[0]) is not None
    if kind is r2_score.R2Combiner:
        return parts[0].labels.shape == parts[0].predictions.shape
    return not reads_shares(combiner) or not ((parts[0].labels < 0) | (parts[0].labels > 1)).any()


def reads_shares(combiner: Any) -> bool:
    """Whether a combiner that takes batches reads a label of 0.3 as 0.7 of a negative and 0.3 of a positive row."""
    if type(combiner) is tfma_internals.CalibrationHistogram:
        return bool(settings(combiner).fractional_labels)
    return type(combiner) is tfma_internals.BinaryMatrices and bool(
        settings(combiner).enable_fractional_labels
    )


def _pads(combiner: Any) -> bool:
    """Whether the user asks for labels and predictions to be padded, which TFMA does row by row."""
    known = settings(combiner)
    spec = model_util.get_model_spec(known.eval_config, known.model_name) if known.eval_config else None
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
        return add_keras(combiner, accumulator, parts)
    if isinstance(combiner, OwnCombiner):
        return combiner.add_pairs(accumulator, parts[0])
    return _ADDERS[type(combiner)](combiner, accumulator, parts[0])
