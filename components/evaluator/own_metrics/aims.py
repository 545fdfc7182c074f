"""Aims of a threshold: what it must reach, and what is to be best among the thresholds that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DefinitionError, did_you_mean, listed

NAME = "chosen_threshold"
THRESHOLD = "threshold"
BEST = "best"
USUAL = {BEST: "f1"}
MEASURES = (
    "precision",
    "recall",
    "f1",
    "specificity",
    "npv",
    "accuracy",
    "balanced_accuracy",
    "mcc",
)
# What may be aimed at, as people call it.
_OTHER_NAMES = {
    "sensitivity": "recall",
    "tpr": "recall",
    "tnr": "specificity",
    "ppv": "precision",
    "fscore": "f1",
}

_Array: TypeAlias = NDArray[np.float64]


def check(aim: Any, where: str) -> dict[str, Any]:
    """Return an aim with the names of measures as they are written here.

    Args:
        aim: `{"recall": 0.9, "best": "precision"}`: measures with the least value each must have, and under `best` the
            measure that is to be highest, F1 where it is left out; a text alone is what is to be best.
        where: Node and parameter, for the message.

    Raises:
        DefinitionError: If a measure is unknown, or a bound is not between 0 and 1.
    """
    if isinstance(aim, str):
        aim = {BEST: aim}
    if not isinstance(aim, Mapping) or not aim:
        raise DefinitionError(
            f"{where} is {aim!r}.", 'give an aim, such as {"recall": 0.9, "best": "precision"} or "F1".'
        )
    found: dict[str, Any] = {}
    for name, bound in aim.items():
        if name == BEST:
            found[BEST] = _measure(bound, where)
            continue
        least = -1 if _measure(name, where) == "mcc" else 0
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not least <= bound <= 1:
            raise DefinitionError(
                f"{where}: {name} is to be at least {bound!r}, and can be {least} to 1.", "correct the bound."
            )
        found[_measure(name, where)] = float(bound)
    return {**USUAL, **found}


def _measure(name: Any, where: str) -> str:
    plain = str(name).lower().replace("-", "_").replace(" ", "_")
    plain = _OTHER_NAMES.get(plain.replace("_", ""), plain)
    if plain not in MEASURES:
        raise DefinitionError(
            f"{where}: there is no measure {name!r} of a threshold. There are {listed(MEASURES)}.",
            f"{did_you_mean(plain, MEASURES)}Correct it.",
        )
    return plain


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
