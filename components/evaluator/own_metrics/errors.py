"""Errors of regression and of probabilities, summed in float64; scikit-learn's formulas."""

from __future__ import annotations

import functools
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator.own_metrics.combiner import Asked, OwnCombiner, computations
from headrace.components.evaluator.own_metrics.counts import BINARY, CLASSES, KINDS
from headrace.components.evaluator.own_metrics.ranked import Ranked, limit
from headrace.components.evaluator.pairs import Pairs
from headrace.components.evaluator.tfma_internals import metric_types, metric_util

_Array: TypeAlias = NDArray[np.float64]

MEDIAN = "median_absolute_error"
# Place of each sum in the accumulator's rows.
_SUMS = ("squared", "difference")
REGRESSION = (
    "root_mean_squared_error",
    "mean_residual",
    "max_error",
    MEDIAN,
)
PROBABILITIES = ("log_loss", "brier_score")


class Errors(OwnCombiner):
    """Sums errors of each output: rows of [weight, squared, difference, maximum]."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked, "errors")

    def create_accumulator(self) -> _Array:
        """Of no rows."""
        return np.zeros((len(_SUMS) + 2, 0))

    def accepts(self, pairs: Pairs) -> bool:
        """Whether there is a prediction for each label."""
        return pairs.labels.shape == pairs.predictions.shape

    def add_pairs(self, accumulator: _Array, pairs: Pairs) -> _Array:
        """Add rows."""
        labels, predictions = pairs.labels.astype(np.float64), pairs.predictions.astype(np.float64)
        weights = pairs.weights[:, 0].astype(np.float64)
        difference = labels - predictions
        absolute = np.abs(difference)
        parts = (np.square(difference), difference)
        found = [np.full(labels.shape[1], weights.sum()), *(weights @ part for part in parts)]
        counted = absolute[weights > 0] if (weights <= 0).any() else absolute
        return self.merged(accumulator, np.array([*found, counted.max(axis=0, initial=0.0)]))

    def merged(self, one: _Array, other: _Array) -> _Array:
        """Return the sums of both, and the larger maximum."""
        if not one.shape[1] or not other.shape[1]:
            return one if one.shape[1] else other
        return np.vstack([one[:-1] + other[:-1], np.maximum(one[-1:], other[-1:])])


def _error(name: str, score: str, sums: _Array) -> dict[tuple[str, int | None], float]:
    if not sums.shape[1] or not sums[0].all():
        return {(name, None): float("nan")}
    squared, difference = sums[1:-1] / sums[0]
    values = {
        "root_mean_squared_error": np.sqrt(squared),
        "mean_residual": difference,
        "max_error": sums[-1],
    }
    return {(name, None): float(values[score].mean())}


class Distances(OwnCombiner):
    """Keeps the distances of predictions to labels in their order, a `Ranked` for each output."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked, "distances")

    def create_accumulator(self) -> list[Ranked]:
        """Of no rows."""
        return []

    def accepts(self, pairs: Pairs) -> bool:
        """Whether there is a prediction for each label."""
        return pairs.labels.shape == pairs.predictions.shape

    def add_pairs(self, accumulator: list[Ranked], pairs: Pairs) -> list[Ranked]:
        """Add rows."""
        outputs = pairs.labels.shape[1]
        accumulator = accumulator or [Ranked(1, limit(outputs, 1)) for _ in range(outputs)]
        absolute = np.abs(pairs.labels.astype(np.float64) - pairs.predictions.astype(np.float64))
        nothing = np.zeros(len(absolute), np.int64)
        for number, ranked in enumerate(accumulator):
            ranked.add(absolute[:, number], nothing, pairs.weights[:, 0])
        return accumulator

    def merged(self, one: list[Ranked], other: list[Ranked]) -> list[Ranked]:
        """Return the distances of both."""
        return [a.merged(b) for a, b in zip(one, other)] if one and other else one or other

    def compact(self, accumulator: list[Ranked]) -> list[Ranked]:
        """Sort in what waits for it."""
        return [ranked.settle() for ranked in accumulator]


def _median(name: str, kept: list[Ranked]) -> dict[tuple[str, int | None], float]:
    """The middle distance, half-way between two where there is an even number of rows."""
    medians = []
    for ranked in kept:
        below = np.cumsum(ranked.settle().weights[:, 0])
        if not len(below) or not below[-1] > 0:
            return {(name, None): float("nan")}
        at = int(np.searchsorted(below, below[-1] / 2, side="left"))
        after = int(np.searchsorted(below, below[-1] / 2, side="right"))
        medians.append((ranked.values[at] + ranked.values[min(after, len(below) - 1)]) / 2)
    return {(name, None): float(np.mean(medians)) if medians else float("nan")}


