"""The numbers of a `ModelEvaluation`, read from TFMA's files without loading TFMA."""

from __future__ import annotations

import functools
import glob
import importlib.util
import json
import os
import sys
from types import ModuleType
from typing import Any

from headrace.errors import SetupError
from headrace.io import tfrecord

VERDICT_FILE = "verdict.json"
_PROTO_MODULE = "tensorflow_model_analysis.proto.metrics_for_slice_pb2"
_OVERALL = "Overall"

Metrics = dict[str, dict[str, float]]


def read_metrics(path: str) -> Metrics:
    """Return the candidate's metrics by slice and by name; slices are written `feature:value`.

    Args:
        path: Folder of a ModelEvaluation artifact.
    """
    found: Metrics = {}
    for file in sorted(glob.glob(os.path.join(glob.escape(path), "metrics-*.tfrecord"))):
        for batch in tfrecord.read_batches(file, 1_000):
            for record in batch:
                proto = _protos().MetricsForSlice.FromString(record)
                if not proto.HasField("cross_slice_key"):
                    found.setdefault(_slice_name(proto.slice_key), {}).update(_values(proto))
    return found


def read_verdict(path: str) -> dict[str, Any]:
    """Return the content of a ModelEvaluation's `verdict.json`; empty where there is none."""
    try:
        with open(os.path.join(path, VERDICT_FILE), encoding="utf-8") as file:
            verdict: dict[str, Any] = json.load(file)
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return verdict


def compare_metrics(old_path: str, new_path: str) -> list[tuple[str, str, float | None, float | None]]:
    """Return slice, metric and both numbers for each metric that differs; all slices' rows first."""
    old, new = read_metrics(old_path), read_metrics(new_path)
    changes = []
    for name in sorted(old.keys() | new.keys(), key=lambda name: (name != _OVERALL, name)):
        before, after = old.get(name, {}), new.get(name, {})
        for metric in dict.fromkeys([*after, *before]):
            if before.get(metric) != after.get(metric):
                changes.append((name, metric, before.get(metric), after.get(metric)))
    return changes


def _values(proto: Any) -> dict[str, float]:
    values = {}
    for item in proto.metric_keys_and_values:
        # A model with a name stands beside the candidate: the baseline. Differences follow from both.
        if item.value.HasField("double_value") and not item.key.is_diff and not _is_baseline(item.key):
            values[_metric_name(item.key)] = item.value.double_value.value
    return values


def _is_baseline(key: Any) -> bool:
    return str(key.model_name) == "baseline"


def _metric_name(key: Any) -> str:
    details = [key.output_name] if key.output_name else []
    for field, text in (("class_id", "class"), ("k", "k"), ("top_k", "top")):
        if key.HasField("sub_key") and key.sub_key.HasField(field):
            details.append(f"{text} {getattr(key.sub_key, field).value}")
    return f"{key.name} ({', '.join(details)})" if details else str(key.name)


def _slice_name(key: Any) -> str:
    parts = []
    for single in key.single_slice_keys:
        which = single.WhichOneof("kind")
        value = getattr(single, which) if which else ""
        parts.append(
            f"{single.column}:{value.decode(errors='replace') if isinstance(value, bytes) else value}"
        )
    return ", ".join(parts) or _OVERALL


@functools.cache
def _protos() -> ModuleType:
    """TFMA's proto module, loaded by its file: importing its package would load TensorFlow."""
    loaded = sys.modules.get(_PROTO_MODULE)
    if loaded is not None:
        return loaded
    package = importlib.util.find_spec("tensorflow_model_analysis")
    for folder in package.submodule_search_locations or () if package else ():
        path = os.path.join(folder, "proto", "metrics_for_slice_pb2.py")
        spec = importlib.util.spec_from_file_location("headrace_metrics_for_slice_pb2", path)
        if spec is not None and spec.loader is not None and os.path.isfile(path):
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise SetupError("tensorflow_model_analysis is not installed.", "install it: make set-up")
