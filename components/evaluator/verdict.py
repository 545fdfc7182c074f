"""What each threshold said, and `verdict.json`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from headrace.components.evaluator.outcome import Metrics
from headrace.components.evaluator.tfma_internals import metric_specs, model_util, slicer_lib
from headrace.files import create_text
from headrace.formats import tensorflow_paths

VERDICT_FILE = "verdict.json"
NO_BASELINE = "not checked: there is no baseline model yet"
_NO_ROW = "has a threshold, but no row"


@dataclass(frozen=True)
class ThresholdResult:
    """One bound of one metric in one slice.

    Attributes:
        metric: Name, with output, class and weighting where it has them, such as `auc (class 2)`.
        slice: `"Overall"` or `"feature:value"`.
        kind: `"value"`, `"absolute change"` or `"relative change"`; changes are candidate minus baseline.
        lower_bound: Least that passes; `None` where there is no such bound.
        upper_bound: Most that passes.
        value: The candidate's metric; `None` where it was not computed.
        baseline_value: The baseline's; `None` without a baseline.
        compared: The number held against the bounds: the value, or the change.
        passed: `None` where it was not checked.
        note: Why it was not checked, or could not be.
    """

    metric: str
    slice: str
    kind: str
    lower_bound: float | None = None
    upper_bound: float | None = None
    value: float | None = None
    baseline_value: float | None = None
    compared: float | None = None
    passed: bool | None = None
    note: str = ""

    def __str__(self) -> str:
        where = "" if self.slice == "Overall" else f" in {self.slice}"
        if self.note and self.compared is None:
            bounds = (
                f" {self._bounds()}" if self.lower_bound is not None or self.upper_bound is not None else ""
            )
            change = "" if self.kind == "value" else "change"
            return " ".join(f"{self.metric}{where} {change}{bounds} {self.note}".split())
        if self.kind == "value":
            return f"{self.metric}{where} {format_number(self.compared)} {self._bounds()}"
        kind = "change" if self.kind == "absolute change" else self.kind
        baseline = f"(baseline {format_number(self.baseline_value)})"
        return f"{self.metric}{where} {kind} {format_number(self.compared, sign=True)} {self._bounds()} {baseline}"

    def _bounds(self) -> str:
        is_not = "not " if self.passed is False else ""
        if self.lower_bound is not None and self.upper_bound is not None:
            return f"{is_not}within {format_number(self.lower_bound)} to {format_number(self.upper_bound)}"
        if self.lower_bound is not None:
            return f"{is_not}>= {format_number(self.lower_bound)}"
        return f"{is_not}<= {format_number(self.upper_bound)}"


def format_number(value: float | None, sign: bool = False) -> str:
    """Return a metric with four significant digits, `\"unknown\"` where it could not be computed.

    Args:
        value: The number.
        sign: Whether a positive one has its sign too, as a change.
    """
    if value is None or math.isnan(value):
        return "unknown"
    text = f"{value:+.4g}" if sign else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return "+0" if sign and float(text) == 0 else text


def judge(given: Any, used: Any, folder: str) -> list[ThresholdResult]:
    """Return what each threshold said, as TFMA decided it.

    Args:
        given: The `EvalConfig` as the user wrote it.
        used: The one that was evaluated; it lacks change thresholds where there is no baseline.
        folder: Of the evaluation.
    """
    metrics = Metrics.read(folder)
    validation = tfma.load_validation_result(tensorflow_paths.without_signs(folder))
    baseline = model_util.get_baseline_model_spec(used)
    baseline_name = baseline.name if baseline else None
    failed = dict(_failures(validation))
    results: list[ThresholdResult] = []
    for key, spec, threshold in _thresholds(used):
        if key.model_name == baseline_name:
            continue
        for slice_key in _applicable(spec, metrics):
            identity = (
                slicer_lib.stringify_slice_key(slice_key),
                key.to_proto().SerializeToString(deterministic=True),
                threshold.SerializeToString(deterministic=True),
            )
            passed = failed.pop(identity, None) is None
            results += _result(metrics, slice_key, key, threshold, baseline_name, passed)
    # What TFMA failed beyond that, such as a metric that a small slice was not given.
    results += [failed[identity] for identity in sorted(failed)]
    for spec in [*validation.missing_slices, *validation.missing_cross_slices]:
        results.append(ThresholdResult("", _spec_text(spec), "value", passed=False, note=_NO_ROW))
    if baseline_name is None:
        results += _unchecked(given)
    return results


def _failures(validation: Any) -> Iterator[tuple[tuple[str, bytes, bytes], ThresholdResult]]:
    """What TFMA failed, by slice, metric and threshold."""
    for part in validation.metric_validations_per_slice:
        if part.HasField("cross_slice_key"):
            sides = slicer_lib.deserialize_cross_slice_key(part.cross_slice_key)
            place = " against ".join(slicer_lib.stringify_slice_key(side) for side in reversed(sides))
        else:
            place = slicer_lib.stringify_slice_key(slicer_lib.deserialize_slice_key(part.slice_key))
        for failure in part.failures:
            is_change = failure.metric_threshold.HasField("change_threshold")
            identity = (
                place,
                failure.metric_key.SerializeToString(deterministic=True),
                _threshold_bytes(failure.metric_threshold),
            )
            yield (
                identity,
                ThresholdResult(
                    failure.metric_key.name,
                    place,
                    "absolute change" if is_change else "value",
                    value=failure.metric_value.double_value.value
                    if failure.HasField("metric_value")
                    else None,
                    passed=False,
                    note=" ".join(failure.message.split()).rstrip(".").lower() or "failed",
                ),
            )


def _unchecked(given: Any) -> Iterator[ThresholdResult]:
    """Change thresholds that wait for a baseline."""
    for key, spec, threshold in _thresholds(given):
        if isinstance(threshold, config_pb2.GenericChangeThreshold):
            for kind, (lower, upper) in _change_bounds(threshold):
                yield ThresholdResult(
                    _metric_text(key), _spec_text(spec), f"{kind} change", lower, upper, note=NO_BASELINE
                )


def _thresholds(eval_config: Any) -> Iterator[tuple[Any, Any, Any]]:
    found = metric_specs.metric_thresholds_from_metrics_specs(
        eval_config.metrics_specs, eval_config=eval_config
    )
    for key, items in found.items():
        for spec, threshold in items:
            # TFMA's own file holds the outcome for comparisons between slices.
            if not isinstance(spec, config_pb2.CrossSlicingSpec):
                yield key, spec, threshold


def _applicable(spec: Any, metrics: Metrics) -> list[Any]:
    """Slices that a threshold holds for; without a spec, all of them."""
    keys = sorted(metrics.by_slice, key=lambda key: (len(key), slicer_lib.stringify_slice_key(key)))
    if spec is None:
        return keys
    single = slicer_lib.SingleSliceSpec(spec=spec)
    return [key for key in keys if single.is_slice_applicable(key)]


def _result(
    metrics: Metrics, slice_key: Any, key: Any, threshold: Any, baseline_name: str | None, passed: bool
) -> Iterator[ThresholdResult]:
    candidate = key._replace(is_diff=False)
    value = metrics.value(slice_key, candidate)
    base = metrics.value(slice_key, candidate.make_baseline_key(baseline_name)) if baseline_name else None
    name, place = _metric_text(key), slicer_lib.stringify_slice_key(slice_key)
    note = "" if value is not None else "was not computed"
    if isinstance(threshold, config_pb2.GenericValueThreshold):
        lower = threshold.lower_bound.value if threshold.HasField("lower_bound") else None
        upper = threshold.upper_bound.value if threshold.HasField("upper_bound") else None
        yield ThresholdResult(name, place, "value", lower, upper, value, base, value, passed, note)
        return
    change = metrics.value(slice_key, key)
    for kind, (lower, upper) in _change_bounds(threshold):
        compared = change
        if kind == "relative" and change is not None:
            compared = change / base if base is not None and not math.isclose(base, 0.0) else math.nan
        # TFMA fails both bounds of a threshold together; say which of them it was.
        holds = (
            compared is not None
            and (lower is None or compared >= lower)
            and (upper is None or compared <= upper)
        )
        yield ThresholdResult(
            name, place, f"{kind} change", lower, upper, value, base, compared, passed or holds, note
        )


def _change_bounds(threshold: Any) -> Iterator[tuple[str, tuple[float | None, float | None]]]:
    for kind in ("absolute", "relative"):
        if threshold.HasField(kind):
            bound = getattr(threshold, kind).value
            is_upper = threshold.direction == config_pb2.MetricDirection.LOWER_IS_BETTER
            yield kind, ((None, bound) if is_upper else (bound, None))


def _threshold_bytes(threshold: Any) -> bytes:
    kind = "change_threshold" if threshold.HasField("change_threshold") else "value_threshold"
    return bytes(getattr(threshold, kind).SerializeToString(deterministic=True))


def _spec_text(spec: Any) -> str:
    if spec is None or not spec.ByteSize():
        return "Overall"
    if isinstance(spec, config_pb2.CrossSlicingSpec):
        return " against ".join(_spec_text(side) for side in (*spec.slicing_specs, spec.baseline_spec))
    return ", ".join(
        [*spec.feature_keys, *(f"{key}:{value}" for key, value in sorted(spec.feature_values.items()))]
    )


def _metric_text(key: Any) -> str:
    details = [key.output_name] if key.output_name else []
    if key.sub_key is not None:
        parts = (("class_id", "class"), ("k", "k"), ("top_k", "top"))
        details += [
            f"{text} {getattr(key.sub_key, field)}"
            for field, text in parts
            if getattr(key.sub_key, field) is not None
        ]
    if key.example_weighted:
        details.append("weighted")
    return f"{key.name} ({', '.join(details)})" if details else str(key.name)


def write(results: Sequence[ThresholdResult], is_blessed: bool | None, folder: str) -> None:
    """Write `verdict.json`: `{"blessed": true, "thresholds": [...]}`; null where nothing was validated."""
    content = {"blessed": is_blessed, "thresholds": [_plain(result) for result in results]}
    with create_text(os.path.join(folder, VERDICT_FILE)) as file:
        json.dump(content, file, indent=2)
        file.write("\n")


def _plain(result: ThresholdResult) -> dict[str, Any]:
    # NaN is no JSON; it stands for a number that could not be computed.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(result).items()
    }
