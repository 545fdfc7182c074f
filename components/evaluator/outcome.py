"""The numbers of a finished evaluation, read from TFMA's files."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import Any

from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from headrace.components.evaluator.tfma_internals import slicer_lib
from headrace.files import matching
from headrace.formats.examples import tfrecord


@dataclass(frozen=True)
class Metrics:
    """The metrics of an evaluation, by slice and by metric."""

    by_slice: dict[Any, dict[bytes, float]]
    keys: dict[bytes, Any]

    @classmethod
    def read(cls, folder: str) -> Metrics:
        """Read TFMA's metrics files in a folder."""
        by_slice: dict[Any, dict[bytes, float]] = {}
        keys: dict[bytes, Any] = {}
        for path in matching(os.path.join(glob.escape(folder), "metrics-*.tfrecord")):
            for batch in tfrecord.read_batches(path, 1_000):
                for record in batch:
                    proto = metrics_for_slice_pb2.MetricsForSlice.FromString(record)
                    if proto.HasField("cross_slice_key"):
                        continue
                    values = by_slice.setdefault(slicer_lib.deserialize_slice_key(proto.slice_key), {})
                    for item in proto.metric_keys_and_values:
                        if item.value.HasField("double_value"):
                            key = item.key.SerializeToString(deterministic=True)
                            keys[key] = item.key
                            values[key] = item.value.double_value.value
        return cls(by_slice, keys)

    def value(self, slice_key: Any, metric_key: Any) -> float | None:
        """Return one number; `None` where the slice does not have the metric, or it is no number."""
        return self.by_slice[slice_key].get(metric_key.to_proto().SerializeToString(deterministic=True))