class RegressionScore(metric_types.Metric):
    """An error of regression; of several outputs the mean.

    Args:
        name: Of the metric.
        score: One of `REGRESSION`; a residual is label minus prediction.
    """

    def __init__(self, name: str = "", score: str = REGRESSION[0]) -> None:
        if score not in REGRESSION:
            raise ValueError(f"score is {score!r}, and may be one of {REGRESSION}")
        super().__init__(metric_util.merge_per_key_computations(_regression), name=name or score, score=score)


def _regression(
    name: str,
    score: str,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    asked = Asked(eval_config, model_name, output_name, example_weighted)
    if score == MEDIAN:
        return computations(Distances(asked), name, functools.partial(_median, name))
    return computations(Errors(asked), name, functools.partial(_error, name, score))


class Losses(OwnCombiner):
    """Sums the losses of probabilities: [weight, logarithmic, squared]."""

    def __init__(self, asked: Asked, kind: str) -> None:
        super().__init__(asked, f"losses_{kind}")
        self.kind = kind

    def create_accumulator(self) -> _Array:
        """Of no rows."""
        return np.zeros(3)

    def accepts(self, pairs: Pairs) -> bool:
        """Whether predictions are probabilities, and labels 0 and 1 or numbers of classes."""
        labels, predictions = pairs.labels, pairs.predictions
        if predictions.dtype.kind != "f" or ((predictions < 0) | (predictions > 1)).any():
            return False
        if labels.shape == predictions.shape:
            return bool(np.isin(labels, (0, 1)).all())
        return labels.shape[1] == 1 and bool(((labels >= 0) & (labels < predictions.shape[1])).all())

    def add_pairs(self, accumulator: _Array, pairs: Pairs) -> _Array:
        """Add rows."""
        # scikit-learn's bound of a probability, which keeps the loss of a wrong certainty finite.
        least = np.finfo(pairs.predictions.dtype).eps
        predictions = pairs.predictions.astype(np.float64)
        labels, outputs = pairs.labels, predictions.shape[1]
        if labels.shape[1] != outputs:
            labels = np.eye(outputs)[labels[:, 0].astype(np.int64)]
        bounded = np.clip(predictions, least, 1 - least)
        if self.kind == CLASSES:
            logarithmic = -(labels * np.log(bounded / bounded.sum(axis=1, keepdims=True))).sum(axis=1)
            squared = np.square(predictions - labels).sum(axis=1)
        else:
            losses = -labels * np.log(bounded) - (1 - labels) * np.log1p(-bounded)
            logarithmic, squared = losses.mean(axis=1), np.square(predictions - labels).mean(axis=1)
        weights = pairs.weights[:, 0].astype(np.float64)
        found: _Array = accumulator + np.array([weights.sum(), weights @ logarithmic, weights @ squared])
        return found

    def merged(self, one: _Array, other: _Array) -> _Array:
        """Return the sums of both."""
        return one + other


def _loss(name: str, score: str, sums: _Array) -> dict[tuple[str, int | None], float]:
    total, logarithmic, squared = sums.tolist()
    value = logarithmic if score == PROBABILITIES[0] else squared
    return {(name, None): value / total if total else float("nan")}


class ProbabilityScore(metric_types.Metric):
    """A loss of probabilities: logarithmic, or squared.

    Args:
        name: Of the metric.
        score: `"log_loss"` or `"brier_score"`; the latter of several classes is the sum over them (Brier, 1950).
        kind: `"binary"`, `"multi-class"`, or `"multi-label"`: the mean over the labels.
    """

    def __init__(self, name: str = "", score: str = PROBABILITIES[0], kind: str = BINARY) -> None:
        for given, known, what in ((score, PROBABILITIES, "score"), (kind, KINDS, "kind")):
            if given not in known:
                raise ValueError(f"{what} is {given!r}, and may be one of {known}")
        super().__init__(
            metric_util.merge_per_key_computations(_probability), name=name or score, score=score, kind=kind
        )


def _probability(
    name: str,
    score: str,
    kind: str,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    combiner = Losses(Asked(eval_config, model_name, output_name, example_weighted), kind)
    return computations(combiner, name, functools.partial(_loss, name, score))


metric_types.register_metric(RegressionScore)
metric_types.register_metric(ProbabilityScore)
