"""Examples brought into columns of features, of known kinds."""

from __future__ import annotations

import collections
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS
from headrace.sources.rows import FeatureRows

_MAX_ROWS = 20_000
_MAX_BYTES = 16 << 20
_TYPES = {INTEGERS: pa.int64(), FLOATS: pa.float32(), BYTES: pa.binary()}


class Columns:
    """The rows of the next batch, and what was noted since the last.

    Args:
        kinds: Each feature, and the kind of its values.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = dict(sorted(kinds.items()))
        self._start()

    def _start(self) -> None:
        self._values: dict[str, list[Any]] = {name: [] for name in self._kinds}
        self._num_rows = self._num_bytes = 0
        self._notes: collections.Counter[str] = collections.Counter()

    @property
    def is_full(self) -> bool:
        """Whether the batch is large enough."""
        return self._num_rows >= _MAX_ROWS or self._num_bytes >= _MAX_BYTES

    def note(self, what: str, count: int = 1) -> None:
        """Count what a person should know of."""
        self._notes[what] += count

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row: a value, a list or an array of values for each feature; `None` or nothing where it has none."""
        for name, values in self._values.items():
            value = row.get(name)
            values.append(value)
            if isinstance(value, bytes):
                self._num_bytes += len(value)
            elif isinstance(value, np.ndarray):
                self._num_bytes += value.nbytes
        self._num_rows += 1

    def taken(self) -> FeatureRows:
        """Return the batch, and start the next."""
        arrays = [_column(self._kinds[name], values) for name, values in self._values.items()]
        fields = [pa.field(name, array.type) for name, array in zip(self._values, arrays)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
        notes = self._notes
        self._start()
        return FeatureRows(batch, notes=notes)


def _column(kind: str, values: list[Any]) -> pa.Array:
    is_missing = np.array([value is None for value in values], bool)
    if any(isinstance(value, (list, np.ndarray)) for value in values):
        lengths = [_length(value) for value in values]
        flat = _flat(values)
    else:
        lengths = (~is_missing).astype(int).tolist()
        flat = values if not is_missing.any() else [value for value in values if value is not None]
    ends = np.zeros(len(values) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    offsets = pa.array(ends, mask=np.append(is_missing, False))
    return pa.ListArray.from_arrays(offsets, _array(kind, flat))


def _length(value: Any) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, (list, np.ndarray)) else 1


def _flat(values: list[Any]) -> Any:
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, np.ndarray) for value in given):
        return np.concatenate(given)
    return [one for value in given for one in (value if isinstance(value, list) else [value])]


def _array(kind: str, flat: Any) -> pa.Array:
    if isinstance(flat, np.ndarray):
        return pa.array(flat, _TYPES[kind])
    if kind == BYTES:
        return pa.array([os.fsencode(one) if isinstance(one, str) else one for one in flat], pa.binary())
    if kind == FLOATS:
        # Rounded once, from double; a number beyond float32 becomes infinite.
        with np.errstate(over="ignore"):
            return pa.array(np.array(flat, np.float64).astype(np.float32))
    return pa.array(flat, pa.int64())
