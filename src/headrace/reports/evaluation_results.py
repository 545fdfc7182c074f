"""TFMA's result files in plain Python, read without TFMA."""

from __future__ import annotations

import glob
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.io import tfrecord
from headrace.io.bare_protos import proto_class

OVERALL = "Overall"
_BASELINE = "baseline"
_ERROR = "__ERROR__"
_BATCH = 1_000


@dataclass(frozen=True)
class Metric:
    """A metric of one slice.

    Attributes:
        slice_name: `"Overall"`, or `"feature:value"` joined by commas.
        name: Metric with its output and class, where it has any, and with the model where there are several
            candidates.
        model: Model name, as the user chose it; empty where there is one model.
        value: Any number, NaN and infinity among them.
        low, high: Confidence interval; `None` where none was computed.
        is_difference: Whether it is candidate minus baseline.
        is_baseline: Whether the model is the one that candidates are compared with.
    """

    slice_name: str
    name: str
    model: str
    value: float
    low: float | None = None
    high: float | None = None
    is_difference: bool = False
    is_baseline: bool = False


@dataclass(frozen=True)
class ThresholdPoint:
    """A binary confusion matrix at a threshold."""

    threshold: float
    tp: float
    fp: float
    tn: float
    fn: float

    @property
    def precision(self) -> float | None:
        """Share of true among predicted positives; `None` where nothing is predicted positive."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float:
        """Share of the positives that are found."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def false_positive_rate(self) -> float:
        """Share of the negatives that are called positive."""
        return self.fp / (self.fp + self.tn) if self.fp + self.tn else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 0.0


@dataclass(frozen=True)
class CalibrationBucket:
    """Predictions of similar size: how many, their mean and the mean of their labels."""

    count: float
    prediction: float
    label: float


@dataclass(frozen=True)
class Plot:
    """Curves of one slice, model and output or class; parts that were not computed are empty.

    Attributes:
        slice_name: As in `Metric`.
        title: Output and class; empty for a model with one.
        model: Model name.
        thresholds: By rising threshold.
        calibration: By rising prediction.
        classes: Actual and predicted class to their number of examples, at the lowest threshold.
    """

    slice_name: str
    title: str
    model: str
    thresholds: tuple[ThresholdPoint, ...] = ()
    calibration: tuple[CalibrationBucket, ...] = ()
    classes: dict[tuple[int, int], float] | None = None


def read_metrics(path: str) -> list[Metric]:
    """Return all metrics that are numbers, the whole data set first."""
    baseline = _baseline_name(path)
    protos = list(_read(path, "metrics", "MetricsForSlice"))
    models = {one.key.model_name for proto in protos for one in proto.metric_keys_and_values}
    has_several = len(models - {"", baseline}) > 1
    found = [
        _metric(_slice_name(proto), one, value, baseline, has_several)
        for proto in protos
        for one in proto.metric_keys_and_values
        if (value := _number(one.value)) is not None
    ]
    return sorted(found, key=lambda metric: metric.slice_name != OVERALL)


def read_errors(path: str) -> list[tuple[str, str]]:
    """Return slice and words of what TFMA could not compute, such as a confidence interval of few rows."""
    return [
        (_slice_name(proto), _text(one.value))
        for proto in _read(path, "metrics", "MetricsForSlice")
        for one in proto.metric_keys_and_values
        if one.key.name == _ERROR
    ]


def _text(value: Any) -> str:
    which = value.WhichOneof("type")
    content = getattr(value, which) if which in ("bytes_value", "debug_message") else b""
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)


def _baseline_name(path: str) -> str:
    """Return the name of the baseline model, which is the user's own choice."""
    try:
        with open(os.path.join(path, "eval_config.json"), encoding="utf-8") as file:
            specs = json.load(file)["evalConfig"]["modelSpecs"]
        return next((str(spec.get("name", "")) for spec in specs if spec.get("isBaseline")), _BASELINE)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return _BASELINE


def read_plots(path: str) -> list[Plot]:
    """Return all curves, those of the whole data set first; confusion matrices that are metrics are among them."""
    found = []
    for proto in _read(path, "plots", "PlotsForSlice"):
        found += [_plot(_slice_name(proto), one) for one in proto.plot_keys_and_values]
    for proto in _read(path, "metrics", "MetricsForSlice"):
        for one in proto.metric_keys_and_values:
            if one.value.WhichOneof("type") in (
                "confusion_matrix_at_thresholds",
                "multi_class_confusion_matrix_at_thresholds",
            ):
                found.append(_plot(_slice_name(proto), one))
    merged: dict[tuple[str, str, str], Plot] = {}
    for plot in found:
        key = plot.slice_name, plot.title, plot.model
        merged[key] = _merge(merged[key], plot) if key in merged else plot
    return sorted(merged.values(), key=lambda plot: plot.slice_name != OVERALL)


