"""Bounded samples of tables: CSV, Parquet, JSON lines, databases."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headrace.errors import EmptyDataError, MalformedFileError
from headrace.files import open_file
from headrace.projects.look import csv_files, databases, json_files
from headrace.projects.look.databases import column_of
from headrace.projects.look.samples import MAX_BYTES, MAX_ROWS, Sample
from headrace.projects.look.sources import Source


def read_sample(source: Source) -> Sample:
    """Read rows from the start of a table: of several files from the first.

    Raises:
        EmptyDataError: If there is no row.
        MalformedFileError: If a file is none of its kind.
        DataError: If a database refuses the query.
    """
    if source.database is not None:
        sample = databases.read_sample(source.database)
    elif source.form is not None:
        sample = csv_files.read_sample(source.first, source.form)
    elif source.kind == "parquet":
        sample = _read_parquet(source.first)
    else:
        sample = _read_json(source.first)
    if not len(sample.table):
        raise EmptyDataError(f"{source.given} has no row.", "give data with rows.")
    if len(source.files) > 1:
        return Sample(sample.table, False, sample.num_unreadable, sample.unreadable)
    return sample


def _read_parquet(path: str) -> Sample:
    with open_file(path) as file:
        try:
            parquet = pq.ParquetFile(file)
            batches, num_rows = [], 0
            for batch in parquet.iter_batches(batch_size=1 << 14):
                batches.append(batch)
                num_rows += len(batch)
                if num_rows >= MAX_ROWS or sum(one.nbytes for one in batches) >= 4 * MAX_BYTES:
                    break
            table = pa.Table.from_batches(batches, parquet.schema_arrow)
            return Sample(table, num_rows == parquet.metadata.num_rows)
        except pa.ArrowException as error:
            raise MalformedFileError(
                f"{path} is no Parquet file: {str(error).rstrip('.')}.", "write the file again."
            ) from error


def _read_json(path: str) -> Sample:
    columns: dict[str, list[Any]] = {}
    num_rows, is_whole = 0, True
    for num_bytes, found in json_files.objects(path):
        for name, value in found.items():
            column = columns.setdefault(name, [])
            column += [None] * (num_rows - len(column))
            column.append(value)
        num_rows += 1
        if num_rows == MAX_ROWS or num_bytes > MAX_BYTES:
            is_whole = False
            break
    table = {name: column_of(values + [None] * (num_rows - len(values))) for name, values in columns.items()}
    return Sample(pa.table(table), is_whole)
