"""TFMA's metrics in plain Python, read without TFMA."""

from __future__ import annotations

import glob
import json
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.files import matching, open_text
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord

OVERALL = "Overall"
_BASELINE = "baseline"
_ERROR = "__ERROR__"
_BATCH = 1_000
_CLASSES_FILE = "classes.json"


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
    baseline = _baseline_name(path)
    protos = list(read_protos(path, "metrics", "MetricsForSlice"))
    models = {one.key.model_name for proto in protos for one in proto.metric_keys_and_values}
    has_several = len(models - {"", baseline}) > 1
    found = [
        _metric(slice_name_of(proto), one, value, baseline, has_several)
        for proto in protos
        for one in proto.metric_keys_and_values
        if (value := _number(one.value)) is not None
    ]
    return _ordered(found)


def _ordered(found: list[Metric]) -> list[Metric]:
    slices = {name: number for number, name in enumerate(dict.fromkeys(one.slice_name for one in found))}
    kinds = {
        name: number
        for number, name in enumerate(dict.fromkeys(one.name.partition(" (")[0] for one in found))
    }
    return sorted(
        found,
        key=lambda one: (
            one.slice_name != OVERALL,
            slices[one.slice_name],
            kinds[one.name.partition(" (")[0]],
            in_natural_order(one.name),
        ),
    )


def in_natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return what to sort a text by so that its numbers count as numbers: class 2 before class 10."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def read_class_names(path: str) -> tuple[str, ...]:
    """Return the names of the classes 0, 1, 2 ...; none where labels and predictions were numbers."""
    try:
        with open_text(os.path.join(path, _CLASSES_FILE)) as file:
            names = json.load(file)["classes"]
    except (OSError, ValueError, LookupError, TypeError):
        return ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def read_errors(path: str) -> list[tuple[str, str]]:
    """Return slice and words of what TFMA could not compute, such as a confidence interval of few rows."""
    found = []
    for proto in read_protos(path, "metrics", "MetricsForSlice"):
        values = [one.value for one in proto.metric_keys_and_values if one.key.name == _ERROR]
        # What holds for the slice as a whole, as that it is too small, stands where TFMA kept metrics before.
        values += [proto.metrics[name] for name in proto.metrics if name == _ERROR]
        found += [(slice_name_of(proto), _text(value)) for value in values]
    return found


def _text(value: Any) -> str:
    which = value.WhichOneof("type")
    content = getattr(value, which) if which in ("bytes_value", "debug_message") else b""
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)


def _baseline_name(path: str) -> str:
    """Return the name of the baseline model, which is the user's own choice."""
    try:
        with open_text(os.path.join(path, "eval_config.json")) as file:
            specs = json.load(file)["evalConfig"]["modelSpecs"]
        return next((str(spec.get("name", "")) for spec in specs if spec.get("isBaseline")), _BASELINE)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return _BASELINE


def read_protos(path: str, kind: str, proto_name: str) -> Iterator[Any]:
    """Yield the messages in the files of an evaluation.

    Args:
        path: Folder of the evaluation.
        kind: How the files' names start: `"metrics"` or `"plots"`.
        proto_name: Of the messages; see `bare_protos`.
    """
    proto = proto_class(proto_name)
    for file_path in matching(os.path.join(glob.escape(path), f"{kind}*")):
        for batch in _records(file_path):
            for record in batch:
                yield proto.FromString(record)


def _records(path: str) -> Iterator[list[bytes]]:
    if path.endswith(".parquet"):
        import pyarrow.parquet as pq

        yield pq.read_table(path, columns=["serialized_value"]).column(0).to_pylist()
    else:
        yield from tfrecord.read_batches(path, _BATCH)


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


def title_of(key: Any) -> str:
    """Return output and class of a key; empty for a model with one."""
    parts = [key.output_name] if key.output_name else []
    if key.HasField("sub_key"):
        for field, word in (("class_id", "class"), ("k", "k"), ("top_k", "top")):
            if key.sub_key.HasField(field):
                parts.append(f"{word} {getattr(key.sub_key, field).value}")
    return ", ".join(parts)


def _metric(slice_name: str, proto: Any, value: float, baseline: str, has_several: bool) -> Metric:
    key = proto.key
    details = [title_of(key)]
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
