"""The numbers of a finished evaluation, read from TFMA's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.components.evaluator.tfma_internals import slicer_lib
from headrace.formats.evaluations import files


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
        for proto in files.read_table(folder, files.METRICS):
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
