"""The numbers of a feature as they stand in the data: moments, and every value up to a limit.

Up to the limit (a million) quantiles are those of the data, exactly. Beyond it neighbouring values stand for each other:
points of the sorted data that are evenly far apart in rank, each with the number of values that it stands for. How far a
rank can be wrong is counted while that is done, so it is known and never guessed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_EXACT = 1_000_000
# What all features of a split hold together: some hundred MB.
MAX_HELD = 64_000_000
# Small parts keep so many anyway.
_MIN_LIMIT = 16_384
# Values that occur twice or more on average are kept with their counts.
_WORTH_COUNTING = 2


def limit_of(num_features: int, share: float = 1.0) -> int:
    """Return how many values of one feature are kept.

    Args:
        num_features: Numeric features of the split; beyond 64 each may keep fewer.
        share: Share of the data that the part at hand holds, above 0 and at most 1. A part keeps up to twice its share
            of a million: parts that hold unequal numbers of rows per byte still sum up to a million exactly.
    """
    most = min(MAX_EXACT, MAX_HELD // max(num_features, 1))
    return max(min(most, math.ceil(2 * most * share)), min(_MIN_LIMIT, most))


@dataclass
class Numbers:
    """What is known of the numbers of one feature; picklable.

    Attributes:
        count: Numbers that are not NaN.
        num_nan: Those that are.
        mean, squares: Their mean, and the sum of the squared distances from it (Chan, Golub and LeVeque 1979).
        low, high: The smallest and the largest.
        values: Values in rising order.
        counts: How many numbers each value stands for; `None` where that is one each.
        error: So many ranks can a rank that is read off be wrong; 0 where all is exact.
    """

    count: int = 0
    num_nan: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: Any = None
    high: Any = None
    values: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.float64))
    counts: NDArray[Any] | None = None
    error: int = 0
    _waiting: list[NDArray[Any]] = field(default_factory=list)
    _num_waiting: int = 0

    def add(self, batch: NDArray[Any], limit: int) -> None:
        """Add numbers of any numeric type; NaN are counted apart."""
        if batch.dtype.kind == "f":
            missing = np.isnan(batch)
            if missing.any():
                self.num_nan += int(missing.sum())
                batch = batch[~missing]
        if not len(batch):
            return
        self._add_moments(*_moments(batch))
        # A copy: what is given is a window on a whole batch of rows.
        self._waiting.append(np.array(batch))
        self._num_waiting += len(batch)
        if self._num_waiting > max(limit // 2, 1):
            self.fold(limit)

    def fold(self, limit: int) -> None:
        """Sort in what waits, and go below the limit."""
        if self._waiting:
            fresh = np.sort(np.concatenate(self._waiting))
            self._waiting, self._num_waiting = [], 0
            self._sort_in(*_counted(fresh))
        if len(self.values) > limit:
            self.thin(max(limit // 2, 1))

    def merge(self, other: Numbers, limit: int) -> None:
        """Add what `other` holds; `other` is used up."""
        self.fold(limit)
        other.fold(limit)
        self.num_nan += other.num_nan
        if not other.count:
            return
        self._add_moments(other.count, other.mean, other.squares, other.low, other.high)
        self.error += other.error
        self._sort_in(other.values, other.counts)
        self.fold(limit)

    def thin(self, num_points: int) -> None:
        """Let `num_points` values at most stand for all, evenly far apart in rank."""
        if len(self.values) <= num_points:
            return
        ends = np.cumsum(self._counts())
        total = int(ends[-1])
        borders = np.arange(num_points + 1, dtype=np.float64) * (total / num_points)
        edges = np.unique(np.rint(borders).astype(np.int64))
        sizes = np.diff(edges)
        middles = edges[:-1] + (sizes - 1) // 2
        picked = self.values[np.searchsorted(ends, middles, side="right")]
        starts = np.flatnonzero(np.concatenate([[True], picked[1:] != picked[:-1]]))
        self.values, self.counts = picked[starts], np.add.reduceat(sizes, starts)
        self.error += int(sizes.max() + 1) // 2

    @property
    def average(self) -> float:
        """The mean; NaN of no numbers, and of both infinities."""
        if not self.count:
            return math.nan
        ends = [float(end) for end in (self.low, self.high) if math.isinf(end)]
        return sum(ends) if ends else self.mean

    @property
    def deviation(self) -> float:
        """Standard deviation of a sample (divided by the count less one); NaN of fewer than two numbers."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else math.nan

    def quantile(self, share: float) -> int | float:
        """Return the quantile of a share, 0 to 1, of what has been folded.

        Between two values it is interpolated linearly, as NumPy and pandas do by default (Hyndman and Fan 1996, type
        7). Where values stand for others nothing is interpolated: it is the value at the nearest rank.
        """
        place = (self.count - 1) * share
        if self.error:
            return self._at(round(place))
        below = math.floor(place)
        left, right = self._at(below), self._at(min(below + 1, self.count - 1))
        part = place - below
        # The same value twice is meant as it is: of two infinities the difference is NaN, of large integers a float.
        if left == right or part == 0:
            return left
        difference = right - left
        return left + difference * part if part < 0.5 else right - difference * (1 - part)

    def _at(self, rank: int) -> int | float:
        """The number at a rank, from 0."""
        if self.counts is None:
            return _plain(self.values[rank])
        return _plain(self.values[np.searchsorted(np.cumsum(self.counts), rank, side="right")])

    @property
    def num_distinct(self) -> int:
        """Different values of those that are kept."""
        return int((self.values[1:] != self.values[:-1]).sum()) + bool(len(self.values))

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return values in rising order, and how many numbers each stands for."""
        return self.values, self._counts()

    def _counts(self) -> NDArray[Any]:
        return np.ones(len(self.values), np.int64) if self.counts is None else self.counts

    def _sort_in(self, values: NDArray[Any], counts: NDArray[Any] | None) -> None:
        if not len(self.values):
            self.values, self.counts = values, counts
            return
        together = np.concatenate([self.values, values])
        if self.counts is None and counts is None:
            self.values = np.sort(together, kind="stable")
            return
        other = np.ones(len(values), np.int64) if counts is None else counts
        weights = np.concatenate([self._counts(), other])
        order = np.argsort(together, kind="stable")
        together, weights = together[order], weights[order]
        starts = np.flatnonzero(np.concatenate([[True], together[1:] != together[:-1]]))
        self.values, self.counts = together[starts], np.add.reduceat(weights, starts)

    def _add_moments(self, count: int, mean: float, squares: float, low: Any, high: Any) -> None:
        if not self.count:
            self.count, self.mean, self.squares, self.low, self.high = count, mean, squares, low, high
            return
        total = self.count + count
        gap = mean - self.mean
        self.squares += squares + gap * gap * self.count / total * count
        self.mean += gap * count / total
        self.count, self.low, self.high = total, min(self.low, low), max(self.high, high)


def _moments(batch: NDArray[Any]) -> tuple[int, float, float, Any, Any]:
    numbers = batch.astype(np.float64)
    # Infinities have no deviation, and numbers near the largest have squares beyond it.
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(numbers.mean())
        squares = float(np.square(numbers - mean).sum())
    return len(batch), mean, squares, _plain(batch.min()), _plain(batch.max())


def _counted(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return sorted values; each once and with its count where that is shorter."""
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    if len(starts) * _WORTH_COUNTING > len(values):
        return values, None
    return values[starts], np.diff(np.concatenate([starts, [len(values)]]))


def _plain(value: Any) -> int | float:
    """A number of Python's own: integers of any size stay what they are."""
    return value.item() if hasattr(value, "item") else value
