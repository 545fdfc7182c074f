"""The first pass: what is kept of the rows of a part, and what of all parts together becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataError
from headrace.sources.division import times
from headrace.sources.division.keys import ROW, Coder, Fault, FaultyRow, Keys, first_missing
from headrace.sources.rows import Rows
from headrace.splits import SplitBy
from headrace.splits.ways import EXCLUDE

_CODED = ("stratify", "group", "column")


def gather(batches: Iterable[Rows], way: SplitBy) -> Keys:
    """Return what is kept of the rows of one part; it ends at the first row that cannot be divided."""
    gathered = _Gathered(way)
    for rows in batches:
        try:
            gathered.add(rows)
        except FaultyRow as fault:
            return gathered.keys(Fault(gathered.num_rows + fault.row, fault.problem, fault.fix))
        gathered.num_rows += rows.num_rows
    return gathered.keys(None)


class _Gathered:
    def __init__(self, way: SplitBy) -> None:
        self.num_rows = 0
        self._way = way
        self._coder = Coder()
        self._hashes: list[NDArray[np.uint64]] = []
        self._times: list[NDArray[np.generic]] = []
        self._has_time: list[NDArray[np.bool_]] = []
        self._is_text = False

    def add(self, rows: Rows) -> None:
        """Keep what is needed of some rows."""
        way = self._way
        if way.feature is None:
            return
        column = rows.column(way.feature)
        if way.kind in ("group", "column", "time") and way.option("missing") != EXCLUDE:
            self._check_not_missing(column)
        if way.kind in _CODED:
            self._coder.add(column, is_combined=way.kind == "stratify", where=str(way))
        if way.kind == "stratify":
            self._hashes.append(rows.content_hashes())
        if way.kind == "time":
            found, has_time = times.read_times(column, way)
            if way.option("missing") != EXCLUDE and not has_time.all():
                raise self._missing(int(np.flatnonzero(~has_time)[0]))
            self._times.append(found)
            self._has_time.append(has_time)
            kind = column.type
            self._is_text |= not pa.types.is_null(kind) and pa.types.is_binary(kind.value_type)

    def _check_not_missing(self, column: pa.Array) -> None:
        row = first_missing(column)
        if row is not None:
            raise self._missing(row)

    def _missing(self, row: int) -> FaultyRow:
        return FaultyRow(
            row,
            f"{self._way}: row {ROW} has no value in '{self._way.feature}'.",
            'correct it, or leave such rows out, counted: missing="exclude".',
        )

    def keys(self, fault: Fault | None) -> Keys:
        """Return all that was kept."""
        return Keys(
            num_rows=self.num_rows,
            values=self._coder.values(),
            hashes=np.concatenate([np.zeros(0, np.uint64), *self._hashes]),
            times=np.concatenate(self._times) if self._times else np.zeros(0, np.int64),
            has_time=np.concatenate([np.zeros(0, np.bool_), *self._has_time]),
            is_text=self._is_text,
            fault=fault,
        )


def check(parts: Sequence[Keys]) -> None:
    """Raise what stopped the gathering of the first part that was stopped, with the number of the row among all.

    Raises:
        DataError: If one was.
    """
    before = 0
    for part in parts:
        if part.fault is not None:
            row = f"{before + part.fault.row + 1:,} of the input"
            raise DataError(part.fault.problem.replace(ROW, row), part.fault.fix)
        before += part.num_rows
