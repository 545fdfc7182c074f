"""Rows whose hashes of 64 bits differ in few bits, without comparing each with each.

Multi-index hashing: hashes that differ in at most `distance` bits differ in at most `distance // m` bits in one of `m` parts.
So a hash is looked up in a table of each part, under the part's own bits and all that differ from them in so few, and what
stands there is compared. Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012.
Where few rows share a part of `distance + 1` parts, as at small distances, the tables cost more than to compare those few.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.quality import groups
from headrace.quality.groups import NONE, Mask, Rows

Hashes: TypeAlias = NDArray[np.uint64]

_BITS = 64
# Rows that are looked up together, before what is kept of them is in a table.
_BLOCK_ROWS = 1024
# Rows of a block that are compared with the rest of it together: what this makes stays in the processor's cache.
_STRIP_ROWS = 32
# A pair that is compared by itself takes about as long as these in a table; the tables cost so many for each row.
_PAIRS_PER_ROW = 8
# Pairs that are compared together.
_MAX_PAIRS = 1 << 21
# A table has a place for each value of its part, which of few rows costs more than it saves.
_MANY_ROWS = 400_000
_MAX_PART_BITS, _MAX_PART_BITS_OF_MANY = 16, 22
_MIN_PART_BITS = 8


def first_near(hashes: Hashes, chosen: Mask, distance: int) -> Rows:
    """Return for each chosen row the first kept one whose hash differs in at most `distance` bits; itself where it is kept.

    Rows are taken in order. One that is near to a row kept before is its copy; any other is kept.

    Args:
        hashes: One for each row.
        chosen: Which rows count; for others `NONE` is returned.
        distance: 0 to 64.
    """
    firsts = np.full(len(hashes), NONE, np.int64)
    rows = np.flatnonzero(chosen)
    # Rows of one hash have one kept row: the first of them, or that which this is near to.
    _, at, same = np.unique(hashes[rows], return_index=True, return_inverse=True)
    order = np.argsort(at, kind="stable")
    places = rows[at[order]]
    found = _first_near(hashes[places], distance)
    of_unique = np.empty(len(places), np.int64)
    of_unique[order] = places[found]
    firsts[rows] = of_unique[same.reshape(-1)]
    return firsts


def _first_near(hashes: Hashes, distance: int) -> Rows:
    """The same of hashes that all differ, as places among them."""
    if _are_few_pairs(hashes, distance):
        return _by_pairs(hashes, distance)
    firsts = np.arange(len(hashes))
    # Two tables: what was kept lately is put into the large one when it is as much.
    old, new = _Tables(hashes[:0], np.zeros(0, np.int64), distance), np.zeros(0, np.int64)
    for start in range(0, len(hashes), _BLOCK_ROWS):
        block = hashes[start : start + _BLOCK_ROWS]
        best = np.full(len(block), len(hashes), np.int64)
        for table in (old, _Tables(hashes[new], new, distance)):
            table.look_up(block, best)
        is_new = np.flatnonzero(best == len(hashes))
        best[is_new] = start + is_new[_within(block[is_new], distance)]
        firsts[start : start + len(block)] = best
        kept = start + np.flatnonzero(best == np.arange(start, start + len(block)))
        new = np.concatenate([new, kept])
        if len(new) > max(_BLOCK_ROWS, len(old.rows)):
            rows = np.concatenate([old.rows, new])
            old, new = _Tables(hashes[rows], rows, distance), new[:0]
    return firsts


def _are_few_pairs(hashes: Hashes, distance: int) -> bool:
    """Whether so few rows share one of `distance + 1` parts that to compare each of them is the least work."""
    most = _PAIRS_PER_ROW * len(hashes)
    # As many share parts of hashes at random; real ones share more.
    if (
        distance >= _BITS
        or (distance + 1) * len(hashes) / 2 ** (_BITS // (distance + 1)) > 2 * _PAIRS_PER_ROW
    ):
        return False
    num_pairs = 0.0
    for key in _keys(hashes, distance):
        counts = np.unique(key, return_counts=True)[1]
        # Counted in floats: pairs of all rows may be more than 64 bits hold.
        num_pairs += float(np.sum(counts * (counts - 1.0))) / 2
        if num_pairs > most:
            return False
    return True


def _by_pairs(hashes: Hashes, distance: int) -> Rows:
    numbers = hashes.tolist()
    return groups.first_near(
        _keys(hashes, distance),
        np.ones(len(hashes), bool),
        lambda a, b: (numbers[a] ^ numbers[b]).bit_count() <= distance,
    )


def _keys(hashes: Hashes, distance: int) -> Iterator[Hashes]:
    """Of hashes that differ in at most `distance` bits, one of so many parts and one more is the same."""
    edges = [_BITS * at // (distance + 1) for at in range(distance + 2)]
    for start, end in itertools.pairwise(edges):
        yield (hashes >> np.uint64(start)) & np.uint64((1 << (end - start)) - 1)


def _within(block: Hashes, distance: int) -> NDArray[np.int64]:
    """Return for each of a few hashes the first kept one among them that it is near to."""
    firsts = np.arange(len(block))
    for start in range(0, len(block), _STRIP_ROWS):
        is_near = num_bits(block[start : start + _STRIP_ROWS, None] ^ block[start:]) <= distance
        for inner in np.flatnonzero(is_near.sum(1) > 1):
            place = start + inner
            if firsts[place] == place:
                later = firsts[place:]
                later[is_near[inner, inner:] & (later == np.arange(place, len(block)))] = place
    return firsts


@dataclass(frozen=True)
class _Part:
    """Some neighbouring bits, and what they may differ in."""

    start: int
    num_bits: int
    masks: NDArray[np.uint64]

    def of(self, hashes: Hashes) -> Hashes:
        return (hashes >> np.uint64(self.start)) & np.uint64((1 << self.num_bits) - 1)


class _Tables:
    """Kept hashes by each of their parts.

    Args:
        hashes: The hashes.
        rows: Their places, ascending.
        distance: In how many bits those that are looked up may differ.
    """

    def __init__(self, hashes: Hashes, rows: NDArray[np.int64], distance: int) -> None:
        self.rows = rows
        self._hashes = hashes
        self._distance = distance
        # By its own size: a small table, which is made again for each block, has small parts.
        self._parts = _parts(len(rows), distance) if len(rows) else ()
        self._sorted = []
        for part in self._parts:
            keys = part.of(hashes).astype(np.uint16 if part.num_bits <= 16 else np.uint32)
            # NumPy sorts numbers of 16 bits by radix.
            order = np.argsort(keys, kind="stable")
            counts = np.bincount(keys, minlength=1 << part.num_bits)
            self._sorted.append((order, np.concatenate([[0], np.cumsum(counts)])))

    def look_up(self, block: Hashes, best: NDArray[np.int64]) -> None:
        """Write the first row that each hash is near to into `best`, where it is before what stands there."""
        for part, (order, starts) in zip(self._parts, self._sorted):
            keys = part.of(block)
            for masks in _some(part.masks, len(block)):
                wanted = (keys[:, None] ^ masks).ravel()
                begin, counts = starts[wanted], starts[wanted + np.uint64(1)] - starts[wanted]
                asked = np.flatnonzero(counts)
                for some in _of_bounded_sum(asked, counts[asked]):
                    self._compare(block, some, len(masks), order, begin, counts, best)

    def _compare(
        self,
        block: Hashes,
        asked: NDArray[np.int64],
        num_masks: int,
        order: NDArray[np.int64],
        begin: NDArray[np.int64],
        counts: NDArray[np.int64],
        best: NDArray[np.int64],
    ) -> None:
        lengths = counts[asked]
        ends = np.cumsum(lengths)
        inner = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        there = order[np.repeat(begin[asked], lengths) + inner]
        mine = np.repeat(asked // num_masks, lengths)
        is_near = num_bits(self._hashes[there] ^ block[mine]) <= self._distance
        np.minimum.at(best, mine[is_near], self.rows[there[is_near]])


def _some(masks: NDArray[np.uint64], num_rows: int) -> Iterator[NDArray[np.uint64]]:
    size = max(1, _MAX_PAIRS // max(1, num_rows))
    for start in range(0, len(masks), size):
        yield masks[start : start + size]


def _of_bounded_sum(places: NDArray[np.int64], counts: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield places in groups whose counts come to no more than memory holds, but for a single one."""
    if len(places):
        groups = np.cumsum(counts) // _MAX_PAIRS
        yield from np.split(places, np.flatnonzero(np.diff(groups)) + 1)


