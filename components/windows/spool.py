"""Rows on the disk as they come, and read again by their numbers, so that memory does not hold all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from headrace import files
from headrace.errors import DataError


class Spool:
    """Rows in files of Arrow, which the system maps into memory where they are read.

    Args:
        folder: An empty folder for the files.
        node_id: The node, for messages.
    """

    def __init__(self, folder: str, node_id: str) -> None:
        self._folder = folder
        self._node_id = node_id
        self._batches: list[pa.RecordBatch] = []
        self._starts: Any = np.zeros(1, np.int64)
        self.schema = pa.schema([])

    @property
    def num_rows(self) -> int:
        """How many there are."""
        return int(self._starts[-1])

    def fill(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write rows, with the columns that any of them has.

        Raises:
            DataError: If a column has two types.
        """
        paths = list(self._write(batches))
        for path in paths:
            self._batches += pa.ipc.open_file(pa.memory_map(path)).read_all().to_batches()
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])

    def _write(self, batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
        writer = None
        for batch in batches:
            known = self._with(batch.schema)
            if writer is None or known != self.schema:
                # A file has one schema: a column that is new begins another one.
                if writer is not None:
                    writer.close()
                self.schema = known
                path = os.path.join(self._folder, f"{len(files.names_in(self._folder)):06}.arrow")
                writer = pa.ipc.new_file(path, known)
                yield path
            writer.write_batch(_with_columns(batch, known))
        if writer is not None:
            writer.close()

    def _with(self, schema: pa.Schema) -> pa.Schema:
        """The known columns and those of a batch; a type that was not known yet is that of the first value."""
        known = {field.name: field.type for field in self.schema}
        for field in schema:
            before = known.get(field.name)
            if before is None or pa.types.is_null(before):
                known[field.name] = field.type
            elif not pa.types.is_null(field.type) and field.type != before:
                raise DataError(
                    f"{self._node_id}: column '{field.name}' holds {field.type} in one split or span and {before} in "
                    "another.",
                    "give it one type in the data.",
                )
        return pa.schema(list(known.items()))

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Return some columns of all rows."""
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.Table.from_batches([_with_columns(batch, schema) for batch in self._batches], schema)

    def take(self, rows: Any, names: Sequence[str]) -> pa.RecordBatch:
        """Return some columns of some rows, in the order in which their numbers are given."""
        schema = pa.schema([self.schema.field(name) for name in names])
        # Arrow copies all batches to take rows of several: from each what is needed, and then in order.
        order = np.argsort(rows, kind="stable")
        cuts: Any = np.searchsorted(rows[order], self._starts)
        taken = []
        for batch, start, begin, end in zip(self._batches, self._starts, cuts, cuts[1:]):
            if end > begin:
                table = pa.Table.from_batches([_with_columns(batch, schema)])
                taken.append(table.take(pa.array(rows[order[begin:end]] - start)))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        together = pa.concat_tables(taken).combine_chunks().take(pa.array(place)).combine_chunks()
        return pa.RecordBatch.from_arrays(
            [together.column(name).combine_chunks() for name in names], schema=schema
        )


def _with_columns(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field in schema:
        place = batch.schema.get_field_index(field.name)
        is_known = place >= 0 and not pa.types.is_null(batch.column(place).type)
        columns.append(batch.column(place) if is_known else pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
