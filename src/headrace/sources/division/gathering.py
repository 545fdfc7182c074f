"""The first pass: what is kept of the rows of a part, and what of all parts together becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataError, DefinitionError, did_you_mean, listed
from headrace.sources.division import times
from headrace.sources.division.keys import ROW, Coder, Fault, FaultyRow, Keys, first_missing
from headrace.sources.division.value_digest import ValueDigest
from headrace.sources.rows import Rows
from headrace.splits.ways import EXCLUDE, SplitBy

_CODED = ("stratify", "group", "column")


def gather(batches: Iterable[Rows], way: SplitBy) -> Keys:
    """Return what is kept of the rows of one part; it ends at the first row that cannot be divided."""
    gathered = _Gathered(way)
    fault: Fault | None = None
    for rows in batches:
        gathered.look(rows)
        if fault is None:
            try:
                gathered.add(rows)
            except FaultyRow as found:
                fault = Fault(gathered.num_rows + found.row, found.problem, found.fix)
            else:
                gathered.num_rows += rows.num_rows
        if fault is not None and gathered.has_feature:
            break
        # Without the feature so far, all rows are looked at: whether it is missing in one or there is none.
    return gathered.keys(fault)


class _Gathered:
    def __init__(self, way: SplitBy) -> None:
        self.num_rows = 0
        self._way = way
        self._coder = Coder()
        self._hashes: list[NDArray[np.uint64]] = []
        self._times: list[NDArray[np.generic]] = []
        self._has_time: list[NDArray[np.bool_]] = []
        self._is_text = False
        self._names: dict[str, None] = {}
        self._digest = ValueDigest(way.feature)
        self.has_feature = way.feature is None

    def look(self, rows: Rows) -> None:
        """See which features there are."""
        if self._way.feature is not None:
            self._names.update(dict.fromkeys(rows.features()))
            self.has_feature |= self._way.feature in self._names

    def add(self, rows: Rows) -> None:
        """Keep what is needed of some rows."""
        way = self._way
        if way.feature is None:
            return
        self._digest.add(rows)
        column = rows.column(way.feature)
        if column is None:
            column = pa.nulls(rows.num_rows)
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
            is_text = not pa.types.is_null(kind) and times.is_text(kind.value_type)
            self._is_text |= is_text or bool(way.option("format"))

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
            has_feature=self.has_feature,
            names=tuple(self._names),
            fault=fault,
            digest=self._digest.value(),
        )


def check(parts: Sequence[Keys], way: SplitBy) -> None:
    """Raise what stopped the gathering of the first part that was stopped, with the number of the row among all.

    Raises:
        DefinitionError: If no part has the feature.
        DataError: If one was.
    """
    names = sorted({name for part in parts for name in part.names})
    if not any(part.has_feature for part in parts) and any(part.num_rows or part.fault for part in parts):
        raise DefinitionError(
            f"{way}: the rows have no feature '{way.feature}'. They have {listed(names)}.",
            f"{did_you_mean(str(way.feature), names)}Correct split_by.",
        )
    before = 0
    for part in parts:
        if part.fault is not None:
            row = f"{before + part.fault.row + 1:,} of the input"
            raise DataError(part.fault.problem.replace(ROW, row), part.fault.fix)
        before += part.num_rows
