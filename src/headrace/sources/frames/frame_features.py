"""The columns of a table in memory as columns that have a form in tf.Example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.errors import DataError, UnsupportedColumnError

if TYPE_CHECKING:
    import pyarrow as pa

ISO, UNIX = "iso", "unix"
DATES = (ISO, UNIX)
_UNITS = ("s", "ms", "us", "ns")


def to_features(table: pa.Table, *, dates: str, where: str) -> pa.Table:
    """Return a table of integers, floats, texts, bytes and lists of them.

    Args:
        table: Any Arrow table.
        dates: What dates and times become: `"iso"`, texts such as `2024-05-01T08:30:00+02:00`, or `"unix"`, whole seconds
            since 1970 in UTC, rounded down.
        where: What it is, for messages.

    Raises:
        UnsupportedColumnError: If a column's type has no form.
        DataError: If an unsigned integer is beyond 64 bits, with its row.
    """
    import pyarrow as pa

    arrays = [
        _feature(table.column(place), f"{where}: column '{field.name}'", dates)
        for place, field in enumerate(table.schema)
    ]
    return pa.table(arrays, names=table.column_names)


def _feature(column: pa.ChunkedArray, where: str, dates: str) -> pa.ChunkedArray:
    import pyarrow as pa

    from headrace.formats.examples import arrow_features

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _feature(column.cast(kind.value_type), where, dates)
    if isinstance(kind, pa.BaseExtensionType):
        return _feature(
            pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type), where, dates
        )
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _seconds(column) if dates == UNIX else _iso(column)
    if pa.types.is_time(kind):
        return column.cast(pa.string())
    if pa.types.is_duration(kind):
        return _duration(column)
    if pa.types.is_decimal(kind) or kind == pa.float16():
        return column.cast(pa.float64()) if pa.types.is_decimal(kind) else column.cast(pa.float32())
    if kind == pa.uint64():
        return _signed(column, where)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _lists(column, where, dates)
    if arrow_features.feature_kind(kind) is not None:
        return column
    raise UnsupportedColumnError(
        f"{where} is of type {kind}, which tf.Example cannot hold.",
        "give each of its fields a column of its own, convert it, or drop it.",
    )


def _signed(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        row = pc.index(pc.greater(column, pa.scalar(2**63 - 1, pa.uint64())), True).as_py()
        raise DataError(
            f"{where} holds {column[row].as_py()} in row {row:,} (from 0), beyond 64-bit integers with a sign.",
            "convert it, as with .astype(str) or .astype(float).",
        ) from None


def _lists(column: pa.ChunkedArray, where: str, dates: str) -> pa.ChunkedArray:
    import pyarrow as pa

    if pa.types.is_nested(column.type.value_type) and not pa.types.is_dictionary(column.type.value_type):
        raise UnsupportedColumnError(
            f"{where} holds lists of {column.type.value_type}, which tf.Example cannot hold.",
            "make the lists flat, as numpy arrays are in row-major order.",
        )
    chunks = []
    for chunk in column.chunks:
        if pa.types.is_fixed_size_list(chunk.type):
            chunk = chunk.cast(pa.list_(chunk.type.value_type))
        flat = _feature(pa.chunked_array([chunk.flatten()]), where, dates).combine_chunks()
        if flat.null_count:
            raise UnsupportedColumnError(
                f"{where} holds a list with a missing value in it.",
                "leave it out, or give a value that stands for it.",
            )
        flat = pa.concat_arrays(flat.chunks) if isinstance(flat, pa.ChunkedArray) else flat
        chunks.append(_of_lists(chunk, flat))
    return pa.chunked_array(chunks) if chunks else column


def _of_lists(lists: pa.Array, flat: pa.Array) -> pa.Array:
    """Return lists as long as `lists`, of the values in `flat`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    ends = np.zeros(len(lists) + 1, np.int32)
    np.cumsum(lengths.to_numpy(zero_copy_only=False), out=ends[1:])
    is_missing = np.append(lists.is_null().to_numpy(zero_copy_only=False), False)
    return pa.ListArray.from_arrays(pa.array(ends, mask=is_missing), flat)


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    floored = pc.floor_temporal(
        column.cast(pa.timestamp("us")) if pa.types.is_date(column.type) else column, unit="second"
    )
    return floored.cast(pa.timestamp("s", getattr(column.type, "tz", None))).cast(pa.int64())


def _duration(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Seconds, as floats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    per_second = 1000 ** _UNITS.index(column.type.unit)
    return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), float(per_second))


def _iso(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """ISO 8601, with a fraction of seconds only where the column has some."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date(column.type):
        return column.cast(pa.date32()).cast(pa.string())
    zone = column.type.tz
    for unit in _UNITS:
        try:
            column = column.cast(pa.timestamp(unit, zone))
            break
        except pa.ArrowInvalid:
            continue
    if zone is None:
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
    texts = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S%z")
    return pc.replace_substring_regex(texts, pattern=r"([+-]\d\d)(\d\d)$", replacement=r"\1:\2")
