"""Whole rows in the place of shares: how many rows of a class go into each split, and which splits groups go into.

Shares are whole-number weights, and all arithmetic is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Counts: TypeAlias = "NDArray[np.int64]"

# Of fewer ways than these to put groups into splits, each is tried.
_MAX_WAYS = 200_000
# Of more groups than these, single ones no longer matter much to the shares.
_MAX_EXCHANGED = 200
_MAX_EXCHANGES = 500


def cut(num_rows: int, weights: Sequence[int]) -> list[int]:
    """Return where each split ends when `num_rows` rows in a row are cut; each bound is rounded down.

    Example:
        >>> cut(506, [4, 1])
        [404, 506]
    """
    total = sum(weights)
    return [num_rows * sum(weights[: at + 1]) // total for at in range(len(weights))]


def apportion(counts: Counts, weights: Sequence[int]) -> Counts:
    """Return how many rows of each class go into each split.

    Each number is its exact share rounded up or down; which of the two, is chosen class by class so that all classes
    together come near the shares as well.

    Args:
        counts: The rows of each class.
        weights: The splits' shares.

    Returns:
        Of shape (classes, splits); the sum of a row is that class's count.
    """
    shares = np.array(weights, np.int64)
    total = int(shares.sum())
    exact = counts[:, None] * shares
    rows = exact // total
    rests = exact - rows * total
    open_rows = counts - rows.sum(1)
    # What each split was given too little so far, in parts of a row.
    lacks = [0] * len(weights)
    for one in np.flatnonzero(open_rows).tolist():
        rest = rests[one].tolist()
        lacks = [lack + part for lack, part in zip(lacks, rest)]
        able = [split for split, part in enumerate(rest) if part]
        able.sort(key=lambda split: -lacks[split])
        for split in able[: int(open_rows[one])]:
            rows[one, split] += 1
            lacks[split] -= total
    return rows


def place_groups(sizes: Counts, weights: Sequence[int]) -> Counts:
    """Return the split of each group, so that the rows of the splits come near their shares.

    Args:
        sizes: The rows of each group, the order being that in which equal groups are placed.
        weights: The splits' shares, at most as many as there are groups; none of the splits stays empty.
    """
    order = np.argsort(-sizes, kind="stable")
    ordered = sizes[order]
    if len(weights) ** len(sizes) <= _MAX_WAYS:
        chosen = _best_of_all(ordered, weights)
    else:
        chosen = _filled(_in_turn(ordered, weights), ordered, len(weights))
        if len(sizes) <= _MAX_EXCHANGED:
            chosen = _exchanged(chosen, ordered, weights)
    placed = np.empty(len(sizes), np.int64)
    placed[order] = chosen
    return placed


def _best_of_all(sizes: Counts, weights: Sequence[int]) -> Counts:
    """The way with the least sum of differences from the shares, the first of equal ones."""
    num_splits = len(weights)
    ways = np.indices((num_splits,) * len(sizes), np.int8).reshape(len(sizes), -1)
    rows = np.stack([((ways == split) * sizes[:, None]).sum(0) for split in range(num_splits)])
    off = np.abs(rows * sum(weights) - int(sizes.sum()) * np.array(weights, np.int64)[:, None]).sum(0)
    full = np.stack([(ways == split).any(0) for split in range(num_splits)]).all(0)
    off = np.where(full, off, np.iinfo(np.int64).max)
    best: Counts = ways[:, int(off.argmin())].astype(np.int64)
    return best


def _in_turn(sizes: Counts, weights: Sequence[int]) -> Counts:
    """Large groups first, each to the split that is least full for its share (Sainte-Laguë's rule, 1910).

    By share, not by what is lacking in rows: else all large groups would go into the largest split.
    """
    rows = [0] * len(weights)
    chosen = []
    splits = range(len(weights))
    for size in sizes.tolist():
        split = min(splits, key=lambda one: (2 * rows[one] + size) / weights[one])
        rows[split] += size
        chosen.append(split)
    return np.array(chosen, np.int64)


def _filled(chosen: Counts, sizes: Counts, num_splits: int) -> Counts:
    """Give each empty split the smallest group of the split with the most groups."""
    for split in range(num_splits):
        if (chosen == split).any():
            continue
        donor = int(np.bincount(chosen, minlength=num_splits).argmax())
        chosen[np.flatnonzero(chosen == donor)[-1]] = split
    return chosen


def _exchanged(chosen: Counts, sizes: Counts, weights: Sequence[int]) -> Counts:
    """Move a group, or exchange two, as long as it brings the rows nearer to the shares."""
    num_splits, total = len(weights), sum(weights)
    goal = int(sizes.sum()) * np.array(weights, np.int64)
    # A group of no rows stands for none: moving one group is exchanging it for that.
    with_none = np.concatenate([sizes, np.zeros(num_splits, np.int64)])
    for _ in range(_MAX_EXCHANGES):
        places = np.concatenate([chosen, np.arange(num_splits)])
        over = np.bincount(chosen, weights=sizes, minlength=num_splits).astype(np.int64) * total - goal
        moved = (with_none[:, None] - with_none[None, :]) * total
        one, other = over[places][:, None], over[places][None, :]
        gain = np.abs(one) + np.abs(other) - np.abs(one - moved) - np.abs(other + moved)
        gain[places[:, None] == places[None, :]] = 0
        alone = np.bincount(chosen, minlength=num_splits)[places] == 1
        gain[alone, len(sizes) :] = 0
        gain[len(sizes) :, :] = 0
        first, second = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[first, second] <= 0:
            break
        here, there = places[first], places[second]
        chosen[first] = there
        if second < len(sizes):
            chosen[second] = here
    return chosen


def filled_shares(rows: Sequence[int]) -> list[float]:
    """Return the share of each split, 0 to 1; of no rows at all, 0."""
    total = sum(rows)
    return [one / total if total else 0.0 for one in rows]


def bounds_to_choice(bounds: Sequence[int], num_rows: int) -> NDArray[Any]:
    """Return for each place 0 to `num_rows` - 1 the split that it lies in."""
    return np.searchsorted(np.array(bounds), np.arange(num_rows), side="right").astype(np.int16)
