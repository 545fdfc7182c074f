"""Rows in time, by group: gaps, repeated times, rows out of order, rows without a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.components.example_validator.row_checks import times
from headrace.components.example_validator.row_checks.check import (
    MAX_SAMPLES,
    Found,
    RowCheck,
    Scanned,
    rows_in_words,
)
from headrace.quality.row_digests import Compared, RowValues
from headrace.quality.survey import Survey

_USUAL_STEPS = 3


class Series(RowCheck):
    """The check `series`."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        self._time, self._group = spec["time"], spec["group"]
        survey.check_names([name for name in (self._time, self._group) if name], self.where)

    def arrays(self, batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
        """The time of each row, and what stands for its group."""
        found: dict[str, NDArray[Any]] = {"time": times.read(batch, self._time, self.where)}
        if self._group:
            found["group"] = RowValues(batch, Compared((self._group,))).digests()[:, 0]
        return found

    def conclude(self, scanned: Scanned) -> Found:
        """Go through the rows of each group by time."""
        time = np.asarray(scanned.array("time"))
        times.check_any(time, self._time, self.where)
        group = np.asarray(scanned.array("group")) if self._group else np.zeros(len(time), np.uint64)
        yield from self._missing(scanned, time)
        rows = np.flatnonzero(times.finite(time))
        order = rows[np.lexsort((time[rows], group[rows]))]
        same_group = group[order[1:]] == group[order[:-1]]
        steps = time[order[1:]] - time[order[:-1]]
        yield from self._repeated(scanned, order[1:][same_group & (steps == 0)])
        yield from self._gaps(scanned, order, steps, same_group)
        if self.spec["order"]:
            yield from self._out_of_order(scanned, time, group)

    def _missing(self, scanned: Scanned, time: NDArray[np.float64]) -> Found:
        yield from self._by_split(
            scanned,
            np.flatnonzero(np.isnan(time)),
            "Rows without a time",
            "without a time",
            is_error=True,
            reason="FEATURE_TYPE_LOW_FRACTION_PRESENT",
        )
        yield from self._by_split(
            scanned,
            np.flatnonzero(np.isinf(time)),
            "Values that are no time",
            "of a text that is no time in ISO 8601, such as 2026-03-01T12:00:00, or of an infinite number",
            is_error=True,
            reason="FEATURE_TYPE_LOW_FRACTION_PRESENT",
        )

    def _repeated(self, scanned: Scanned, rows: NDArray[np.int64]) -> Found:
        of = f" of the same '{self._group}'" if self._group else ""
        yield from self._by_split(
            scanned,
            np.sort(rows),
            "Repeated times",
            f"of the same time as another row{of}",
            is_error=True,
            reason="FEATURE_TYPE_LOW_UNIQUE",
        )

    def _gaps(
        self,
        scanned: Scanned,
        order: NDArray[np.int64],
        steps: NDArray[np.float64],
        same_group: NDArray[np.bool_],
    ) -> Found:
        forward = steps[same_group & (steps > 0)]
        if not len(forward):
            return
        limit, why = self.spec["gap"], ""
        if limit is None:
            usual = float(np.median(forward))
            limit, why = _USUAL_STEPS * usual, f", {_USUAL_STEPS} times the usual step"
        at = np.flatnonzero(same_group & (steps > limit))
        lengths = dict(zip(order[at + 1].tolist(), steps[at].tolist()))
        words = {row: f"after {self._span(length)} without a row" for row, length in lengths.items()}
        longest = self._span(max(lengths.values())) if lengths else ""
        yield from self._by_split(
            scanned,
            np.array(sorted(lengths), np.int64),
            "Gaps in time",
            f"behind a gap of more than {self._span(limit)}{why} (the longest {longest})",
            is_error=False,
            reason="SEQUENCE_VALUE_TOO_FEW_OCCURRENCES",
            words=words,
        )

    def _out_of_order(self, scanned: Scanned, time: NDArray[np.float64], group: NDArray[np.uint64]) -> Found:
        """Compare each row with the one of its group that stands before it in the file."""
        part = np.asarray(np.searchsorted(scanned.part_starts(), np.arange(len(time)), "right"))
        rows = np.flatnonzero(times.finite(time))
        order = rows[np.lexsort((rows, group[rows], part[rows]))]
        together = (group[order[1:]] == group[order[:-1]]) & (part[order[1:]] == part[order[:-1]])
        late = order[1:][together & (time[order[1:]] < time[order[:-1]])]
        yield from self._by_split(
            scanned,
            np.sort(late),
            "Rows out of order",
            "earlier than the row before",
            is_error=False,
            reason="UNKNOWN_TYPE",
        )

    def _span(self, value: float) -> str:
        return times.span_said(value, self.survey, self._time)

    def _by_split(
        self,
        scanned: Scanned,
        rows: NDArray[np.int64],
        problem: str,
        text: str,
        *,
        is_error: bool,
        reason: str,
        words: Mapping[int, str] | None = None,
    ) -> Found:
        for split in scanned.splits:
            start, end = scanned.bounds(split)
            own = rows[(rows >= start) & (rows < end)]
            if not len(own):
                continue
            shown = own[:MAX_SAMPLES].tolist()
            samples = scanned.samples(shown, [(words or {}).get(row, "") for row in shown])
            are = "is" if len(own) == 1 else "are"
            named = ", ".join(f"row {one.row:,}" for one in samples[:3])
            yield (
                split,
                self.finding(
                    self._time,
                    problem,
                    f"{rows_in_words(len(own), scanned.num_rows[split])} {are} {text}: {named}.",
                    is_error=is_error,
                    num_rows=len(own),
                    reason=reason,
                    samples=samples,
                ),
            )
