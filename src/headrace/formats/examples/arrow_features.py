"""Arrow columns of any layout as features: what a column of a Parquet file means in a tf.Example.

A value per row is a list of one; a list of any layout is a list; dictionaries, run-end encoding, views and
extension types are ways to store, and what they store counts. A null is a feature without a value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.errors import DataError, UnsupportedColumnError

_FORMS = "Integers, floats, booleans, text, bytes and lists of these have one."


def feature_kind(kind: pa.DataType) -> pa.DataType | None:
    """Return the type of the values that a column of type `kind` gives to a tf.Example.

    Returns:
        `int64`, `float32` or `binary`; null type where only nulls fit into the column; `None` where the type
        has no form in a tf.Example, such as that of a time or of a list of lists.
    """
    kind = _stored(kind)
    if is_list(kind):
        kind = _stored(kind.value_type)
    if pa.types.is_null(kind):
        return pa.null()
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float32()
    return pa.binary() if _is_text(kind) else None


def as_feature(column: pa.Array, name: str, where: str) -> pa.Array:
    """Return a column as `list<int64 | float32 | binary>`, or of null type; a null value becomes a null list.

    Args:
        column: The column; its values may also come out as `large_binary`.
        name: Its name, for messages.
        where: Its file, for messages.

    Raises:
        UnsupportedColumnError: If the values have another type, naming the column and the type.
        DataError: If a list holds a null, or a number does not fit.
    """
    wanted = feature_kind(column.type)
    if wanted is None:
        raise UnsupportedColumnError(
            f"{where}: column '{name}' has type {column.type}, which has no tf.Example form. {_FORMS}",
            f"convert or drop '{name}' where the file is written.",
        )
    given = column.type
    column = decoded(column)
    try:
        if not is_list(column.type):
            if pa.types.is_null(wanted):
                return column
            return _of_values(as_values(column, wanted))
        values, lengths = _flattened(column)
        if values.null_count:
            raise DataError(
                f"{where}: column '{name}' has a list with a null in it, which tf.Example cannot hold.",
                "drop the nulls where the file is written.",
            )
        if pa.types.is_null(wanted):
            return pa.nulls(len(column))
        return _of_lists(as_values(values, wanted), lengths, column)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{where}: column '{name}' of type {given} holds a value that does not fit: {error}.",
            "convert the column where the file is written.",
        ) from error


def _stored(kind: pa.DataType) -> pa.DataType:
    """Return the type of what is stored by way of an extension, a dictionary or run-end encoding."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind) or _is(kind, "run_end_encoded"):
            kind = kind.value_type
        else:
            return kind


def decoded(column: pa.Array) -> pa.Array:
    """Return the column without extension, dictionary and run-end encoding; see `_stored`."""
    while True:
        if isinstance(column.type, pa.BaseExtensionType):
            column = column.storage
        elif pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        elif _is(column.type, "run_end_encoded"):
            column = pc.run_end_decode(column)
        else:
            return column


def _is(kind: pa.DataType, name: str) -> bool:
    """Whether a type is of a kind that older Arrows do not know."""
    test = getattr(pa.types, f"is_{name}", None)
    return test is not None and bool(test(kind))


def is_list(kind: pa.DataType) -> bool:
    """Whether the values are lists, of any layout."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return True
    return _is(kind, "list_view") or _is(kind, "large_list_view")


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or (pa.types.is_fixed_size_binary(kind) and not pa.types.is_decimal(kind))
        or _is(kind, "string_view")
        or _is(kind, "binary_view")
    )


def _flattened(column: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the values of all lists, and the length of each; that of a null is 0."""
    if _is(column.type, "list_view") or _is(column.type, "large_list_view"):
        column = column.cast(pa.large_list(column.type.value_type))
    if pa.types.is_fixed_size_list(column.type):
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        return column.flatten(), np.where(valid, column.type.list_size, 0)
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return column.flatten(), lengths.astype(np.int64)


def as_values(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Cast values to `int64`, a float type or `binary`; long texts stay `large_binary`."""
    values = decoded(values)
    kind = values.type
    if pa.types.is_float16(kind):
        # Arrow has no cast for it.
        halves = np.frombuffer(values.buffers()[1], np.float16)[values.offset : values.offset + len(values)]
        missing = values.is_null().to_numpy(zero_copy_only=False)
        return pa.array(halves.astype(np.float32), mask=missing).cast(wanted)
    if pa.types.is_floating(kind):
        return values.cast(wanted, safe=False)
    if pa.types.is_fixed_size_binary(kind):
        return pa.array(values.to_pylist(), pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return values.cast(pa.large_binary())
    return values.cast(wanted)


def variable_lists(column: pa.Array) -> pa.Array:
    """Return lists of one length as lists of any: Arrow 10 writes a null among the former and cannot read it."""
    if not pa.types.is_fixed_size_list(column.type):
        return column
    return _of_lists(*_flattened(column), column)


def _of_values(values: pa.Array) -> pa.Array:
    """Return lists of one value each, and null where the value is."""
    if not values.null_count:
        return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), values)
    present = values.is_valid().to_numpy(zero_copy_only=False)
    return _of_lists(values.drop_null(), present.astype(np.int64), values)


def _of_lists(values: pa.Array, lengths: NDArray[Any], column: pa.Array) -> pa.Array:
    """Return lists of these lengths, and null where `column` is."""
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=edges[1:])
    starts = pa.array(edges).cast(pa.int32())
    if column.null_count:
        # A null among the offsets marks a null list.
        valid = pa.concat_arrays([column.is_valid(), pa.array([True])])
        starts = pc.if_else(valid, starts, pa.scalar(None, pa.int32()))
    return pa.ListArray.from_arrays(starts, values)
