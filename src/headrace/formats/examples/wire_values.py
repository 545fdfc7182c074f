"""The values of many protobuf lists at once, from one buffer in which they lie.

Each function gets the buffer, and for each list where its packed values, or for texts its tagged values,
begin and how many bytes they take. It returns the values of all lists one after the other and the number
in each list; `None` where the bytes are not what such a list holds. Wire format:
https://protobuf.dev/programming-guides/encoding.

A number is taken with its neighbours in one unaligned read, and the common case, one value in each list, is
told from the bytes alone; so a value costs some ten nanoseconds and Python sees none.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]
Values: TypeAlias = tuple[Any, Integers]

_MOST_SIGNIFICANT = np.uint64(0x8080808080808080)
# By size in bytes: what belongs to a varint, and which of its bytes say that another one follows.
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
_CONTINUED = np.array(
    [0, *(sum(0x80 << 8 * at for at in range(size - 1)) for size in range(1, 9))], np.uint64
)
_VALUE_TAG = 0x0A
_MAX_VARINT_BYTES = 10


def gather(data: NDArray[np.uint8], starts: Integers, size: int) -> NDArray[Any]:
    """Return `size` bytes from each start, as an array of `np.void`; the buffer reaches at least so far."""
    return np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))[starts]


def words(data: NDArray[np.uint8], starts: Integers) -> NDArray[np.uint64]:
    """Return 8 bytes from each start, as little-endian numbers."""
    return gather(data, starts, 8).view("<u8")


def read_floats(data: NDArray[np.uint8], starts: Integers, sizes: Integers) -> Values | None:
    """Read packed float32 values."""
    counts = sizes >> 2
    if (sizes & 3).any():
        return None
    if (counts != 1).any():
        starts = _spread(starts, counts, 4)
    return pa.array(gather(data, starts, 4).view("<f4")), counts


def read_integers(data: NDArray[np.uint8], starts: Integers, sizes: Integers) -> Values | None:
    """Read packed int64 varints."""
    largest = int(sizes.max(initial=0))
    if largest > 8:
        return _read_varints(data, starts, sizes)
    found = words(data, starts) & _MASKS[sizes]
    if ((found & _MOST_SIGNIFICANT) != _CONTINUED[sizes]).any():
        return _read_varints(data, starts, sizes)
    return pa.array(_joined(found, largest).view(np.int64)), np.ones(len(sizes), np.int64)


def _joined(found: NDArray[np.uint64], largest: int) -> NDArray[np.uint64]:
    """Put the groups of 7 bits together, of varints of at most `largest` bytes, 8 or less."""
    if largest == 1:
        return found
    # Neighbours pairwise: 7 and 7 bits, then 14 and 14, then 28 and 28.
    found = (found & np.uint64(0x007F007F007F007F)) | (
        (found & np.uint64(0x7F007F007F007F00)) >> np.uint64(1)
    )
    if largest > 2:
        found = (found & np.uint64(0x00003FFF00003FFF)) | (
            (found & np.uint64(0x3FFF00003FFF0000)) >> np.uint64(2)
        )
    if largest > 4:
        found = (found & np.uint64(0x0FFFFFFF)) | ((found & np.uint64(0x0FFFFFFF00000000)) >> np.uint64(4))
    return found


def _read_varints(data: NDArray[np.uint8], starts: Integers, sizes: Integers) -> Values | None:
    """Read lists of any length and numbers of any size."""
    packed = data[_spread(starts, sizes, 1)]
    list_ends = np.cumsum(sizes)
    is_last = packed < 0x80
    if not is_last[list_ends - 1].all():
        return None
    ends = np.flatnonzero(is_last) + 1
    firsts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    lengths = ends - firsts
    longest = int(lengths.max(initial=0))
    if longest > _MAX_VARINT_BYTES:
        return None
    numbers = np.zeros(len(ends), np.uint64)
    for place in range(longest):
        rows = np.flatnonzero(lengths > place)
        bits = (packed[firsts[rows] + place] & 0x7F).astype(np.uint64)
        numbers[rows] |= bits << np.uint64(7 * place)
    num_before = np.searchsorted(ends, list_ends, side="right")
    return pa.array(numbers.view(np.int64)), np.diff(num_before, prepend=0)


def read_texts(data: NDArray[np.uint8], starts: Integers, sizes: Integers) -> Values | None:
    """Read tagged values of bytes."""
    lengths, head_sizes = _text_lengths(data, starts)
    if (head_sizes + lengths == sizes).all():
        return take_ranges(data, starts + head_sizes, lengths), np.ones(len(sizes), np.int64)
    return _read_lists_of_texts(data, starts, sizes)


def _text_lengths(data: NDArray[np.uint8], starts: Integers) -> tuple[Integers, Integers]:
    """Return how long the value at each start is, and how long what stands before it; -1 where none is."""
    head = words(data, starts)
    is_value = (head & np.uint64(0xFF)) == _VALUE_TAG
    varint = head >> np.uint64(8)
    # The varint ends with the first byte whose top bit is not set: 1 to 4 bytes, for less than 256 MiB.
    free = ~varint & np.uint64(0x80808080)
    lowest = free & (~free + np.uint64(1))
    sizes = np.searchsorted(np.array([0x80, 0x8000, 0x800000, 0x80000000], np.uint64), lowest) + 1
    is_value &= free != 0
    if (sizes == 1).all():
        lengths = (varint & np.uint64(0x7F)).astype(np.int64)
    else:
        lengths = _joined(varint & _MASKS[np.minimum(sizes, 4)], 4).astype(np.int64)
    return np.where(is_value, lengths, -1), sizes + 1


def _read_lists_of_texts(data: NDArray[np.uint8], starts: Integers, sizes: Integers) -> Values | None:
    """Read lists of any length: the first values of all, then the second ones, and so on."""
    counts = np.zeros(len(starts), np.int64)
    rows = np.arange(len(starts))
    at, ends = starts, starts + sizes
    found: list[tuple[Integers, Integers, Integers]] = []
    while len(rows):
        lengths, head_sizes = _text_lengths(data, at)
        firsts = at + head_sizes
        at = firsts + lengths
        if (lengths < 0).any() or (at > ends).any():
            return None
        found.append((rows, firsts, lengths))
        counts[rows] += 1
        has_more = at < ends
        rows, at, ends = rows[has_more], at[has_more], ends[has_more]
    rows, firsts, lengths = (np.concatenate(parts) for parts in zip(*found))
    order = np.argsort(rows, kind="stable")
    return take_ranges(data, firsts[order], lengths[order]), counts


def take_ranges(data: NDArray[np.uint8], starts: Integers, lengths: Integers) -> pa.Array:
    """Copy ranges of the buffer, which are in order and apart, into one array of bytes."""
    # Every second element of an array whose offsets are their edges; Arrow copies these.
    edges = np.empty(2 * len(starts), np.int64)
    edges[0::2] = starts
    edges[1::2] = starts + lengths
    buffers = [None, pa.py_buffer(edges), pa.py_buffer(data)]
    ranges = pa.Array.from_buffers(pa.large_binary(), max(0, len(edges) - 1), buffers)
    return ranges.take(pa.array(np.arange(0, len(edges), 2)))


def _spread(starts: Integers, counts: Integers, step: int) -> Integers:
    """Return `start, start + step, ...` for each start, as many as its count says."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - step * before, counts) + step * np.arange(int(counts.sum()))
