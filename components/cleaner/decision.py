"""Between the passes: which rows go, for which reason, and what they are copies of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.components.cleaner.request import Request
from headrace.components.cleaner.scan import FAULTS, PartScan
from headrace.formats.cleaning_reports import (
    CONFLICT,
    DROP,
    DUPLICATE,
    KEEP,
    NEAR_DUPLICATE,
    QUARANTINE,
    REASONS,
    Count,
)
from headrace.quality import groups
from headrace.quality.groups import NONE, Mask, Rows
from headrace.quality.row_arrays import RowArrays

CODES = {KEEP: 0, DROP: 1, QUARANTINE: 2}


@dataclass(frozen=True)
class Found:
    """Rows in which one thing was found.

    Attributes:
        rows: Their numbers over all splits, rising.
        of: For each the row that it is a copy of; `NONE` where it is none.
        action: What is done about each, as `CODES` says: a row that went for an earlier reason is not counted again.
        detail: In words, what is near; empty where the rows say themselves what is wrong.
    """

    rows: Rows
    of: Rows
    action: NDArray[np.uint8]
    detail: str = ""


@dataclass(frozen=True)
class Decision:
    """What becomes of all rows.

    Attributes:
        starts: The number of the first row of each part, and that of all rows.
        action: By row, as `CODES` says.
        found: By reason, in the order of `REASONS`; near duplicates once for each measure.
    """

    starts: NDArray[np.int64]
    action: NDArray[np.uint8]
    found: Sequence[tuple[str, Found]]

    def of_part(self, index: int) -> Decision:
        """Return the same for one part: rows are numbered in the part, what they are copies of over all."""
        start, end = int(self.starts[index]), int(self.starts[index + 1])
        pieces = []
        for reason, found in self.found:
            first, last = np.asarray(np.searchsorted(found.rows, np.array([start, end]))).tolist()
            if first < last:
                piece = slice(first, last)
                own = Found(found.rows[piece] - start, found.of[piece], found.action[piece], found.detail)
                pieces.append((reason, own))
        return Decision(np.array([start, end]), self.action[start:end], pieces)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found in any row."""
        return not self.found


def decide(request: Request, scans: Sequence[PartScan], folder: str) -> Decision:
    """Decide on all rows; see `headrace.components.cleaner.component.Cleaner` for the order of reasons."""
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum([scan.num_rows for scan in scans])])
    total = int(starts[-1])
    action = np.zeros(total, np.uint8)
    found: list[tuple[str, Found]] = []
    arrays = RowArrays(folder)
    for reason in REASONS:
        code = CODES.get(request.actions.get(reason, ""))
        if code is None or not total:
            continue
        for of, is_found, detail in _look(reason, request, arrays, action):
            # What went for an earlier reason was found here too: told, and not removed twice.
            goes = is_found & (action == CODES[KEEP])
            rows = np.flatnonzero(is_found)
            if len(rows):
                done = np.where(goes[rows], code, CODES[KEEP]).astype(np.uint8)
                found.append((reason, Found(rows, of[rows], done, detail)))
            action[goes] = code
    return Decision(starts, action, found)


def _look(
    reason: str, request: Request, arrays: RowArrays, action: NDArray[np.uint8]
) -> list[tuple[Rows, Mask, str]]:
    """Return for each way of looking what rows are copies of, which were found, and words on it."""
    stays: Mask = action == CODES[KEEP]
    nothing = np.full(len(action), NONE, np.int64)
    if reason in FAULTS:
        return [(nothing, (np.asarray(arrays["faults"]) & FAULTS[reason]) > 0, "")]
    if reason == CONFLICT:
        firsts = groups.in_conflict(np.asarray(arrays["bare"]), np.asarray(arrays["digests"]), stays)
        return [(firsts, firsts != NONE, "")]
    if reason == DUPLICATE:
        firsts = groups.first_equal(np.asarray(arrays["digests"]), stays)
        return [(firsts, (firsts != NONE) & (firsts != np.arange(len(firsts))), "")]
    assert reason == NEAR_DUPLICATE
    return _near(request, arrays, stays)


def _near(request: Request, arrays: RowArrays, stays: Mask) -> list[tuple[Rows, Mask, str]]:
    found = []
    left = stays.copy()
    goes = request.actions[NEAR_DUPLICATE] != KEEP
    for number, measure in enumerate(request.measures):
        chosen = left & np.asarray(arrays[f"valid-{number}"])
        if DUPLICATE in request.actions and request.actions[DUPLICATE] == KEEP:
            # Equal rows that were to stay are told as that, and not again as near ones.
            equal = groups.first_equal(np.asarray(arrays["digests"]), chosen)
            chosen &= equal == np.arange(len(equal))
        firsts = measure.firsts(arrays[f"near-{number}"], chosen)
        is_copy = (firsts != NONE) & (firsts != np.arange(len(firsts)))
        found.append((firsts, is_copy, measure.words))
        if goes:
            left &= ~is_copy
    return found


def counts(request: Request, decision: Decision) -> list[Count]:
    """Return what was found, by split and reason."""
    by_place: dict[tuple[str, str], list[int]] = {}
    for part in request.parts:
        start, end = decision.starts[part.index], decision.starts[part.index + 1]
        for reason, found in decision.found:
            first, last = np.asarray(np.searchsorted(found.rows, np.array([start, end]))).tolist()
            numbers = np.bincount(found.action[first:last], minlength=len(CODES))
            place = by_place.setdefault((part.split, reason), [0] * len(CODES))
            by_place[part.split, reason] = [a + int(b) for a, b in zip(place, numbers)]
    return [
        Count(split, reason, numbers[CODES[KEEP]], numbers[CODES[DROP]], numbers[CODES[QUARANTINE]])
        for (split, reason), numbers in sorted(by_place.items(), key=lambda item: _order(request, item[0]))
        if any(numbers)
    ]


def _order(request: Request, place: tuple[str, str]) -> tuple[int, int]:
    return list(request.splits).index(place[0]), REASONS.index(place[1])


def rows_by_split(request: Request, numbers: Sequence[int]) -> Mapping[str, int]:
    """Return the sum for each split of a number for each part."""
    found = dict.fromkeys(request.splits, 0)
    for part in request.parts:
        found[part.split] += int(numbers[part.index])
    return found
