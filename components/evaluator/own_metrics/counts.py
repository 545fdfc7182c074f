"""Precision, recall and their kin of classes, of two classes, and of labels of which a row may have several.

The class of a row is that of the highest score; of one score, 1 where it is above the threshold. TFMA's metrics of
these names compare each score with a threshold, also where there are several classes. Formulas and averages are those of
scikit-learn ("Metrics and scoring: classification metrics"), and so are the names of averages.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator import classes
from headrace.components.evaluator.own_metrics.combiner import Asked, OwnCombiner, computations
from headrace.components.evaluator.pairs import Pairs
from headrace.components.evaluator.tfma_internals import metric_types, metric_util

BINARY, CLASSES, LABELS = "binary", "multi-class", "multi-label"
KINDS = (BINARY, CLASSES, LABELS)
AVERAGES = ("", "macro", "micro", "weighted")

_Array: TypeAlias = NDArray[np.float64]


class Counts(OwnCombiner):
    """Counts rows by their class and the one that is predicted, or by each of their labels.

    The accumulator has shape (classes, classes): [actual, predicted]; for labels (labels + 1, 2, 2), where the last one
    counts rows: [0, 1] those whose labels are all right, [0, 0] all.
    """

    def __init__(self, asked: Asked, kind: str, threshold: float) -> None:
        super().__init__(asked, f"counts_{kind}_{threshold:g}")
        self.kind = kind
        self.threshold = threshold

    def create_accumulator(self) -> _Array:
        """Of no rows."""
        return np.zeros((1, 2, 2) if self.kind == LABELS else (2, 2))

    def accepts(self, pairs: Pairs) -> bool:
        """Whether labels are numbers of classes or one for each, and predictions classes or scores."""
        labels, outputs = pairs.labels.shape[1], pairs.predictions.shape[1]
        if self.kind == CLASSES and outputs > 1:
            return labels == outputs or bool(((pairs.labels >= 0) & (pairs.labels < outputs)).all())
        if self.kind == LABELS or outputs != labels:
            return labels == outputs and bool(np.isin(pairs.labels, (0, 1)).all())
        if self.kind == BINARY:
            return outputs == 1 and bool(np.isin(pairs.labels, (0, 1)).all())
        return bool(all(_are_classes(values) for values in (pairs.labels, pairs.predictions)))

    def add_pairs(self, accumulator: _Array, pairs: Pairs) -> _Array:
        """Add rows."""
        weights = pairs.weights[:, 0].astype(np.float64)
        if self.kind == LABELS:
            return self.merged(accumulator, _by_label(pairs, weights, self.threshold))
        if self.kind == BINARY:
            actual, predicted = pairs.labels[:, 0], pairs.predictions[:, 0] > self.threshold
        else:
            actual, predicted = (_class_of(values) for values in (pairs.labels, pairs.predictions))
        actual, predicted = actual.astype(np.int64), predicted.astype(np.int64)
        size = int(
            max(2, pairs.predictions.shape[1], actual.max(initial=0) + 1, predicted.max(initial=0) + 1)
        )
        found = np.bincount(actual * size + predicted, weights, size * size).reshape(size, size)
        return self.merged(accumulator, found)

    def merged(self, one: _Array, other: _Array) -> _Array:
        """Return the sums; a class that one of them has not met has zeros there."""
        if self.kind == LABELS:
            return one + other if len(one) == len(other) else max(one, other, key=len)
        size = max(len(one), len(other))
        result = np.zeros((size, size))
        for part in (one, other):
            result[: len(part), : len(part)] += part
        return result


def _are_classes(values: NDArray[Any]) -> bool:
    return bool(((values >= 0) & (values < classes.MAX_CLASSES) & (values == np.floor(values))).all())


def _class_of(values: NDArray[Any]) -> NDArray[Any]:
    return values.argmax(axis=1) if values.shape[1] > 1 else values[:, 0]


def _by_label(pairs: Pairs, weights: _Array, threshold: float) -> _Array:
    actual, predicted = pairs.labels > 0.5, pairs.predictions > threshold
    found = np.zeros((actual.shape[1] + 1, 2, 2))
    for at, (is_label, is_predicted) in enumerate((a, p) for a in (0, 1) for p in (0, 1)):
        rows = (actual == is_label) & (predicted == is_predicted)
        found[:-1, at // 2, at % 2] = weights @ rows
    found[-1, 0, 0] = weights.sum()
    found[-1, 0, 1] = weights @ (actual == predicted).all(axis=1)
    return found


def _by_class(counts: _Array) -> tuple[_Array, _Array, _Array, _Array]:
    """True positives, false positives, false negatives and true negatives of each class or label."""
    if counts.ndim == 3:
        return counts[:-1, 1, 1], counts[:-1, 0, 1], counts[:-1, 1, 0], counts[:-1, 0, 0]
    right, total = np.diag(counts), counts.sum()
    false_positives, false_negatives = counts.sum(axis=0) - right, counts.sum(axis=1) - right
    return right, false_positives, false_negatives, total - right - false_positives - false_negatives


def _share(part: Any, rest: Any) -> Any:
    """`part` of `part` and `rest`; 0 where there is neither, as scikit-learn has it."""
    total = np.asarray(part + rest, np.float64)
    return np.divide(part, total, out=np.zeros_like(total), where=total != 0)


# Of true positives, false positives, false negatives and true negatives.
_OF_CLASS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "precision": lambda tp, fp, fn, tn: _share(tp, fp),
    "recall": lambda tp, fp, fn, tn: _share(tp, fn),
    "specificity": lambda tp, fp, fn, tn: _share(tn, fp),
    "npv": lambda tp, fp, fn, tn: _share(tn, fn),
    "f1": lambda tp, fp, fn, tn: _share(2 * tp, fp + fn),
    "jaccard": lambda tp, fp, fn, tn: _share(tp, fp + fn),
    "true_positives": lambda tp, fp, fn, tn: tp,
    "false_positives": lambda tp, fp, fn, tn: fp,
    "false_negatives": lambda tp, fp, fn, tn: fn,
    "true_negatives": lambda tp, fp, fn, tn: tn,
}


def _accuracy(counts: _Array) -> float:
    if counts.ndim == 3:
        return float(_share(counts[-1, 0, 1], counts[-1, 0, 0] - counts[-1, 0, 1]))
    return float(_share(np.trace(counts), counts.sum() - np.trace(counts)))


def _balanced_accuracy(counts: _Array) -> float:
    """Mean recall of the classes that there are."""
    actual = counts.sum(axis=1)
    return float(np.mean(np.diag(counts)[actual > 0] / actual[actual > 0])) if actual.any() else 0.0


def _matthews(counts: _Array) -> float:
    """Gorodkin's coefficient for several classes, 0 where all rows or all predictions are of one class."""
    actual, predicted, total = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    covariance = np.trace(counts) * total - actual @ predicted
    spread = (total**2 - predicted @ predicted) * (total**2 - actual @ actual)
    return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0


