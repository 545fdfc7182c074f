"""TFMA's metrics in plain Python, read without TFMA."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headrace.formats.evaluations import files

OVERALL = "Overall"
_ERROR = "__ERROR__"
_COUNTS = ("example_count", "weighted_example_count")


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


def read_metrics(path: str) -> list[Metric]:
    """Return all metrics that are numbers: the whole data set first, classes of a metric in their order."""
    names = files.read_class_names(path)
    baseline = files.read_baseline_name(path)
    protos = list(files.read_table(path, files.METRICS))
    models = {one.key.model_name for proto in protos for one in proto.metric_keys_and_values}
    has_several = len(models - {"", baseline}) > 1
    found = [
        (_sub_key(one.key), _metric(slice_name_of(proto), one, value, baseline, has_several, names))
        for proto in protos
        for one in proto.metric_keys_and_values
        if (value := _number(one.value)) is not None
    ]
    return _ordered(found, files.read_metric_names(path))


def _ordered(found: list[tuple[int, Metric]], named: list[str]) -> list[Metric]:
    """As the configuration has them, as far as it names them; of one name the classes in their order."""
    slices = {name: number for number, name in enumerate(dict.fromkeys(one.slice_name for _, one in found))}
    others = [one.name.partition(" (")[0] for _, one in found]
    counts = [name for name in others if name in _COUNTS]
    kinds = {
        name: number
        for number, name in enumerate(dict.fromkeys([*counts, *named, *others] if named else others))
    }
    ordered = sorted(
        found,
        key=lambda item: (
            item[1].slice_name != OVERALL,
            slices[item[1].slice_name],
            kinds[item[1].name.partition(" (")[0]],
            item[0],
            in_natural_order(item[1].name),
        ),
    )
    return [one for _, one in ordered]


def _sub_key(key: Any) -> int:
    """The number of a metric's class; -1 of one that is of no class."""
    return int(key.sub_key.class_id.value) if key.sub_key.HasField("class_id") else -1


def in_natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return what to sort a text by so that its numbers count as numbers: class 2 before class 10."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def read_errors(path: str) -> list[tuple[str, str]]:
    """Return slice and words of what TFMA could not compute, such as a confidence interval of few rows."""
    found = []
    for proto in files.read_table(path, files.METRICS):
        values = [one.value for one in proto.metric_keys_and_values if one.key.name == _ERROR]
        # What holds for the slice as a whole, as that it is too small, stands where TFMA kept metrics before.
        values += [proto.metrics[name] for name in proto.metrics if name == _ERROR]
        found += [(slice_name_of(proto), _text(value)) for value in values]
    return found


def _text(value: Any) -> str:
    which = value.WhichOneof("type")
    content = getattr(value, which) if which in ("bytes_value", "debug_message") else b""
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)


def slice_name_of(proto: Any) -> str:
    """Return the slice of `MetricsForSlice` or `PlotsForSlice` as `Metric.slice_name` writes it."""
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


def title_of(key: Any, class_names: Sequence[str] = ()) -> str:
    """Return output and class of a key, by its name where it has one; empty for a model with one."""
    parts = [key.output_name] if key.output_name else []
    if key.HasField("sub_key"):
        for field, word in (("class_id", "class"), ("k", "k"), ("top_k", "top")):
            if key.sub_key.HasField(field):
                number = getattr(key.sub_key, field).value
                is_named = field == "class_id" and 0 <= number < len(class_names)
                parts.append(f"{word} {class_names[number] if is_named else number}")
    return ", ".join(parts)


def _metric(
    slice_name: str, proto: Any, value: float, baseline: str, has_several: bool, class_names: Sequence[str]
) -> Metric:
    key = proto.key
    details = [title_of(key, class_names)]
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
