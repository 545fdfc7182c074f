"""Which of several models is the best: plain arithmetic on what their evaluations say."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headrace.components.model_selector.component import FIRST, SMALLEST
from headrace.errors import DataError, DefinitionError, did_you_mean, listed
from headrace.formats.evaluations.metrics import OVERALL, Metric
from headrace.formats.selections import Candidate, Selection
from headrace.training.objectives import direction

_COUNT = "example_count"


@dataclass(frozen=True)
class Asked:
    """What a ModelSelector is to choose by.

    Attributes:
        by: A metric, as evaluations or TFMA's configuration call it.
        slice_name: The slice; `None` for all rows.
        better: `"largest"` or `"smallest"`; `None` to go by the metric's name.
        tie: `"smallest"` or `"first"`; `None` for the former.
        node_id: For messages.
    """

    by: str
    slice_name: str | None = None
    better: str | None = None
    tie: str | None = None
    node_id: str = "ModelSelector"


def choose(
    asked: Asked, candidates: Mapping[str, Candidate], evaluated: Mapping[str, Sequence[Metric]]
) -> Selection:
    """Return what is chosen.

    Args:
        asked: By what.
        candidates: In the order in which they were given; their metrics are not looked at.
        evaluated: The metrics of each.

    Raises:
        DefinitionError: If there is no such slice or metric in any evaluation.
        DataError: If the metric is NaN in all that have it.
    """
    slice_name = asked.slice_name or OVERALL
    in_slice = {name: _of_slice(metrics, slice_name) for name, metrics in evaluated.items()}
    if not any(in_slice.values()):
        known = list(dict.fromkeys(one.slice_name for several in evaluated.values() for one in several))
        raise DefinitionError(
            f"{asked.node_id}: no evaluation has the slice '{slice_name}'. There are {listed(known[:20])}.",
            f"{did_you_mean(slice_name, known)}Correct slice, or add it to the Evaluators' slices.",
        )
    metric = _named(asked, in_slice)
    is_lower_better = asked.better == SMALLEST if asked.better else direction(metric) == "min"
    filled = [
        dataclasses.replace(one, value=_finite(in_slice[name].get(metric)), metrics=in_slice[name])
        for name, one in candidates.items()
    ]
    if all(one.value is None for one in filled):
        raise DataError(
            f"{asked.node_id}: '{metric}' is NaN in every evaluation: no model is the best.",
            "look at the evaluations: too few rows, or rows of one class, give no value.",
        )
    order = sorted(range(len(filled)), key=lambda place: _rank(asked, filled[place], place, is_lower_better))
    ranked = [filled[place] for place in order]
    return Selection(
        chosen=ranked[0].name,
        reason=_reason(asked, ranked, is_lower_better),
        metric=metric,
        slice_name=slice_name,
        is_lower_better=is_lower_better,
        candidates=ranked,
        remarks=_remarks(ranked, metric),
    )


def _of_slice(metrics: Sequence[Metric], slice_name: str) -> dict[str, float]:
    return {
        one.name: one.value
        for one in metrics
        if one.slice_name == slice_name and not one.is_baseline and not one.is_difference
    }


def _named(asked: Asked, in_slice: Mapping[str, Mapping[str, float]]) -> str:
    """The metric as the evaluations call it."""
    known = list(dict.fromkeys(name for metrics in in_slice.values() for name in metrics))
    found = next((name for name in known if name == asked.by), None)
    found = found or next((name for name in known if _plain(name) == _plain(asked.by)), None)
    if found is None:
        raise DefinitionError(
            f"{asked.node_id}: by is '{asked.by}', and no evaluation has this metric. There are "
            f"{listed(sorted(known)[:30])}.",
            f"{did_you_mean(asked.by, known)}Correct by, or add the metric to the Evaluators.",
        )
    return found


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _rank(asked: Asked, one: Candidate, place: int, is_lower_better: bool) -> tuple[float, ...]:
    """What is refused comes after what is not, of these what has no value, and of equals the smaller or the first."""
    value = math.inf if one.value is None else one.value if is_lower_better else -one.value
    size = 0 if asked.tie == FIRST else one.num_bytes
    return (one.is_blessed is False, one.value is None, value, size, place)


def _reason(asked: Asked, ranked: Sequence[Candidate], is_lower_better: bool) -> str:
    best = ranked[0]
    refused = [one.name for one in ranked if one.is_blessed is False]
    if best.value is None:
        return f"the others were refused ({', '.join(refused)}); it has no value"
    word = "smallest" if is_lower_better else "largest"
    reason = f"it has the {word} value"
    equal = [one for one in ranked[1:] if one.value == best.value and one.is_blessed == best.is_blessed]
    if equal:
        how = "the first" if asked.tie == FIRST else "the one with the fewest bytes"
        reason = f"it is {how} of {len(equal) + 1} with the {word} value"
    if len(refused) == len(ranked):
        return f"{reason}; none was blessed"
    return f"{reason} of those that were not refused ({', '.join(refused)})" if refused else reason


def _remarks(ranked: Sequence[Candidate], metric: str) -> list[str]:
    remarks = [f"{one.name} has no {metric} in this slice" for one in ranked if one.value is None]
    counts = {one.name: one.metrics[_COUNT] for one in ranked if _COUNT in one.metrics}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count:,.0f}" for name, count in counts.items())
        remarks.append(f"the evaluations are of different rows ({told})")
    return remarks
