"""A hash of each row's content, for whole columns at a time: what orders rows without regard to where they stood."""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Hashes: TypeAlias = "NDArray[np.uint64]"

_INTEGERS, _FLOATS, _TEXTS = 1, 2, 3


def mixed(values: Hashes) -> Hashes:
    """Return numbers that look random, one for each: the finalizer of SplitMix64 (Steele, Lea, Flood, 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


# Longer texts are few, or long enough that a call for each does not matter.
_SHORT = 64
_TABLE = mixed(np.arange(1, _SHORT * 256 + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def text_hash(text: bytes) -> int:
    """Return 64 bits of BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def text_hashes(texts: pa.Array) -> Hashes:
    """Return 64 bits for each of an array of bytes without null.

    Short ones are hashed by tabulation (Zobrist, 1970), for all at once: a random number for each byte at each place,
    and their sum.
    """
    texts = texts.cast(pa.large_binary())
    _, starts_buffer, bytes_buffer = texts.buffers()
    bounds = np.frombuffer(starts_buffer, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if not len(texts) or bytes_buffer is None:
        return np.zeros(len(texts), np.uint64)
    starts, lengths = bounds[:-1], np.diff(bounds)
    is_long = lengths > _SHORT
    short = np.where(is_long, 0, lengths)
    ends = np.cumsum(short)
    places = np.arange(ends[-1]) - np.repeat(ends - short, short)
    letters = np.frombuffer(bytes_buffer, np.uint8)[places + np.repeat(starts, short)]
    sums = _running_sums(_TABLE[places * 256 + letters])
    found = sums[ends] - sums[ends - short] + lengths.astype(np.uint64)
    for row in np.flatnonzero(is_long).tolist():
        found[row] = text_hash(bytes_buffer[int(bounds[row]) : int(bounds[row + 1])].to_pybytes())
    return found


def _running_sums(values: Hashes) -> Hashes:
    """Sums of the first 0, 1, 2 ... values. Those of 64 bits wrap around, and differences of them with it."""
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])


def row_hashes(batch: pa.RecordBatch) -> Hashes:
    """Return 64 bits for each row, equal for equal rows.

    A row is its features with their values, in whatever order the columns stand; one without a value does not count.
    It is a choice of rows that hangs on it, no proof: numbers are mixed, not digested.

    Args:
        batch: One column per feature, lists of integers, floats or bytes, or of null type.
    """
    found: Hashes = np.zeros(batch.num_rows, np.uint64)
    for name, column in zip(batch.schema.names, batch.columns):
        if pa.types.is_null(column.type):
            continue
        lengths = list_lengths(column)
        values = _value_hashes(column.flatten())
        named = np.array([text_hash(name.encode())], np.uint64)
        if (lengths == 1).all():
            found += mixed(values + named)
            continue
        ends = np.cumsum(lengths)
        starts = ends - lengths
        places = (np.arange(len(values)) - np.repeat(starts, lengths)).astype(np.uint64)
        sums = _running_sums(mixed(values + mixed(places)))
        # The first value alone is a list of one here, as there.
        cells = np.where(
            lengths == 1,
            values[np.minimum(starts, max(0, len(values) - 1))] if len(values) else 0,
            sums[ends] - sums[starts] + lengths.astype(np.uint64),
        )
        found += np.where(lengths > 0, mixed(cells.astype(np.uint64) + named), np.uint64(0))
    return mixed(found)


def list_lengths(column: pa.Array) -> NDArray[np.int64]:
    """Return the number of values in each cell of a column of lists; 0 of a missing one."""
    lengths: NDArray[Any] = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)


def _value_hashes(values: pa.Array) -> Hashes:
    if pa.types.is_integer(values.type):
        return mixed(
            values.cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64) + np.uint64(_INTEGERS)
        )
    if pa.types.is_floating(values.type):
        bits = values.to_numpy(zero_copy_only=False).astype(np.float32).view(np.uint32)
        return mixed((bits.astype(np.uint64) << np.uint64(2)) + np.uint64(_FLOATS))
    return mixed(text_hashes(values) + np.uint64(_TEXTS))
