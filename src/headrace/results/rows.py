"""Rows that a person has, of whatever form, as the serialized Examples that a model takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.errors import ModelInputError, did_you_mean, listed
from headrace.models.example_features import ExampleFeature
from headrace.sources.frames import frame_features, frame_tables

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_BATCH_ROWS = 10_000
_WORDS = {"float32": "a number", "int64": "a whole number", "string": "text"}


def to_table(rows: Any, where: str) -> pa.Table:
    """Return rows as an Arrow table of integers, floats, texts, bytes and lists of them.

    Args:
        rows: A table of pandas, polars or Arrow; a mapping of names to columns, or to the values of one row; or a
            sequence of mappings, of which one may lack what another has.
        where: What they are, for messages.

    Raises:
        ModelInputError: If they are of another form, or there are none.
        DataError: If columns differ in length or hold what tf.Examples cannot.
    """
    if isinstance(rows, Mapping) and not all(map(_is_column, rows.values())):
        rows = [rows]
    if isinstance(rows, (list, tuple)) and rows and all(isinstance(one, Mapping) for one in rows):
        names = dict.fromkeys(name for one in rows for name in one)
        rows = {name: [one.get(name) for one in rows] for name in names}
    if not isinstance(rows, Mapping) and not frame_tables.is_frame(rows):
        is_empty = isinstance(rows, (list, tuple)) and not rows
        raise ModelInputError(
            f"{where} are {'none' if is_empty else f'of type {type(rows).__name__}'}.",
            "give a DataFrame, a dict of columns, a list of dicts, or an Examples artifact that headrace.load returned.",
        )
    table = frame_tables.to_table(rows, keeps_nan=None, where=where)
    return frame_features.to_features(table, dates=frame_features.ISO, where=where)


def _is_column(value: object) -> bool:
    """Whether it is a value for each row: a list, an array or a column of a table."""
    is_text = isinstance(value, (str, bytes))
    return not is_text and (
        isinstance(value, Sequence) or getattr(value, "ndim", 0) > 0 or hasattr(value, "to_arrow")
    )


def to_tensors(rows: Any, where: str) -> Mapping[str, Any]:
    """Return rows as arrays by name, for a signature that takes no Examples; a mapping of arrays stays as it is.

    Raises:
        ModelInputError: If they are of another form, or there are none.
        DataError: If columns differ in length.
    """
    import numpy as np

    if isinstance(rows, Mapping) and rows and all(getattr(value, "ndim", 0) > 0 for value in rows.values()):
        return {name: np.asarray(value) for name, value in rows.items()}
    table = to_table(rows, where)
    return {name: np.array(table.column(name).to_pylist()) for name in table.column_names}


def serialized(
    table: pa.Table, wanted: Mapping[str, ExampleFeature] | None, where: str
) -> Iterator[list[bytes]]:
    """Yield the rows as serialized tf.Examples, some thousands at a time.

    Args:
        table: As `to_table` returns it.
        wanted: What the model reads, in whose types values are written; `None` where that is not known: then all
            columns as they are.
        where: What the rows are, for messages.

    Raises:
        ModelInputError: If a feature is not there, or a row has none or one of another type.
    """
    from headrace.formats.examples import arrow_features, example_encoder

    if wanted is not None:
        check_names(wanted, table.column_names, where)
        table = table.select([name for name in table.column_names if name in wanted])
    for start in range(0, table.num_rows, _BATCH_ROWS):
        batch = table.slice(start, _BATCH_ROWS).combine_chunks()
        columns = {}
        for name in batch.column_names:
            column = _one_array(batch.column(name))
            if wanted is not None:
                column = _converted(column, wanted[name], where, start)
            columns[name] = arrow_features.as_feature(column, name, where)
        yield example_encoder.encode(_batch(columns)).to_pylist()


def check_names(wanted: Mapping[str, ExampleFeature], given: Sequence[str], where: str) -> None:
    """Check that there is a column for each feature that a model reads.

    Raises:
        ModelInputError: If there is none, naming the feature and what there is.
    """
    missing = [name for name in wanted if name not in given]
    if missing:
        features = f"feature '{missing[0]}'" if len(missing) == 1 else f"features {listed(missing)}"
        unused = [name for name in given if name not in wanted]
        optional = " A column of None says that no row has it." if not wanted[missing[0]].is_required else ""
        raise ModelInputError(
            f"{where} have no {features}, which the model reads. They have {listed(given)}.",
            f"{did_you_mean(missing[0], unused)}Give each feature a column.{optional}",
        )


def _batch(columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _converted(column: pa.Array, feature: ExampleFeature, where: str, start: int) -> pa.Array:
    """Return a column with values of the type that a model reads, after a look at how many each row has.

    Raises:
        ModelInputError: If a value is of another type, or a row has another number of values, naming the row.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from headrace.formats.examples.arrow_features import is_list

    told = f"{where}: feature '{feature.name}'"
    if not is_list(column.type):
        found = _values(column, feature, told, start)
        _check_lengths(column.is_valid().to_numpy(zero_copy_only=False).astype(int), feature, told, start)
        return found
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    _check_lengths(lengths, feature, told, start)
    ends = np.zeros(len(column) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    is_missing = np.append(column.is_null().to_numpy(zero_copy_only=False), False)
    return pa.ListArray.from_arrays(
        pa.array(ends, mask=is_missing), _values(column.flatten(), feature, told, None)
    )


def _check_lengths(lengths: NDArray[Any], feature: ExampleFeature, told: str, start: int) -> None:
    if feature.shape is None:
        return
    size = math.prod(feature.shape)
    is_wrong = lengths != size
    if not feature.is_required:
        is_wrong &= lengths != 0
    if is_wrong.any():
        at = int(is_wrong.argmax())
        has = f"{lengths[at]} values" if lengths[at] else "no value"
        raise ModelInputError(
            f"{told} has {has} in row {start + at:,} (from 0), and the model reads {size} in each.",
            "give each row as many values as the model was trained with.",
        )


def _values(values: pa.Array, feature: ExampleFeature, told: str, start: int | None) -> pa.Array:
    """Return values in the type that is read; nulls stay."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_null(kind):
        return values
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_bytes = (
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )
    is_whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    if feature.type_name == "string" and (is_text or is_bytes):
        return values
    if feature.type_name == "float32" and (is_whole or pa.types.is_floating(kind)):
        return values.cast(pa.float32(), safe=False)
    if feature.type_name == "int64" and is_whole:
        return values.cast(pa.int64())
    at: int | None = 0
    if feature.type_name == "int64" and pa.types.is_floating(kind):
        whole = pc.fill_null(pc.equal(values, pc.floor(values)), True)
        at = pc.index(whole, False).as_py()
        if at < 0:
            return values.cast(pa.int64())
    elif values.null_count:
        at = pc.index(values.is_valid(), True).as_py()
    if at is None or at < 0 or at >= len(values):
        return pa.nulls(len(values))
    row = "" if start is None else f" in row {start + at:,} (from 0)"
    raise ModelInputError(
        f"{told} has {values[at].as_py()!r}{row}, and the model reads {_WORDS[feature.type_name]}.",
        "give it as the model was trained with it, and None where there is no value.",
    )
