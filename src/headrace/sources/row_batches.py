"""Rows as mappings of feature names to plain values, brought into batches of features.

For sources whose rows come one by one: JSON, pictures, users' functions.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Union

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

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
_LEAST, _MOST = -(2**63), 2**63 - 1
_NUMBER_BYTES = 8
# A feature's values as a batch holds them until it is full: a scalar alone, since most are; else their kind and they;
# `None` where it is missing.
Held = Union[int, float, bytes, Values, None]
Flat = Union["list[Any]", "NDArray[Any]"]


class Row(NamedTuple):
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
        self._rows: list[dict[str, Held]] = []
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
        values: dict[str, Held] = {}
        found: dict[str, str] = {}
        num_bytes = 0
        for name, value in row.values.items():
            if not isinstance(name, str):
                return Unreadable(
                    row.source,
                    f"a feature's name is {name!r}, which is no text",
                    row.place,
                    "name it by a text",
                )
            try:
                kind, held, size = _held(value)
            except UnsupportedColumnError as error:
                return Unreadable(row.source, f"feature '{name}' {error.problem}", row.place, error.fix)
            if kind:
                values[name] = held
                num_bytes += size
                known = self.kinds.get(name)
                if known is None or known.name != kind:
                    found[name] = kind
            elif not self.has_fixed_columns:
                # Known of the row, though of no kind: a Feature without values.
                values[name] = None
        if found:
            self._know(row, found)
        self._rows.append(values)
        self._num_cells += len(values)
        self._num_bytes += num_bytes
        return None

    def _know(self, row: Row, found: Mapping[str, str]) -> None:
        """Compare kinds that a row has with those known."""
        place = f"{row.source}, {row.place}" if row.place else row.source
        for name, kind in found.items():
            known = self.kinds.get(name)
            # Floats hold integers too; integers that were handed on as such do not become floats.
            widens = known is not None and (known.name == FLOATS or name not in self._settled)
            self.kinds = feature_kinds.merge(self.kinds, {name: Kind(kind, place)}, widens=widens)

    def taken(self) -> FeatureRows:
        """Return the batch, and start the next."""
        names: dict[str, Any] = {}
        for known in [self.kinds] if self.has_fixed_columns else self._rows:
            names.update(known)
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
        cells = [row.get(name) for row in self._rows]
        kept = [cell for cell in cells if cell is not None]
        is_there = np.fromiter((cell is not None for cell in cells), bool, len(cells))
        lengths: NDArray[Any] = is_there.astype(np.int32)
        flat: Flat = kept
        if tuple in set(map(type, kept)):
            lists = [cell[1] if isinstance(cell, tuple) else (cell,) for cell in kept]
            lengths[is_there] = [len(each) for each in lists]
            flat = _joined(lists)
        ends = np.zeros(len(cells) + 1, np.int32)
        np.cumsum(lengths, out=ends[1:])
        offsets = pa.array(ends, mask=np.append(~is_there, False))
        return pa.ListArray.from_arrays(offsets, _array(kind.name, flat))


def _held(value: Any) -> tuple[str, Held, int]:
    """Return a value's kind, the value as a batch holds it, and about how many bytes of memory it takes.

    Raises:
        UnsupportedColumnError: If tf.Example cannot hold it.
    """
    # Most values are of these types, and `values_of` takes ten times as long.
    plain = type(value)
    if plain is float:
        return FLOATS, value, _NUMBER_BYTES
    if plain is int and _LEAST <= value <= _MOST:
        return INTEGERS, value, _NUMBER_BYTES
    if plain is bytes:
        return BYTES, value, len(value)
    if plain is str:
        # What it cannot encode, `values_of` says.
        with contextlib.suppress(UnicodeEncodeError):
            data = value.encode()
            return BYTES, data, len(data)
    found = values_of(value)
    if found is None:
        return "", None, 0
    kind, values = found
    return kind, found, sum(map(len, values)) if kind == BYTES else _NUMBER_BYTES * len(values)


def _joined(lists: Sequence[Any]) -> Flat:
    """Return the values of all lists; arrays, such as embeddings, are not taken apart."""
    if all(isinstance(each, np.ndarray) for each in lists):
        return np.concatenate(lists)
    return list(itertools.chain.from_iterable(lists))


def _array(kind: str, flat: Flat) -> pa.Array:
    if kind != FLOATS:
        return pa.array(flat, _TYPES[kind])
    # Rounded once, from double, as protobuf's Python does; a number beyond float32 becomes infinite.
    with np.errstate(over="ignore"):
        return pa.array(np.array(flat, np.float64).astype(np.float32))
