"""Verdict and metrics in one line each, as the table of a run shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.components.evaluator.outcome import Metrics
from headrace.components.evaluator.own_metrics import aims
from headrace.components.evaluator.verdict import ThresholdResult, format_number
from headrace.formats.decisions import Decisions
from headrace.formats.evaluations import files
from headrace.formats.verdicts import VERDICT_FILE

_SHOWN_METRICS = 4
_SHOWN_THRESHOLDS = 4
_COUNTS = ("example_count", "weighted_example_count")


def blessing_line(results: Sequence[ThresholdResult], is_blessed: bool | None) -> str:
    """Return the verdict as one line, with what failed or was not checked before what passed."""
    if is_blessed is None:
        unchecked = [str(result) for result in results if result.passed is None]
        return "; ".join(["NOT VALIDATED: no threshold was given", *unchecked][:_SHOWN_THRESHOLDS])
    if is_blessed:
        return "BLESSED: " + "; ".join(_blessed_because(results))
    lines = list(dict.fromkeys(_failure_or_pass(result) for result in results if not result.passed))
    more = len(lines) - _SHOWN_THRESHOLDS
    if more > 0:
        lines = [*lines[:_SHOWN_THRESHOLDS], f"and {more} more in {VERDICT_FILE}"]
    return "NOT BLESSED: " + "; ".join(lines)


def _blessed_because(results: Sequence[ThresholdResult]) -> list[str]:
    """What was not checked and what holds overall, in words; the slices as a number."""
    overall = [result for result in results if result.slice == "Overall" or result.passed is None]
    lines = list(dict.fromkeys(str(r) for r in sorted(overall, key=lambda r: r.passed is not None)))
    slices = {result.slice for result in results if result.passed and result.slice != "Overall"}
    if slices:
        lines.append(f"and so in {len(slices)} slice{'' if len(slices) == 1 else 's'} ({VERDICT_FILE})")
    return lines


def _failure_or_pass(result: ThresholdResult) -> str:
    if not result.metric:
        return f"slice {result.slice} {result.note}"
    return str(result)


_PARTS = (("class_id", "class"), ("k", "k"), ("top_k", "top"))


def _place(proto: Any, kinds: Mapping[str, int]) -> tuple[Any, ...]:
    """Where a metric stands: by kind, classes by their number."""
    numbers = [
        getattr(proto.sub_key, field).value if proto.sub_key.HasField(field) else -1 for field, _ in _PARTS
    ]
    return kinds[proto.name], proto.output_name, *numbers


def _name(proto: Any, class_names: Sequence[str]) -> str:
    """A metric with its output and class, where it has them."""
    details = [proto.output_name] if proto.output_name else []
    for field, word in _PARTS:
        if proto.sub_key.HasField(field):
            number = getattr(proto.sub_key, field).value
            is_named = field == "class_id" and 0 <= number < len(class_names)
            details.append(f"{word} {class_names[number] if is_named else number}")
    return f"{proto.name} ({', '.join(details)})" if details else str(proto.name)


def _chosen(chosen: Decisions) -> list[str]:
    """What was chosen, in words; of several classes how many have a threshold."""
    found = [one for one in chosen.decisions if one.threshold is not None]
    if len(chosen.decisions) == 1 and found:
        return [f"threshold {format_number(found[0].threshold)}"]
    if not found:
        return [f"no threshold has {chosen.aim_text}"]
    return [f"thresholds of {len(found)} of {len(chosen.decisions)} classes"]


def evaluation_line(
    folder: str, num_rows: int | None, baseline_name: str | None, chosen: Decisions | None = None
) -> str:
    """Return the candidate's overall metrics, and the threshold that was chosen, as one line."""
    metrics = Metrics.read(folder)
    overall = metrics.by_slice.get((), {})
    names: dict[str, float] = {}
    class_names = files.read_class_names(folder)
    # Those that the configuration names come first, in its order.
    named = [*files.read_metric_names(folder), *(metrics.keys[key].name for key in overall)]
    kinds = {name: at for at, name in enumerate(dict.fromkeys(named))}
    for key, value in sorted(overall.items(), key=lambda item: _place(metrics.keys[item[0]], kinds)):
        proto = metrics.keys[key]
        if not proto.is_diff and (not baseline_name or proto.model_name != baseline_name):
            names.setdefault(_name(proto, class_names), value)
    shown = [
        f"{name} {format_number(value)}"
        for name, value in names.items()
        if name not in _COUNTS and not name.startswith(aims.NAME)
    ]
    more = len(shown) - _SHOWN_METRICS
    if more > 0:
        shown = [*shown[:_SHOWN_METRICS], f"{more} more metrics"]
    shown += _chosen(chosen) if chosen is not None else []
    rows = num_rows if num_rows is not None else names.get("example_count")
    counts = [f"{rows:,.0f} examples"] if rows is not None else []
    counts.append(f"{len(metrics.by_slice):,} slice" + ("" if len(metrics.by_slice) == 1 else "s"))
    return f"{', '.join(shown) or 'no metrics'} ({', '.join(counts)})"
