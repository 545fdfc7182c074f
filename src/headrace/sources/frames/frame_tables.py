"""Tables of pandas, polars, Arrow or numpy as one Arrow table. Light: what is not in use is not imported."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.errors import DataError, UnsupportedColumnError, listed

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)
_MAX_SHOWN = 40
_MISSING = ("NoneType", "NAType", "NaTType")


def is_frame(value: object) -> bool:
    """Whether a value is a table, or record batches of one."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(hasattr(each, "schema") and hasattr(each, "num_rows") for each in value)
    return (
        any(hasattr(value, name) for name in ("__arrow_c_stream__", "to_arrow", "collect_schema"))
        or (hasattr(value, "schema") and hasattr(value, "num_rows"))
        or (hasattr(value, "iloc") and hasattr(value, "columns"))
    ) and not _is_column(value)


def _is_column(value: object) -> bool:
    """A column of pandas, polars or Arrow: one dimension."""
    return not (hasattr(value, "columns") or hasattr(value, "schema"))


def to_table(frame: Any, *, keeps_nan: bool | None, where: str) -> pa.Table:
    """Return a frame as an Arrow table, its columns as they are.

    Args:
        frame: See `headrace.components.DataFrameExampleGen`.
        keeps_nan: Whether NaN is a value; `None` for what the frame's library means: missing in pandas and numpy.
        where: What it is, for messages.

    Raises:
        UnsupportedColumnError: If a column holds values of several types, or of one that Arrow does not know.
        DataError: If two columns have one name, columns differ in length, or it is no table.
    """
    import pyarrow as pa

    if hasattr(frame, "iloc") and hasattr(frame, "columns"):
        _mention_index(frame, where)
        names = _names(list(frame.columns), where)
        columns = [frame.iloc[:, place] for place in range(len(names))]
        return _of_columns(names, columns, not keeps_nan, where)
    if isinstance(frame, Mapping):
        return _of_columns(_names(list(frame), where), list(frame.values()), not keeps_nan, where)
    if hasattr(frame, "collect") and hasattr(frame, "collect_schema") and not hasattr(frame, "to_arrow"):
        frame = frame.collect()
    if isinstance(frame, (list, tuple)) and is_frame(frame):
        table = pa.Table.from_batches([each for one in frame for each in _batches(one)])
    elif hasattr(frame, "to_arrow"):
        table = frame.to_arrow()
    elif isinstance(frame, (pa.Table, pa.RecordBatch)):
        table = pa.Table.from_batches(_batches(frame), frame.schema)
    elif hasattr(frame, "__arrow_c_stream__") and hasattr(pa.RecordBatchReader, "from_stream"):
        table = pa.RecordBatchReader.from_stream(frame).read_all()
    else:
        raise DataError(
            f"{where} is of type {type(frame).__name__}, which is no table.",
            "give a DataFrame of pandas or polars, an Arrow table, record batches, or a mapping of names to arrays.",
        )
    _names(table.column_names, where)
    return _without_nan(table) if keeps_nan is False else table


def _batches(table: Any) -> list[pa.RecordBatch]:
    return table.to_batches() if hasattr(table, "to_batches") else [table]


def _mention_index(frame: Any, where: str) -> None:
    names = [name for name in frame.index.names if name is not None]
    if names:
        _log.warning(
            "%s: its index %s is no column, and is left out; frame.reset_index() makes it one.",
            where,
            listed(map(str, names)),
        )


