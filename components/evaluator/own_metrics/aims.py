"""Aims of a threshold: what it must reach, and what is to be best among the thresholds that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
