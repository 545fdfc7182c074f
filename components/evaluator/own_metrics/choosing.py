"""Which threshold reaches an aim; see `aims`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator.own_metrics.aims import BEST, MEASURES, THRESHOLD

_Array: TypeAlias = NDArray[np.float64]


def measures(true: _Array, false: _Array, positive: float, negative: float) -> dict[str, _Array]:
    """Return each of `MEASURES` of numbers of true and false positives among so many rows; 0 where there is none."""
    missed, spared = positive - true, negative - false

    def share(part: Any, whole: Any) -> _Array:
        part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
        return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)

    recall, specificity = share(true, positive), share(spared, negative)
    product = (true + false) * positive * negative * (spared + missed)
    return {
        "precision": share(true, true + false),
        "recall": recall,
        "f1": share(2 * true, 2 * true + false + missed),
        "specificity": specificity,
        "npv": share(spared, spared + missed),
        "accuracy": share(true + spared, positive + negative),
        "balanced_accuracy": (recall + specificity) / 2,
        "mcc": share(true * spared - false * missed, np.sqrt(np.maximum(product, 0))),
    }


def choose(aim: Mapping[str, Any], thresholds: _Array, true: _Array, false: _Array) -> dict[str, float]:
    """Return the threshold that reaches an aim, and each of `MEASURES` there.

    Of thresholds that are equally good the highest is taken.

    Args:
        aim: As `check` returns it.
        thresholds: Ascending.
        true: True positives at each, those above it.
        false: False positives at each.

    Returns:
        The threshold under `THRESHOLD`; NaN, and all measures with it, where none reaches the aim.
    """
    missing = dict.fromkeys((THRESHOLD, *MEASURES), float("nan"))
    if not len(thresholds):
        return missing
    found = measures(true, false, float(true[0]), float(false[0]))
    # Sums of shares such as 0.9 are not exact.
    reaches = np.ones(len(thresholds), bool)
    for name, bound in aim.items():
        if name != BEST:
            reaches &= found[name] >= bound - 1e-12
    if not reaches.any():
        return missing
    best = found[aim[BEST]]
    at = np.flatnonzero(reaches & (best >= best[reaches].max() - 1e-12))[-1]
    return {THRESHOLD: float(thresholds[at]), **{name: float(values[at]) for name, values in found.items()}}
