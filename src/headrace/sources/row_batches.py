"""Rows as mappings of feature names to plain values, brought into batches of features.

For sources whose rows come one by one: JSON, pictures, users' functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.errors import UnsupportedColumnError
from headrace.sources import feature_kinds
from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS, Kind, Kinds
from headrace.sources.feature_values import Values, values_of
from headrace.sources.rows import FeatureRows
from headrace.sources.source import Unreadable

_MAX_ROWS = 20_000
_MAX_CELLS = 400_000
_MAX_BYTES = 16 << 20
_TYPES = {INTEGERS: pa.int64(), FLOATS: pa.float32(), BYTES: pa.binary()}


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        values: Each feature's value, see `headrace.sources.feature_values.values_of`.
        source: Where it comes from, such as a file's path.
        place: Where in there, such as `"row 3"`; empty for the whole.
    """

    values: Mapping[str, Any]
    source: str
    place: str = ""


def batches(
    rows: Iterable[Row | Unreadable], columns: Kinds | None = None, kinds: Kinds | None = None
) -> Iterator[FeatureRows | Unreadable]:
    """Yield rows in batches that fit into memory, and what cannot be read in between.

    Args:
        rows: The rows, in order. One without features, or with a value that tf.Example cannot hold, becomes an
            `Unreadable`.
        columns: The columns of every batch, where they are the same in all, as in Parquet files that are written;
            then at least a batch without rows is yielded.
        kinds: The kinds of features, where they are known beforehand.

    Raises:
        DataError: If a feature is of two kinds, naming both rows.
    """
    batch = _Batch(dict(columns or kinds or {}), has_fixed_columns=columns is not None)
    for row in rows:
        if isinstance(row, Unreadable):
            yield row
            continue
        fault = batch.add(row)
        if fault is not None:
            yield fault
        elif batch.is_full:
            yield batch.taken()
    if batch.num_rows or batch.has_fixed_columns:
        yield batch.taken()


def kinds_of(rows: Iterable[Row | Unreadable]) -> dict[str, Kind]:
    """Return the kind of each feature in rows, which are read to their end.

    Raises:
        DataError: If a feature is of two kinds, naming both rows.
    """
    batch = _Batch({}, has_fixed_columns=False)
    for row in rows:
        if not isinstance(row, Unreadable):
            batch.add(row)
            batch.forget()
    return batch.kinds


class _Batch:
    """The rows of the next batch, and the kinds of features in all rows so far."""

    def __init__(self, kinds: dict[str, Kind], *, has_fixed_columns: bool) -> None:
        self.kinds = kinds
        self.has_fixed_columns = has_fixed_columns
        # Features of which values have left in an earlier batch: their kind is settled.
        self._settled: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Start a batch."""
        self._rows: list[dict[str, Values]] = []
        self._num_cells = self._num_bytes = 0

    @property
    def num_rows(self) -> int:
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        return self.num_rows >= _MAX_ROWS or self._num_cells >= _MAX_CELLS or self._num_bytes >= _MAX_BYTES

    def add(self, row: Row) -> Unreadable | None:
        """Add a row; return what is wrong with it where it cannot be one."""
        if not row.values:
            # Arrow knows the number of rows by their columns.
            return Unreadable(row.source, "has no feature", row.place, "give it at least one, be it None")
        values: dict[str, Values] = {}
        for name, value in row.values.items():
            if not isinstance(name, str):
                return Unreadable(
                    row.source,
                    f"a feature's name is {name!r}, which is no text",
                    row.place,
                    "name it by a text",
                )
            try:
                found = values_of(value)
            except UnsupportedColumnError as error:
                return Unreadable(row.source, f"feature '{name}' {error.problem}", row.place, error.fix)
            if found is not None:
                values[name] = found
            elif not self.has_fixed_columns:
                # Known of the row, though of no kind: a Feature without values.
                values[name] = ("", [])
        self._know(row, values)
        self._rows.append(values)
        self._num_cells += len(values)
        self._num_bytes += sum(_size(found) for found in values.values())
        return None

    def _know(self, row: Row, values: Mapping[str, Values]) -> None:
        """Compare the kinds of a row with those known."""
        for name, (kind, _) in values.items():
            known = self.kinds.get(name)
            if kind and (known is None or known.name != kind):
                place = f"{row.source}, {row.place}" if row.place else row.source
                # Floats hold integers too; integers that were handed on as such do not become floats.
                widens = known is not None and (known.name == FLOATS or name not in self._settled)
                self.kinds = feature_kinds.merge(self.kinds, {name: Kind(kind, place)}, widens=widens)

    def taken(self) -> FeatureRows:
        """Return the batch, and start the next."""
        names = self.kinds if self.has_fixed_columns else dict.fromkeys(n for row in self._rows for n in row)
        arrays = [self._column(name) for name in names]
        fields = [pa.field(name, array.type) for name, array in zip(names, arrays)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
        self.forget()
        self._settled.update(self.kinds)
        return FeatureRows(batch, self.kinds)

    def _column(self, name: str) -> pa.Array:
        kind = self.kinds.get(name)
        if kind is None:
            return pa.nulls(len(self._rows))
        ends = np.zeros(len(self._rows) + 1, np.int32)
        is_missing = np.ones(len(self._rows), bool)
        flat: list[Any] = []
        for position, row in enumerate(self._rows):
            found = row.get(name)
            if found is not None and found[0]:
                is_missing[position] = False
                flat.extend(found[1])
            ends[position + 1] = len(flat)
        offsets = pa.array(ends, mask=np.append(is_missing, False))
        return pa.ListArray.from_arrays(offsets, _array(kind.name, flat))


def _array(kind: str, flat: list[Any]) -> pa.Array:
    if kind != FLOATS:
        return pa.array(flat, _TYPES[kind])
    # Rounded once, from double, as protobuf's Python does; a number beyond float32 becomes infinite.
    with np.errstate(over="ignore"):
        return pa.array(np.array(flat, np.float64).astype(np.float32))


def _size(found: Values) -> int:
    """About how many bytes of memory the values take."""
    kind, values = found
    return sum(map(len, values)) if kind == BYTES else 8 * len(values)
