"""Distinct numbers in their order, and the weight of each in several groups: exact up to a bound, then neighbours share.

Area under curves, medians and thresholds are computed of them. Beyond the bound each two neighbours become one, so that the
share of rows in one place stays below two divided by the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Array: TypeAlias = NDArray[np.float64]

# Numbers that all of an accumulator may hold: 4 MB.
BUDGET = 500_000
_LEAST = 1_000
_PENDING_ROWS = 32_768


def limit(num_columns: int, num_groups: int) -> int:
    """Return how many distinct numbers each of so many columns may keep."""
    return max(_LEAST, BUDGET // (num_columns * (num_groups + 1)))


@dataclass
class Ranked:
    """Distinct numbers and their weights.

    Attributes:
        num_groups: Columns of `weights`.
        limit: The most numbers to keep.
        values: Distinct, ascending.
        weights: Of shape (values, groups).
        pending: Values and weights that are to be sorted in.
    """

    num_groups: int
    limit: int
    values: _Array = field(default_factory=lambda: np.zeros(0))
    weights: _Array = field(default_factory=lambda: np.zeros((0, 0)))
    pending: list[tuple[_Array, _Array]] = field(default_factory=list)

    def add(self, values: NDArray[Any], groups: NDArray[Any], weights: NDArray[Any]) -> None:
        """Add numbers of shape (rows,), each to one group with its weight."""
        by_group = np.zeros((len(values), self.num_groups))
        by_group[np.arange(len(values)), groups.astype(np.int64)] = weights
        self._extend(values.astype(np.float64), by_group)

    def _extend(self, values: _Array, weights: _Array) -> None:
        self.pending.append((values, weights))
        # Sorting in costs as much as what is there: it waits until there is as much to sort in.
        if sum(len(one) for one, _ in self.pending) > max(_PENDING_ROWS, len(self.values)):
            self.settle()

    def settle(self) -> Ranked:
        """Sort in what is pending, and return itself."""
        if self.pending:
            parts = self.pending if not len(self.values) else [(self.values, self.weights), *self.pending]
            self.pending = []
            together = np.concatenate([values for values, _ in parts])
            order = np.argsort(together, kind="stable")
            together = together[order]
            if len(together):
                starts = np.flatnonzero(np.concatenate([[True], together[1:] != together[:-1]]))
                self.values = together[starts]
                self.weights = np.add.reduceat(
                    np.concatenate([one for _, one in parts])[order], starts, axis=0
                )
            while len(self.values) > self.limit:
                starts = np.arange(0, len(self.values), 2)
                self.values, self.weights = self.values[starts], np.add.reduceat(self.weights, starts, axis=0)
        if not len(self.values):
            self.weights = np.zeros((0, self.num_groups))
        return self

    def merged(self, other: Ranked) -> Ranked:
        """Return the numbers of both; neither is changed."""
        result = Ranked(self.num_groups, self.limit)
        for one in (self, other):
            one.settle()
            if len(one.values):
                result._extend(one.values, one.weights)
        return result.settle()

    def of_two(self, positive: NDArray[Any] | list[int], negative: NDArray[Any] | list[int]) -> TwoClasses:
        """Return the numbers with the weights of two sets of groups."""
        self.settle()
        return TwoClasses(
            self.values, self.weights[:, positive].sum(axis=1), self.weights[:, negative].sum(axis=1)
        )


@dataclass(frozen=True)
class TwoClasses:
    """Distinct scores, ascending, and the weight of positive and negative rows at each."""

    scores: _Array
    positive: _Array
    negative: _Array

    @property
    def auc(self) -> float:
        """Area under the ROC curve, by trapezoids; NaN where one class has no row."""
        total = self.positive.sum() * self.negative.sum()
        below = np.cumsum(self.negative) - self.negative / 2
        return float(self.positive @ below / total) if total > 0 else float("nan")

    @property
    def average_precision(self) -> float:
        """Sum of precisions, weighted by the steps of recall; NaN where there is no positive row."""
        total = self.positive.sum()
        if not total > 0:
            return float("nan")
        true, false = (np.cumsum(one[::-1]) for one in (self.positive, self.negative))
        called = true + false
        precision = np.divide(true, called, out=np.zeros_like(called), where=called > 0)
        return float(self.positive[::-1] @ precision / total)

    def counts(self) -> tuple[_Array, _Array, _Array]:
        """Thresholds, true and false positives at each: between two scores, and below and above all.

        A threshold half-way between two scores means the same whether scores equal to it count or not.
        """
        if not len(self.scores):
            return np.zeros(0), np.zeros(0), np.zeros(0)
        middle = (self.scores[1:] + self.scores[:-1]) / 2
        # Where nothing calls all rows positive, the lowest score less a little does.
        thresholds = np.concatenate([[np.nextafter(self.scores[0], -np.inf)], middle, [self.scores[-1]]])
        true, false = (
            np.concatenate([np.cumsum(one[::-1])[::-1], [0.0]]) for one in (self.positive, self.negative)
        )
        return thresholds, true, false


def together(parts: list[TwoClasses]) -> TwoClasses:
    """Return the scores of all, as if they were of one column."""
    scores, at = np.unique(np.concatenate([one.scores for one in parts]), return_inverse=True)
    sums = [
        np.bincount(at.reshape(-1), np.concatenate([getattr(one, name) for one in parts]), len(scores))
        for name in ("positive", "negative")
    ]
    return TwoClasses(scores, *sums)
