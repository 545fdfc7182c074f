"""Numbers: text among them, NaN and infinity, far outliers, values that are missing."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.components.example_validator.row_checks.check import (
    Found,
    Noter,
    RowCheck,
    Scanned,
    Tally,
    over_share,
    rows_in_words,
)
from headrace.quality import features
from headrace.quality.survey import BYTES, FLOAT, INTEGER, TEXT, Survey

_SAMPLE = 20_000
_EXTREMES = 50
_MAX_DIGITS = 40
_LEAST_VALUES = 20


@dataclass
class Kept:
    """What is kept of the values of a feature in a split.

    Attributes:
        values: Some of its finite values.
        extremes: Its lowest and highest values, each with its row in the file, later in the split.
        num_numbers: How many values are numbers.
        num_texts: How many are other texts.
        num_seen: How many finite values were seen.
        step: Each so-manieth of these is kept.
    """

    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    extremes: tuple[list[tuple[float, int]], list[tuple[float, int]]] = field(
        default_factory=lambda: ([], [])
    )
    num_numbers: int = 0
    num_texts: int = 0
    num_seen: int = 0
    step: int = 1


class Numbers(RowCheck):
    """The check `numbers`."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        survey.check_names([*(spec["features"] or []), *(spec["required"] or [])], self.where)
        kinds = (INTEGER, FLOAT, TEXT, BYTES)
        self._names = spec["features"] or [name for kind in kinds for name in survey.of_kind(kind)]

    def note(self, batch: pa.RecordBatch, noter: Noter) -> None:
        """Look at the values of each feature."""
        for name in self.spec["required"] or []:
            column = features.column_of(batch, name)
            for row in range(batch.num_rows) if column is None else _empty(column):
                noter.note(int(row), ("missing", name), "no value", first=[name])
        for name in self._names:
            column = features.column_of(batch, name)
            if column is not None:
                self._note_feature(name, column, noter)

    def _note_feature(self, name: str, column: pa.Array, noter: Noter) -> None:
        kept: Kept = noter.tally.more.setdefault(name, Kept())
        rows = features.rows_of(column)
        if features.is_bytes(column):
            values, rows, texts = _parsed(column, rows)
            kept.num_texts += len(texts)
            for row, text in texts[:1000]:
                noter.note(row, ("text", name), repr(text), first=[name])
        else:
            values = features.numbers_of(column).astype(np.float64)
        kept.num_numbers += len(values)
        finite = np.isfinite(values)
        if self.spec["not_finite"]:
            for at in np.flatnonzero(~finite).tolist():
                noter.note(int(rows[at]), ("not finite", name), str(values[at]), first=[name])
        if self.spec["outliers"] is not None:
            _keep(kept, values[finite], rows[finite] + noter.first)

    def merge(self, tally: Tally, later: Tally, num_before: int) -> None:
        """Merge what was kept of each feature; rows of a later file get their number in the split."""
        for name, kept in later.more.items():
            own: Kept = tally.more.setdefault(name, Kept())
            own.values = np.concatenate([own.values, kept.values])
            own.num_numbers += kept.num_numbers
            own.num_texts += kept.num_texts
            for mine, theirs in zip(own.extremes, kept.extremes):
                mine += [(value, row + num_before) for value, row in theirs]

    def conclude(self, scanned: Scanned) -> Found:
        """Say what is wrong with each feature of numbers, or of texts that are mostly numbers."""
        overall: dict[str, list[Kept]] = {}
        for split in scanned.splits:
            for name, kept in scanned.tally(split).more.items():
                overall.setdefault(name, []).append(kept)
        share = self.spec["text_among_numbers"]
        for name in self.spec["required"] or []:
            for split in scanned.splits:
                yield from self._rule(scanned, split, ("missing", name), name)
        for name, several in sorted(overall.items()):
            numbers, texts = sum(one.num_numbers for one in several), sum(one.num_texts for one in several)
            if not numbers or numbers < share * (numbers + texts):
                continue
            bounds = self._bounds(several)
            for split in scanned.splits:
                yield from self._rule(scanned, split, ("text", name), name)
                yield from self._rule(scanned, split, ("not finite", name), name)
                yield from self._outliers(scanned, split, name, bounds)

    def _rule(self, scanned: Scanned, split: str, key: tuple[str, str], name: str) -> Found:
        problem, text, reason = {
            "missing": ("Missing values", "without a value", "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
            "text": (
                "Text among numbers",
                "text, where other values are numbers",
                "FLOAT_TYPE_STRING_NOT_FLOAT",
            ),
            "not finite": ("Not finite", "NaN or infinite", "FLOAT_TYPE_HAS_NAN"),
        }[key[0]]
        yield from over_share(self, scanned, split, key, name, problem, text, is_error=True, reason=reason)

    def _bounds(self, several: list[Kept]) -> tuple[float, float] | None:
        values = np.concatenate([one.values for one in several])
        if self.spec["outliers"] is None or len(values) < _LEAST_VALUES:
            return None
        first, third = np.asarray(np.quantile(values, [0.25, 0.75])).tolist()
        width = self.spec["outliers"] * (third - first)
        # Of a feature that is nearly constant all other values would be far.
        return (first - width, third + width) if third > first else None

    def _outliers(self, scanned: Scanned, split: str, name: str, bounds: tuple[float, float] | None) -> Found:
        kept = scanned.tally(split).more.get(name)
        if bounds is None or not isinstance(kept, Kept):
            return
        low, high = kept.extremes
        far = sorted({one for one in low if one[0] < bounds[0]} | {one for one in high if one[0] > bounds[1]})
        if not far or len(far) <= self.spec["max_share"] * scanned.num_rows[split]:
            return
        start, _ = scanned.bounds(split)
        shown = far[-6:] if len(far) > 6 else far
        samples = scanned.samples([start + row for _, row in shown], [f"{value:.6g}" for value, _ in shown])
        is_least = len(far) >= _EXTREMES
        words = ", ".join(f"row {one.row:,} ({one.note})" for one in samples[:3])
        number = rows_in_words(len(far), scanned.num_rows[split])
        yield (
            split,
            self.finding(
                name,
                "Far outliers",
                f"{'at least ' if is_least else ''}{number} {'lies' if len(far) == 1 else 'lie'} outside of {bounds[0]:.4g} to {bounds[1]:.4g}, "
                f"{self.spec['outliers']:g} times the distance of the quartiles beyond these: {words}.",
                is_error=False,
                num_rows=len(far),
                reason="FLOAT_TYPE_BIG_FLOAT",
                samples=samples,
            ),
        )


def _empty(column: pa.Array) -> NDArray[np.int64]:
    """Return the rows without a value; a text of no characters is none."""
    counts = features.counts_of(column)
    if features.is_bytes(column):
        rows, values = features.rows_of(column), column.flatten().to_pylist()
        filled = rows[[bool(value.strip()) for value in values]] if values else rows
        counts = np.bincount(filled, minlength=len(column))
    return np.flatnonzero(counts == 0)


def _parsed(
    column: pa.Array, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[tuple[int, str]]]:
    """Return the numbers among texts with their rows, and the other texts with theirs; empty ones are neither."""
    numbers: list[float] = []
    places: list[int] = []
    texts: list[tuple[int, str]] = []
    for row, value in zip(rows.tolist(), column.flatten().to_pylist()):
        if not value.strip():
            continue
        try:
            if len(value) > _MAX_DIGITS or b"_" in value:
                raise ValueError
            numbers.append(float(value))
            places.append(row)
        except ValueError:
            texts.append((row, value[: 2 * _MAX_DIGITS].decode("utf-8", "replace")))
    return np.array(numbers, np.float64), np.array(places, np.int64), texts


def _keep(kept: Kept, values: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
    """Keep the extremes of values, and some of them."""
    low, high = kept.extremes
    count = min(_EXTREMES, len(values))
    if count:
        order = np.argpartition(values, count - 1)[:count]
        least = [(float(values[at]), int(rows[at])) for at in order]
        order = np.argpartition(-values, count - 1)[:count]
        most = [(float(values[at]), int(rows[at])) for at in order]
        kept.extremes = (
            heapq.nsmallest(_EXTREMES, low + least),
            heapq.nlargest(_EXTREMES, high + most),
        )
    # Each so-manieth of all, however they come in batches: the same rows give the same sample.
    start = -kept.num_seen % kept.step
    kept.num_seen += len(values)
    kept.values = np.concatenate([kept.values, values[start :: kept.step]])
    while len(kept.values) > _SAMPLE:
        kept.values = kept.values[::2]
        kept.step *= 2