def _kappa(counts: _Array) -> float:
    """Cohen's; NaN where chance alone explains all, as scikit-learn has it."""
    total = counts.sum()
    if not total:
        return float("nan")
    expected = counts.sum(axis=1) @ counts.sum(axis=0) / total**2
    agreed = np.trace(counts) / total
    return float((agreed - expected) / (1 - expected)) if expected < 1 else float("nan")


def _hamming(counts: _Array) -> float:
    if counts.ndim == 2:
        return 1 - _accuracy(counts)
    wrong, total = counts[:-1, 0, 1] + counts[:-1, 1, 0], counts[:-1].sum()
    return float(_share(wrong.sum(), total - wrong.sum()))


# Of all classes together: these have no averages.
_OF_ALL: dict[str, Callable[[_Array], float]] = {
    "accuracy": _accuracy,
    "subset_accuracy": _accuracy,
    "hamming_loss": _hamming,
    "balanced_accuracy": _balanced_accuracy,
    "mcc": _matthews,
    "cohen_kappa": _kappa,
}
SCORES = (*_OF_CLASS, *_OF_ALL)
_NOT_OF_LABELS = ("balanced_accuracy", "mcc", "cohen_kappa")


def score(
    name: str, measure: str, average: str, kind: str, counts: _Array
) -> dict[tuple[str, int | None], float]:
    """Return a measure by name and class.

    Args:
        name: Of the metric.
        measure: One of `SCORES`.
        average: One of `AVERAGES`; without one there is a value for each class, or that of class 1 of two.
        kind: One of `KINDS`.
        counts: See `Counts`.
    """
    if measure in _OF_ALL:
        return {(name, None): _OF_ALL[measure](counts)}
    formula, parts = _OF_CLASS[measure], _by_class(counts)
    if average == "micro":
        return {(name, None): float(formula(*(np.array([part.sum()]) for part in parts))[0])}
    values = np.asarray(formula(*parts), np.float64)
    if average == "macro":
        # As scikit-learn: classes that neither labels nor predictions have count for nothing.
        is_met = (parts[0] + parts[1] + parts[2] > 0) | (kind == LABELS)
        return {(name, None): float(values[is_met].mean()) if is_met.any() else 0.0}
    if average == "weighted":
        support = parts[0] + parts[2]
        return {(name, None): float(values @ support / support.sum()) if support.any() else 0.0}
    if kind == BINARY:
        return {(name, None): float(values[1])}
    return {(name, number): float(value) for number, value in enumerate(values)}


class ClassificationScore(metric_types.Metric):
    """A measure of predicted classes, equal to scikit-learn's.

    Args:
        name: Of the metric.
        score: One of `SCORES`.
        kind: `"binary"`, `"multi-class"`, or `"multi-label"` where a row may have several.
        average: `"macro"`, `"micro"` or `"weighted"`; empty for a value of each class, or of class 1 of two.
        threshold: Of a single score, or of each label's: above it, it is predicted.
    """

    def __init__(
        self,
        name: str = "",
        score: str = "accuracy",
        kind: str = BINARY,
        average: str = "",
        threshold: float = 0.5,
    ) -> None:
        for given, known, what in (
            (score, SCORES, "score"),
            (kind, KINDS, "kind"),
            (average, AVERAGES, "average"),
        ):
            if given not in known:
                raise ValueError(f"{what} is {given!r}, and may be one of {known}")
        if kind == LABELS and score in _NOT_OF_LABELS:
            raise ValueError(f"{score} is of classes that exclude each other, not of labels")
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name or "_".join(filter(None, (score, average))),
            score=score,
            kind=kind,
            average=average,
            threshold=threshold,
        )


def _computations(
    name: str,
    score: str,
    kind: str,
    average: str,
    threshold: float,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    combiner = Counts(Asked(eval_config, model_name, output_name, example_weighted), kind, threshold)
    return computations(combiner, name, functools.partial(_scored, name, score, average, kind))


def _scored(
    name: str, measure: str, average: str, kind: str, counts: _Array
) -> dict[tuple[str, int | None], float]:
    return score(name, measure, average, kind, counts)


metric_types.register_metric(ClassificationScore)