def _merge(one: Plot, two: Plot) -> Plot:
    # The finer of two sets of thresholds gives the better curve.
    thresholds = max(one.thresholds, two.thresholds, key=len)
    return Plot(
        one.slice_name,
        one.title,
        one.model,
        thresholds,
        one.calibration or two.calibration,
        one.classes or two.classes,
    )


def _read(path: str, kind: str, proto_name: str) -> Iterator[Any]:
    proto = proto_class(proto_name)
    for file_path in sorted(glob.glob(os.path.join(glob.escape(path), f"{kind}*"))):
        for batch in _records(file_path):
            for record in batch:
                yield proto.FromString(record)


def _records(path: str) -> Iterator[list[bytes]]:
    if path.endswith(".parquet"):
        import pyarrow.parquet as pq

        yield pq.read_table(path, columns=["serialized_value"]).column(0).to_pylist()
    else:
        yield from tfrecord.read_batches(path, _BATCH)


def _slice_name(proto: Any) -> str:
    if proto.HasField("cross_slice_key"):
        cross = proto.cross_slice_key
        return f"{_keys(cross.comparison_slice_key)} against {_keys(cross.baseline_slice_key)}"
    return _keys(proto.slice_key)


def _keys(slice_key: Any) -> str:
    parts = []
    for key in slice_key.single_slice_keys:
        value = getattr(key, key.WhichOneof("kind") or "bytes_value")
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        parts.append(f"{key.column}:{_float_text(value) if isinstance(value, float) else value}")
    return ", ".join(parts) or OVERALL


def _float_text(value: float) -> str:
    """Write a float32 with as few digits as tell it from all others, and six at least."""
    texts = (f"{value:.{digits}g}" for digits in range(6, 10))
    return next(
        (text for text in texts if struct.pack("f", float(text)) == struct.pack("f", value)), str(value)
    )


def _title(key: Any) -> str:
    parts = [key.output_name] if key.output_name else []
    if key.HasField("sub_key"):
        for field, word in (("class_id", "class"), ("k", "k"), ("top_k", "top")):
            if key.sub_key.HasField(field):
                parts.append(f"{word} {getattr(key.sub_key, field).value}")
    return ", ".join(parts)


def _metric(slice_name: str, proto: Any, value: float, baseline: str, has_several: bool) -> Metric:
    key = proto.key
    details = [_title(key)]
    if hasattr(key, "aggregation_type") and key.HasField("aggregation_type"):
        details.append((key.aggregation_type.WhichOneof("type") or "").replace("_", " "))
    is_baseline = key.model_name == baseline
    if has_several and not is_baseline:
        details.append(key.model_name)
    low = high = None
    if proto.HasField("confidence_interval"):
        interval = proto.confidence_interval
        low, high = _number(interval.lower_bound), _number(interval.upper_bound)
    elif proto.value.WhichOneof("type") == "bounded_value":
        bounded = proto.value.bounded_value
        low, high = bounded.lower_bound.value, bounded.upper_bound.value
    name = key.name + "".join(f" ({part})" for part in details if part)
    return Metric(slice_name, name, key.model_name, value, low, high, key.is_diff, is_baseline)


def _number(value: Any) -> float | None:
    which = value.WhichOneof("type")
    if which == "double_value":
        return float(value.double_value.value)
    if which == "bounded_value":
        return float(value.bounded_value.value.value)
    if which == "t_distribution_value":
        return float(value.t_distribution_value.unsampled_value.value)
    return None


def _plot(slice_name: str, proto: Any) -> Plot:
    value = proto.value
    present = {field.name for field, _ in value.ListFields()}
    thresholds: tuple[ThresholdPoint, ...] = ()
    calibration: tuple[CalibrationBucket, ...] = ()
    classes = None
    if "confusion_matrix_at_thresholds" in present:
        matrices = value.confusion_matrix_at_thresholds.matrices
        thresholds = tuple(
            ThresholdPoint(
                m.threshold, m.true_positives, m.false_positives, m.true_negatives, m.false_negatives
            )
            for m in sorted(matrices, key=lambda m: m.threshold)
        )
    if "calibration_histogram_buckets" in present:
        calibration = tuple(
            CalibrationBucket(
                bucket.num_weighted_examples.value,
                bucket.total_weighted_refined_prediction.value / bucket.num_weighted_examples.value,
                bucket.total_weighted_label.value / bucket.num_weighted_examples.value,
            )
            for bucket in value.calibration_histogram_buckets.buckets
            if bucket.num_weighted_examples.value
        )
    if "multi_class_confusion_matrix_at_thresholds" in present:
        matrices = value.multi_class_confusion_matrix_at_thresholds.matrices
        if matrices:
            lowest = min(matrices, key=lambda m: m.threshold)
            classes = {
                (e.actual_class_id, e.predicted_class_id): e.num_weighted_examples for e in lowest.entries
            }
    return Plot(slice_name, _title(proto.key), proto.key.model_name, thresholds, calibration, classes)
