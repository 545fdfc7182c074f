"""Rows that are alike, found in arrays of digests: for each row the first one that it equals, or is near to.

The first is that of the lowest number. Rows are numbered in the order of splits, files and places in a file, so which
row is kept depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.quality.row_digests import Digests

Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

NONE = -1


def first_equal(digests: Digests, chosen: Mask) -> Rows:
    """Return for each row the first chosen one with its digest, which is itself where it is the first.

    Args:
        digests: One for each row.
        chosen: Which rows count; for others `NONE` is returned.
    """
    firsts = np.full(len(digests), NONE, np.int64)
    rows, starts = _sorted(digests, chosen)
    if len(rows):
        # Sorting is stable: the first of each run is the one with the lowest number.
        firsts[rows] = np.repeat(rows[starts], np.diff(np.append(starts, len(rows))))
    return firsts


def in_conflict(digests: Digests, labelled: Digests, chosen: Mask) -> Rows:
    """Return for each chosen row the first one of equal features and another label.

    Args:
        digests: Of the features without the label.
        labelled: Of the same and the label.
        chosen: Which rows count.

    Returns:
        `NONE` for a row without conflict.
    """
    firsts = first_equal(digests, chosen)
    counted = firsts != NONE
    differs = counted.copy()
    differs[counted] = (labelled[counted] != labelled[firsts[counted]]).any(axis=1)
    rows = np.flatnonzero(differs)
    groups, at = np.unique(firsts[rows], return_index=True)
    others = np.full(len(digests), NONE, np.int64)
    if len(groups):
        places = np.minimum(np.searchsorted(groups, firsts), len(groups) - 1)
        is_in = counted & (groups[places] == firsts)
        # Rows with the label of the first contradict the first one of another.
        others[is_in] = np.where(differs, firsts, rows[at][places])[is_in]
    return others


def _sorted(digests: Digests, chosen: Mask) -> tuple[Rows, Rows]:
    """Return the chosen rows by digest, and where each run of equal ones begins."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((digests[rows, 1], digests[rows, 0]))]
    if not len(rows):
        return rows, rows
    changes = (digests[rows[1:]] != digests[rows[:-1]]).any(axis=1)
    return rows, np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changes) + 1])


def first_near(keys: Iterable[NDArray[np.uint64]], chosen: Mask, is_near: Callable[[int, int], bool]) -> Rows:
    """Return for each chosen row the first kept one that it is near to; itself where it is kept.

    Rows are taken in order. One that is near to a row kept before is its copy; any other is kept. Only rows that share a
    key with another are compared.

    Args:
        keys: Several arrays of a key for each row: near rows share one of them, at least very likely.
        chosen: Which rows count; for others `NONE` is returned.
        is_near: Whether two rows are.
    """
    firsts = np.where(chosen, np.arange(len(chosen)), NONE)
    # Numbers in an array, of shape (rows, keys): sets and mappings of all rows would take fifty times the memory.
    shared = np.column_stack([_shared(key, chosen) for key in keys])
    kept: list[dict[int, list[int]]] = [{} for _ in range(shared.shape[1])]
    for row in map(int, np.flatnonzero((shared != NONE).any(axis=1))):
        mine = [(band, number) for band, number in enumerate(shared[row].tolist()) if number != NONE]
        others = sorted({other for band, number in mine for other in kept[band].get(number, ())})
        near = next((other for other in others if is_near(other, row)), None)
        if near is not None:
            firsts[row] = near
            continue
        for band, number in mine:
            kept[band].setdefault(number, []).append(row)
    return firsts


def _shared(key: NDArray[np.uint64], chosen: Mask) -> NDArray[np.int32]:
    """Number the keys that several chosen rows have, and return that of each row; `NONE` where it shares none."""
    rows = np.flatnonzero(chosen)
    order = rows[np.argsort(key[rows], kind="stable")]
    same = key[order[1:]] == key[order[:-1]]
    is_shared: NDArray[Any] = np.zeros(len(order), bool)
    is_shared[1:] |= same
    is_shared[:-1] |= same
    starts = np.ones(len(order), np.int32)
    starts[1:] = ~same
    numbers = np.full(len(chosen), NONE, np.int32)
    numbers[order[is_shared]] = np.cumsum(starts, dtype=np.int32)[is_shared]
    return numbers
