"""What may be said of drift when an ExampleValidator is declared. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.authoring import BaseChannel, previous_span_of
from headrace.errors import DefinitionError, did_you_mean, listed

PREVIOUS = "previous"
MEASURES = ("ks", "bins", "tfdv")

# What is worth looking at: a tenth of the rows elsewhere; of a divergence, which grows with the square, a hundredth.
_DEFAULT_THRESHOLDS = {"ks": 0.1, "bins": 0.01, "tfdv": 0.1}


@dataclass(frozen=True)
class DriftSettings:
    """How drift is to be measured.

    Attributes:
        measure: One of `MEASURES`.
        thresholds: By feature; one number for all.
    """

    measure: str
    thresholds: float | Mapping[str, float]

    def threshold(self, feature: str) -> float | None:
        """Return the threshold of a feature; `None` where it is not to be measured."""
        if isinstance(self.thresholds, Mapping):
            return self.thresholds.get(feature)
        return self.thresholds


def parameters(
    baseline: str | None,
    drift: float | Mapping[str, float] | None,
    drift_measure: str | None,
    *,
    has_channel: bool,
    where: str,
) -> dict[str, str]:
    """Return the parameters to record: those that were given and no others.

    Args:
        baseline, drift, drift_measure: See `ExampleValidator`.
        has_channel: Whether `baseline_statistics` is given.
        where: Begins the messages.

    Raises:
        DefinitionError: If one has a value that it cannot have, or they contradict each other.
    """
    if baseline is not None:
        _check_baseline(baseline, where, has_channel=has_channel)
    elif (drift is not None or drift_measure is not None) and not has_channel:
        given = "drift" if drift is not None else "drift_measure"
        raise DefinitionError(
            f"{where}: {given} is given, and nothing to compare with.",
            "add baseline='previous', or baseline_statistics=...",
        )
    found = {"baseline": baseline, "drift_measure": drift_measure}
    if drift_measure is not None and drift_measure not in MEASURES:
        raise DefinitionError(
            f"{where}: drift_measure is {drift_measure!r}. It can be {listed(MEASURES)}.",
            f"{did_you_mean(str(drift_measure), MEASURES)}Leave it out for 'ks'.",
        )
    if drift is not None:
        _check_thresholds(drift, where)
        value = dict(drift) if isinstance(drift, Mapping) else drift
        found["drift"] = json.dumps(value, sort_keys=True)
    return {name: text for name, text in found.items() if text is not None}


def _check_baseline(baseline: Any, where: str, *, has_channel: bool) -> None:
    if baseline != PREVIOUS:
        raise DefinitionError(
            f"{where}: baseline is {baseline!r}. It can be '{PREVIOUS}': the newest span before the one at hand.",
            f"write baseline='{PREVIOUS}'; other statistics are given by baseline_statistics, a split by baseline_split.",
        )
    if has_channel:
        raise DefinitionError(
            f"{where}: baseline and baseline_statistics are both given.", "give one of them."
        )


def _check_thresholds(drift: Any, where: str) -> None:
    named = drift.items() if isinstance(drift, Mapping) else [("", drift)]
    for name, value in named:
        of = f"drift of {name!r}" if name else "drift"
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= 1 or (name and not isinstance(name, str)):
            raise DefinitionError(
                f"{where}: {of} is {value!r}. It is a distance between 0 and 1.",
                "give a number such as 0.1 for all features, or one for each: {'alcohol': 0.2}.",
            )


def channel(baseline: str | None, statistics: BaseChannel) -> BaseChannel | None:
    """Return the channel of the baseline; `None` where it is not looked up.

    Raises:
        DefinitionError: If `statistics` are of no node whose earlier ones could be found.
    """
    return previous_span_of(statistics) if baseline == PREVIOUS else None


def read(baseline: str | None, drift: Any, drift_measure: str | None, *, where: str) -> DriftSettings | None:
    """Return what an execution recorded; `None` where nothing was asked for.

    Args:
        baseline, drift_measure: As they were recorded.
        drift: The value out of its JSON; `None` where there is none.
        where: Begins the messages.

    Raises:
        DefinitionError: If a value is one that it cannot have.
    """
    if baseline is None and drift is None and drift_measure is None:
        return None
    parameters(baseline, drift, drift_measure, has_channel=baseline is None, where=where)
    measure = drift_measure or "ks"
    return DriftSettings(measure, _DEFAULT_THRESHOLDS[measure] if drift is None else drift)