def _parts(num_rows: int, distance: int) -> tuple[_Part, ...]:
    """Divide the bits into as many parts as make the least work for so many rows."""

    def work(num_parts: int) -> float:
        width, radius = _BITS / num_parts, distance // num_parts
        num_masks = sum(math.comb(math.ceil(width), k) for k in range(radius + 1))
        return num_parts * num_masks * (1 + num_rows / 2**width)

    widest = _MAX_PART_BITS if num_rows < _MANY_ROWS else _MAX_PART_BITS_OF_MANY
    least, most = math.ceil(_BITS / widest), _BITS // _MIN_PART_BITS
    number = min(range(least, most + 1), key=work)
    edges = [_BITS * at // number for at in range(number + 1)]
    return tuple(
        _Part(start, end - start, _masks(end - start, distance // number))
        for start, end in itertools.pairwise(edges)
    )


@functools.lru_cache(maxsize=64)
def _masks(width: int, radius: int) -> NDArray[np.uint64]:
    """All numbers of so many bits of which at most `radius` are set."""
    return np.array(
        [
            sum(1 << place for place in places)
            for count in range(min(radius, width) + 1)
            for places in itertools.combinations(range(width), count)
        ],
        np.uint64,
    )


def num_bits(values: Hashes) -> NDArray[Any]:
    """Return how many bits are set in each number of 64 bits; NumPy knows it from version 2 on."""
    counted = getattr(np, "bitwise_count", None)
    if counted is not None:
        return np.asarray(counted(values))
    one, two, four = (np.uint64(int(pattern * 8, 16)) for pattern in ("55", "33", "0f"))
    values = values - ((values >> np.uint64(1)) & one)
    values = (values & two) + ((values >> np.uint64(2)) & two)
    values = (values + (values >> np.uint64(4))) & four
    return (values * np.uint64(0x0101010101010101)) >> np.uint64(56)
