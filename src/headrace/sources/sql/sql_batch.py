"""Some rows of a query as columns of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from headrace.errors import UnsupportedColumnError
from headrace.sources.feature_kinds import Kind
from headrace.sources.source import Unreadable
from headrace.sources.sql import sql_values

_CELL_BYTES = 32


class Batch:
    """Some rows of a query.

    Args:
        names: The columns.
        rows: The rows.
        first_row: The number of the first.
        source: The query, for messages.

    Attributes:
        num_rows: How many rows.
        num_losses: How often the connection was lost since the batch before.
    """

    num_losses: int = 0

    def __init__(self, names: Sequence[str], rows: Sequence[Any], first_row: int, source: str) -> None:
        self.num_rows = len(rows)
        self._rows = rows
        self._first_row = first_row
        self._source = source
        self._names = names
        self._columns = self._plain(rows)

    def _plain(self, rows: Sequence[Any]) -> list[sql_values.Column]:
        if not rows:
            return [((), set()) for _ in self._names]
        return [sql_values.plain_column(column) for column in zip(*rows)]

    @property
    def row_bytes(self) -> float:
        """About how many bytes a row takes."""
        total = sum(
            sum(map(len, filter(None, values)))
            for values, types in self._columns
            if types and types <= {str, bytes}
        )
        return _CELL_BYTES * len(self._names) + total / max(1, self.num_rows)

    def values(self) -> list[Sequence[Any]]:
        """Return the plain values of each column."""
        return [values for values, _ in self._columns]

    def kinds(self) -> dict[str, Kind]:
        """Return the kind of each column, without what has no form in tf.Example.

        Raises:
            DataError: If a column holds text beside numbers, naming both rows.
        """
        found = {}
        for name, (values, types) in zip(self._names, self._columns):
            kinds = sql_values.kinds_of(values, types)
            if len(kinds) > 1:
                found[name] = self._kind_of_each(name, values)
            else:
                found[name] = Kind(kinds.pop() if kinds else "", self._place(0))
        return found

    def _kind_of_each(self, name: str, values: Sequence[Any]) -> Kind:
        known: Mapping[str, Kind] = {}
        for row, value in enumerate(values):
            kinds = sql_values.kinds_of([value], {type(value)} - {type(None)})
            for kind in kinds:
                known = sql_values.widened(known, {name: Kind(kind, self._place(row))})
        return known[name]

    def _place(self, row: int) -> str:
        return f"row {self._first_row + row:,} of {self._source}"

    def features(self, kinds: Mapping[str, Kind]) -> tuple[pa.RecordBatch, list[Unreadable]]:
        """Return the rows as features of these kinds, and those that have no form in tf.Example."""
        try:
            return self._made(self._columns, kinds), []
        except (UnsupportedColumnError, OverflowError, UnicodeEncodeError, pa.ArrowException):
            kept, faults = self._divided()
            if not faults:
                raise
            return self._made(self._plain(kept), kinds), faults

    def _made(self, columns: Sequence[sql_values.Column], kinds: Mapping[str, Kind]) -> pa.RecordBatch:
        arrays = [
            sql_values.feature(values, types, kinds[name].name)
            for name, (values, types) in zip(self._names, columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, list(self._names))

    def _divided(self) -> tuple[list[Any], list[Unreadable]]:
        """Return the rows that have a form in tf.Example, and the others."""
        kept, faults = [], []
        for place, row in enumerate(self._rows):
            for name, value in zip(self._names, row):
                error = sql_values.fault_of(value)
                if error is not None:
                    reason = f"column '{name}' {error.problem}"
                    number = f"row {self._first_row + place}"
                    faults.append(
                        Unreadable(self._source, reason, number, "make a text or number of it in the query")
                    )
                    break
            else:
                kept.append(row)
        return kept, faults
