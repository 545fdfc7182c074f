"""Splits that are no single comparison, as several nodes of one that each are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headrace.models.exporters.estimators.trees import Tree


class Nodes:
    """The nodes of a tree as they are added; children are the numbers that `split` and `leaf` are given.

    Args:
        count: How many nodes there are before any is split into several.
        width: How many values a leaf has.
    """

    def __init__(self, count: int, width: int = 1) -> None:
        self._nodes: list[tuple[int, int, int, float, bool]] = [(-1, -1, 0, 0.0, False)] * count
        self._values = np.zeros((count, width))

    def leaf(self, number: int, value: Any, place: int = 0) -> None:
        """Say what a leaf is worth."""
        self._values[number, place] = value

    def split(
        self,
        number: int,
        feature: int,
        bounds: Sequence[float],
        children: tuple[int, int],
        missing_left: bool,
    ) -> None:
        """Say where a node sends what it gets.

        Args:
            number: The node.
            feature: The column that it looks at.
            bounds: In ascending order. What is at most the first goes to the first child, what is above it and at most
                the second goes to the second child, and so on in turn. Without any, all goes to the first.
            children: The first and the second.
            missing_left: Whether a missing value goes to the first child.
        """
        missing = children[0] if missing_left else children[1]
        ends = [children[place % 2] for place in range(max(len(bounds), 1) + 1)]
        self._between(number, feature, list(bounds) or [np.inf], ends, missing)

    def _between(self, number: int, feature: int, bounds: list[float], ends: list[int], missing: int) -> None:
        middle = len(bounds) // 2
        left = self._part(feature, bounds[:middle], ends[: middle + 1], missing)
        right = self._part(feature, bounds[middle + 1 :], ends[middle + 1 :], missing)
        # Either side leads a missing value on: each of its nodes does the same with it.
        is_left = missing == left or (missing != right and bool(bounds[:middle]))
        self._nodes[number] = (left, right, feature, bounds[middle], is_left)

    def _part(self, feature: int, bounds: list[float], ends: list[int], missing: int) -> int:
        if not bounds:
            return ends[0]
        self._nodes.append((-1, -1, 0, 0.0, False))
        number = len(self._nodes) - 1
        self._between(number, feature, bounds, ends, missing)
        return number

    def tree(self) -> Tree:
        """Return all of it."""
        left, right, feature, threshold, missing = map(np.asarray, zip(*self._nodes))
        added = len(self._nodes) - len(self._values)
        values = np.pad(self._values, [(0, added), (0, 0)])
        arrays = tuple(map(np.asarray, (left, right, feature, threshold, missing)))
        return Tree(arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], values)


def bounds_of(categories: Sequence[int]) -> list[float]:
    """Return the bounds between numbers of categories that are looked for and all others.

    Numbers are cut off to whole ones: 2.7 is category 2, and -0.3 is category 0. What is below the first bound is none
    of them.

    Example:
        >>> bounds_of([2, 3])
        [1.9999999999999998, 3.9999999999999996]
    """
    found: list[float] = []
    for category in sorted(set(categories)):
        below = np.nextafter(float(category), -np.inf) if category else -1.0
        if found and found[-1] == below:
            found.pop()
        else:
            found.append(float(below))
        found.append(float(np.nextafter(category + 1.0, -np.inf)))
    return found