def _names(given: Sequence[Any], where: str) -> list[str]:
    """Return column names as texts.

    Raises:
        DataError: If one is there twice, or there is none.
    """
    if not given:
        raise DataError(f"{where} has no columns.", "give it at least one.")
    names = [".".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [str(place) for place, name in enumerate(names) if name == twice[0]]
        raise DataError(
            f"{where} has several columns of the name '{twice[0]}': at positions {listed(places)}.",
            "rename or drop all but one; each feature needs its own name.",
        )
    return names


def _of_columns(names: Sequence[str], columns: Sequence[Any], is_nan_missing: bool, where: str) -> pa.Table:
    import pyarrow as pa

    arrays = [_array(name, values, is_nan_missing, where) for name, values in zip(names, columns)]
    lengths = {name: len(array) for name, array in zip(names, arrays)}
    if len(set(lengths.values())) > 1:
        longest, shortest = max(lengths, key=lambda n: lengths[n]), min(lengths, key=lambda n: lengths[n])
        raise DataError(
            f"{where}: column '{longest}' has {lengths[longest]:,} rows, and '{shortest}' {lengths[shortest]:,}.",
            "give columns of one length.",
        )
    return pa.table(arrays, names=list(names))


def _array(name: str, values: Any, is_nan_missing: bool, where: str) -> Any:
    """Return a column as Arrow's array."""
    import numpy as np
    import pyarrow as pa

    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    if isinstance(values, np.ndarray) and values.ndim > 1:
        values = list(values)
    dtype = getattr(values, "dtype", None)
    if (
        not is_nan_missing
        and dtype is not None
        and getattr(dtype, "kind", "") == "f"
        and hasattr(dtype, "itemsize")
    ):
        return pa.array(np.asarray(values), from_pandas=False)
    try:
        found = pa.array(values, from_pandas=True)
        if str(dtype) in ("object", "None"):
            _check_one_type(name, values, found.type, where)
        return found
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        plain = [_flat(value) for value in values]
        _check_one_type(name, plain, None, where)
        try:
            return pa.array(plain, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise _unsupported(name, values, error, where) from error


def _flat(value: Any) -> Any:
    """An array of several dimensions, in row-major order."""
    return value.reshape(-1) if getattr(value, "ndim", 0) > 1 else value


def _unsupported(name: str, values: Any, error: Exception, where: str) -> UnsupportedColumnError:
    first = next((value for value in values if not _is_missing(value)), None)
    kind = getattr(values, "dtype", None)
    kind = type(first).__name__ if kind is None or str(kind) == "object" else kind
    reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
    return UnsupportedColumnError(
        f"{where}: column '{name}' holds values of type {kind}, which have no form in Arrow: {reason}.",
        "convert them, as with .astype(str) or .astype(float), or drop the column.",
    )


def _is_missing(value: Any) -> bool:
    return type(value).__name__ in _MISSING or (isinstance(value, float) and value != value)


def _check_one_type(name: str, values: Any, found: Any, where: str) -> None:
    """Refuse what Arrow would convert in silence, or refuse without a word on the rows.

    Raises:
        UnsupportedColumnError: If values of two types are in one column, naming both rows, from 0.
    """
    if len({kind for kind in set(map(type, values)) if kind.__name__ not in _MISSING}) < 2:
        return
    first: tuple[int, str, Any] | None = None
    for row, value in enumerate(values):
        if _is_missing(value):
            continue
        kind = _kind(value)
        if first is None:
            first = row, kind, value
        elif kind != first[1]:
            if {kind, first[1]} == {"int", "float"}:
                continue
            raise UnsupportedColumnError(
                f"{where}: column '{name}' holds {_described(first[2])} in row {first[0]:,}, and {_described(value)} "
                f"in row {row:,} (from 0).",
                f"convert it to one type, as with frame['{name}'].astype(str) or pandas.to_numeric.",
            )


def _kind(value: Any) -> str:
    kind = type(value).__name__
    if kind in ("int", "float", "str", "bytes", "bool"):
        return kind
    if kind == "bool_":
        return "bool"
    if kind.startswith(("int", "uint")):
        return "int"
    if kind.startswith("float"):
        return "float"
    return "list" if kind in ("ndarray", "list", "tuple") else kind


def _described(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + '...'} ({type(value).__name__})"


def _without_nan(table: pa.Table) -> pa.Table:
    """Return a table in which NaN is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(place)
            made = pc.if_else(pc.is_nan(column), pa.scalar(None, field.type), column)
            table = table.set_column(place, field.name, made)
    return table
