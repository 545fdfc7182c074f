"""A sample of a feature's values that parts of the data can be merged to, whatever their sizes.

Each value has a number that depends on its place alone and is as good as drawn at random; those with the smallest are
the sample. Of each part it is known below which number nothing was let go, so what is below the least of these numbers
is an even sample of all parts (bottom-k sampling; Cohen and Kaplan, "Summarizing data using bottom-k sketches", 2007).
The same rows in the same files give the same sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALL = (1 << 64) - 1


@dataclass
class ValueSample:
    """A sample of values; picklable.

    Attributes:
        first: Place of the first value among all of the data: no two samples that are merged share one.
        seen: Values that were seen.
        below: Nothing with a smaller number was let go.
        numbers: Of the values that are kept, uint64.
        values: The values.
        sizes: Roughly the bytes that each takes.
    """

    first: int = 0
    seen: int = 0
    below: int = _ALL
    numbers: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    values: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def add(
        self, count: int, take: Callable[[NDArray[np.int64]], list[tuple[Any, int]]], limit: Limit
    ) -> None:
        """Add values.

        Args:
            count: How many.
            take: Called with the places of those that are kept; returns each with its size.
            limit: What may be held.
        """
        numbers = _numbers(self.first + self.seen, count)
        self.seen += count
        # Far more than may be held would be taken only to be let go.
        if count > limit.values:
            self.below = min(self.below, int(np.partition(numbers, limit.values)[limit.values]))
        places = np.flatnonzero(numbers < np.uint64(self.below)).astype(np.int64)
        for value, size in take(places) if len(places) else ():
            self.values.append(value)
            self.sizes.append(size)
        self.numbers = np.concatenate([self.numbers, numbers[places]])
        if len(self.values) > 2 * limit.values or sum(self.sizes) > 2 * limit.size_bytes:
            self.trim(limit)

    def merge(self, other: ValueSample, limit: Limit) -> None:
        """Add the sample of other values; nothing is added to what was merged but other samples."""
        self.seen += other.seen
        self.below = min(self.below, other.below)
        self.numbers = np.concatenate([self.numbers, other.numbers])
        self.values += other.values
        self.sizes += other.sizes
        self.trim(limit)

    def trim(self, limit: Limit) -> None:
        """Let go of what is more than may be held, the largest numbers first; one value stays, however large it is."""
        order = np.argsort(self.numbers, kind="stable")
        order = order[: int(np.searchsorted(self.numbers[order], np.uint64(self.below)))]
        sizes = np.cumsum([self.sizes[at] for at in order])
        most = max(min(limit.values, int(np.searchsorted(sizes, limit.size_bytes, side="right"))), 1)
        if len(order) > most:
            self.below = int(self.numbers[order[most]])
        kept = order[:most]
        self.numbers = self.numbers[kept]
        self.values = [self.values[at] for at in kept]
        self.sizes = [self.sizes[at] for at in kept]


@dataclass(frozen=True)
class Limit:
    """What a sample may hold.

    Attributes:
        values: Values.
        size_bytes: Bytes of all of them.
    """

    values: int
    size_bytes: int


def _numbers(first: int, count: int) -> NDArray[np.uint64]:
    """Mix the places of values to numbers that are spread evenly, no two alike (SplitMix64; Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
