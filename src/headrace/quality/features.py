"""The values of one feature in a batch, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def column_of(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    """Return the column of a feature; `None` where no row of the batch has a value."""
    if name not in batch.schema.names:
        return None
    column = batch.column(batch.schema.names.index(name))
    return None if pa.types.is_null(column.type) else column


def counts_of(column: pa.Array) -> NDArray[np.int64]:
    """Return how many values each row has."""
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)


def rows_of(column: pa.Array) -> NDArray[np.int64]:
    """Return the row of each value of `column.flatten()`."""
    return np.repeat(np.arange(len(column)), counts_of(column))


def numbers_of(column: pa.Array) -> NDArray[Any]:
    """Return all values of a column of numbers, in order of rows."""
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False))


def bytes_of(batch: pa.RecordBatch, name: str) -> list[list[bytes]]:
    """Return the values of each row of a feature of bytes; an empty list where it has none."""
    column = column_of(batch, name)
    if column is None or not is_bytes(column):
        return [[] for _ in range(batch.num_rows)]
    return [row or [] for row in column.to_pylist()]


def is_bytes(column: pa.Array) -> bool:
    """Whether the values are bytes."""
    kind = column.type.value_type
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def is_float(column: pa.Array) -> bool:
    """Whether the values are floats."""
    return bool(pa.types.is_floating(column.type.value_type))


def texts_of(batch: pa.RecordBatch, name: str) -> list[str | None]:
    """Return the text of each row, several values with a space between; `None` where there is no value.

    What is no UTF-8 is read with replacement characters.
    """
    return [
        " ".join(value.decode("utf-8", "replace") for value in values) if values else None
        for values in bytes_of(batch, name)
    ]
