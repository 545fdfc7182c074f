"""Columns of tf.Examples as DataFrames of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# What a float64 holds without loss.
_MAX_WHOLE = 2**53


def of_examples(batches: Sequence[pa.RecordBatch]) -> pd.DataFrame:
    """Return record batches of list columns as a DataFrame, one value in a cell where no row has several.

    Args:
        batches: As `light_examples.read_columns` yields them. One may lack a feature that another has.
    """
    import pandas as pd

    names = sorted({name for batch in batches for name in batch.schema.names if name})
    # In the order in which they stand where all have them.
    if batches and len(names) == len(batches[0].schema.names):
        names = list(batches[0].schema.names)
    num_rows = sum(batch.num_rows for batch in batches)
    columns = {name: _values(_joined(name, batches)) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(num_rows))


def _joined(name: str, batches: Sequence[pa.RecordBatch]) -> pa.Array:
    import pyarrow as pa

    parts = [
        batch.column(batch.schema.names.index(name))
        if name in batch.schema.names
        else pa.nulls(batch.num_rows)
        for batch in batches
    ]
    kinds = {part.type for part in parts if not pa.types.is_null(part.type)}
    if len(kinds) > 1:
        # Numbers with fractions in one batch, whole ones in another, or bytes of two widths.
        return pa.array([one for part in parts for one in part.to_pylist()])
    kind = next(iter(kinds), pa.null())
    return pa.concat_arrays(
        [pa.nulls(len(part), kind) if pa.types.is_null(part.type) else part for part in parts]
    )


def _values(column: pa.Array) -> Any:
    """Return a column of lists as pandas' values."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(column.type):
        return column.to_pandas()
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    most = pc.max(lengths).as_py() or 0
    flat = _text(column.flatten())
    if most > 1:
        ends = np.zeros(len(column) + 1, np.int64)
        np.cumsum(lengths.to_numpy(zero_copy_only=False), out=ends[1:])
        is_missing = np.append(column.is_null().to_numpy(zero_copy_only=False), False)
        return pa.LargeListArray.from_arrays(pa.array(ends, mask=is_missing), flat).to_pandas()
    present = pc.equal(lengths, 1)
    if pc.all(present).as_py() is not False:
        return flat.to_pandas()
    at = pc.if_else(present, pc.subtract(pc.cumulative_sum(lengths), 1), None)
    values = flat.take(at)
    if pa.types.is_integer(values.type) and len(flat) and pc.max(pc.abs(flat)).as_py() > _MAX_WHOLE:
        return values.to_pandas(integer_object_nulls=True)
    return values.to_pandas()


def _text(values: pa.Array) -> pa.Array:
    """Return bytes as texts where all are UTF-8."""
    import pyarrow as pa

    if not (pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)):
        return values
    try:
        return values.cast(pa.large_string())
    except pa.ArrowInvalid:
        return values
