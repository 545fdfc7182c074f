"""Parquet files, read a batch of rows at a time, and never in silence where they are damaged.

Arrow's reader stops without a word where the pages of a column end before those of another, so the rows are
counted; and it raises errors of many kinds for bytes that make no sense, the system's `OSError` among them.
What it cannot survive, a crash of the process on some damaged files, ends the worker, so the node fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from headrace import files
from headrace.errors import HeadraceError, MalformedFileError
from headrace.files import addresses

_WRITE_AGAIN = "write the file again."
# Arrow 10 cannot read a null among lists of one length.
_LISTS = "write the column as lists of any length, or without nulls."
# OverflowError and MemoryError: sizes that damaged bytes claim. ValueError: ArrowInvalid and names not in UTF-8.
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError)


def open_file(path: str) -> pq.ParquetFile:
    """Open a file and read its footer.

    Raises:
        MalformedFileError: If it is not a Parquet file, its footer is damaged, or it has two columns of one name.
    """
    try:
        # Arrow's own reading of a path is faster than that of a Python file.
        file = pq.ParquetFile(files.open_file(path) if addresses.is_elsewhere(path) else path)
        names = file.schema_arrow.names
        metadata = file.metadata
        num_rows = sum(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
    except _DAMAGE as error:
        if _is_told(error):
            raise
        raise MalformedFileError(
            f"{path} is not a Parquet file, or damaged: {_first_line(error)}.",
            "give Parquet files, or a pattern that leaves this file out.",
        ) from error
    if num_rows != metadata.num_rows:
        raise MalformedFileError(
            f"{path} is damaged: it says that it has {metadata.num_rows:,} rows, and its row groups have "
            f"{num_rows:,}.",
            _WRITE_AGAIN,
        )
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        places = [str(at) for at, name in enumerate(names, 1) if name == twice]
        raise MalformedFileError(
            f"{path} has {len(places)} columns named '{twice}' (columns {', '.join(places)} of {len(names)}).",
            "rename or drop all but one where the file is written; each feature needs its own name.",
        )
    return file


def read_batches(
    path: str,
    batch_rows: int,
    row_groups: Sequence[int] | None = None,
    file: pq.ParquetFile | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, or of some of its row groups, in order.

    Args:
        path: The file.
        batch_rows: At most this many rows are yielded together.
        row_groups: Numbers of the row groups; all where left out.
        file: The file, where `open_file` has opened it already.

    Raises:
        MalformedFileError: If a row group is damaged, or ends before its last row.
    """
    file = file or open_file(path)
    for number in range(file.metadata.num_row_groups) if row_groups is None else row_groups:
        expected = file.metadata.row_group(number).num_rows
        batches = file.iter_batches(batch_size=batch_rows, row_groups=[number])
        num_rows = 0
        while True:
            try:
                batch = next(batches, None)
                if batch is not None:
                    batch.validate(full=True)
            except _DAMAGE as error:
                if _is_told(error):
                    raise
                raise MalformedFileError(
                    f"{path}: row group {number} is damaged, or not to be read with Arrow {pa.__version__}: "
                    f"{_first_line(error)}.",
                    _LISTS if "lists to be of size" in str(error) else _WRITE_AGAIN,
                ) from error
            if batch is None:
                break
            num_rows += batch.num_rows
            if batch.num_rows:
                yield batch
        if num_rows != expected:
            raise MalformedFileError(
                f"{path}: row group {number} is damaged: it says that it has {expected:,} rows, and {num_rows:,} "
                "can be read.",
                _WRITE_AGAIN,
            )


def _is_told(error: BaseException) -> bool:
    """Whether an error is the system's or the store's, and says itself what it is about."""
    return isinstance(error, HeadraceError) or (isinstance(error, OSError) and error.errno is not None)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
