"""Digests of rows: 16 bytes that stand for the values of some features, so that equal rows are found without them.

BLAKE2b with 128 bits, not a hash made for speed: rows are taken for equal, and perhaps removed, because their digests
are. Rows are equal where each feature has the same values, or none in both; -0.0 is 0.0, and NaN is NaN, as for
pandas' `drop_duplicates`. Neither the order of the features in a record counts, nor how "no value" is written.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.formats.examples import example_encoder

Digests: TypeAlias = NDArray[np.uint64]
"""One row of two numbers for each row."""

_NOTHING = pa.scalar(b"", pa.binary())


@dataclass(frozen=True)
class Compared:
    """Which features count where rows are compared.

    Attributes:
        names: These alone; `None` for all that a row has.
        ignored: These do not.
    """

    names: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()

    def counts(self, name: str) -> bool:
        """Whether a feature does."""
        return (self.names is None or name in self.names) and name not in self.ignored


class RowValues:
    """The rows of a batch as bytes, feature by feature.

    Args:
        batch: One column for each feature.
        compared: The features that count; those that the batch lacks have no value in its rows.
        digits: Where given, floats count after rounding to so many significant digits.
    """

    def __init__(self, batch: pa.RecordBatch, compared: Compared, digits: int | None = None) -> None:
        self._num_rows = batch.num_rows
        self._pieces = {
            name: _pieces(name, column, digits)
            for name, column in sorted(zip(batch.schema.names, batch.columns), key=lambda item: item[0])
            if compared.counts(name) and not pa.types.is_null(column.type)
        }

    def digests(self, without: Collection[str] = ()) -> Digests:
        """Return the digest of each row, over all features but some."""
        pieces = [piece for name, both in self._pieces.items() if name not in without for piece in both]
        if not any(isinstance(piece, pa.Array) for piece in pieces):
            pieces.append(pa.array([b""] * self._num_rows, pa.binary()))
        return of_bytes(pc.binary_join_element_wise(*pieces, _NOTHING))


def of_bytes(values: pa.Array) -> Digests:
    """Return the digest of each value of an array of bytes without nulls."""
    is_large = pa.types.is_large_binary(values.type)
    edges = np.frombuffer(values.buffers()[1], np.int64 if is_large else np.int32)
    edges = edges[values.offset : values.offset + len(values) + 1]
    data = memoryview(values.buffers()[2]) if values.buffers()[2] else memoryview(b"")
    blake = hashlib.blake2b
    ends = edges.tolist()
    joined = b"".join(
        [blake(data[start:end], digest_size=16).digest() for start, end in itertools.pairwise(ends)]
    )
    return np.frombuffer(joined, np.uint64).reshape(len(values), 2)


def _pieces(name: str, column: pa.Array, digits: int | None) -> tuple[Any, Any]:
    """Return what stands before the values of a feature and the values; nothing where a row has none."""
    column = _canonical(column, digits)
    present = pc.fill_null(pc.greater(column.value_lengths(), 0), False)
    # With its length, and a Feature says its own: what is joined can be taken apart in one way only.
    head = pa.scalar(b"%d:%s" % (len(name.encode()), name.encode()), pa.binary())
    values = example_encoder.encode_feature(column)
    if pc.all(present).as_py():
        return head, values
    return pc.if_else(present, head, _NOTHING), pc.if_else(present, values, _NOTHING)


def _canonical(column: pa.Array, digits: int | None) -> pa.Array:
    """Return a column of floats with one zero and one NaN, and rounded if asked."""
    if not pa.types.is_floating(column.type.value_type):
        return column
    values = column.flatten().to_numpy(zero_copy_only=False) + np.float32(0)
    if digits is not None:
        values = rounded(values, digits)
    values = np.where(np.isnan(values), np.float32(np.nan), values).astype(np.float32)
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    edges = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return pa.LargeListArray.from_arrays(pa.array(edges, pa.int64()), pa.array(values, pa.float32()))


def rounded(values: NDArray[Any], digits: int) -> NDArray[np.float64]:
    """Return numbers rounded to significant digits; what is not finite stays."""
    values = values.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        places = digits - 1 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.clip(places, -300, 300)
        close = np.round(values * scale) / scale
    return np.where(np.isfinite(close) & (values != 0), close, values)
