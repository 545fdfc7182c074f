"""What a database's driver returns, column by column, as features.

Integers and booleans become integers; floats and decimals, floats; texts and bytes stay; dates and times become texts in
ISO's form, intervals seconds, UUIDs texts, JSON its text, arrays several values; NULL is missing.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.errors import DataError, UnsupportedColumnError
from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS, Kind
from headrace.sources.feature_values import values_of

# The values of a column, and the types among them but for that of `None`.
Column = tuple[Sequence[Any], "set[type[Any]]"]

_NONE = type(None)
_KINDS: dict[type[Any], str] = {int: INTEGERS, bool: INTEGERS, float: FLOATS, str: BYTES, bytes: BYTES}
_TYPES = {INTEGERS: pa.int64(), FLOATS: pa.float32(), BYTES: pa.binary()}


def plain(value: Any) -> Any:
    """Return a driver's value as one that features are made of; what is neither stays."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    if isinstance(value, (list, tuple)):
        # An array of a database may hold NULL, which a list of values cannot.
        return [plain(one) for one in value if one is not None]
    return value


def plain_column(values: Sequence[Any]) -> Column:
    """Return a column's values as plain ones, and the types among them but for that of `None`."""
    types = set(map(type, values)) - {_NONE}
    if not types <= _KINDS.keys():
        values = [plain(value) for value in values]
        types = set(map(type, values)) - {_NONE}
    return values, types


def kinds_of(values: Sequence[Any], types: set[type[Any]]) -> set[str]:
    """Return the kinds of a plain column's values, but for those that have no form in tf.Example."""
    if types <= _KINDS.keys():
        return {_KINDS[kind] for kind in types}
    kinds = set()
    for value in values:
        with contextlib.suppress(UnsupportedColumnError):
            found = values_of(value)
            if found is not None:
                kinds.add(found[0])
    return kinds


def fault_of(value: Any) -> UnsupportedColumnError | None:
    """Return why a value has no form in tf.Example; `None` where it has one."""
    try:
        values_of(plain(value))
    except UnsupportedColumnError as error:
        return error
    return None


def widened(known: Mapping[str, Kind], found: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the kinds that hold those of both: integers beside floats are floats.

    Raises:
        DataError: If a column holds text beside numbers, naming both places.
    """
    made = dict(known)
    for name, kind in found.items():
        before = known.get(name)
        if before is None or before.name in ("", kind.name):
            made[name] = kind if before is None or not before.name else before
        elif {before.name, kind.name} == {INTEGERS, FLOATS}:
            made[name] = before if before.name == FLOATS else kind
        elif kind.name:
            raise DataError(
                f"column '{name}' holds {before.name} in {before.place}, and {kind.name} in {kind.place}.",
                f"make one kind of it in the query: CAST({name} AS TEXT), or NULL where it is no number.",
            )
    return made


def feature(values: Sequence[Any], types: set[type[Any]], kind: str) -> pa.Array:
    """Return a plain column as a feature, of lists of `kind`; null type where that is empty.

    Raises:
        UnsupportedColumnError: If a value has no form in tf.Example.
        OverflowError, ArrowException, UnicodeEncodeError: If one has none in Arrow's types.
    """
    if not kind:
        return pa.nulls(len(values))
    if not types <= _KINDS.keys():
        return _of_lists(values, kind)
    made = _array(values, types, kind)
    offsets = np.zeros(len(made) + 1, np.int32)
    if not made.null_count:
        offsets = np.arange(len(made) + 1, dtype=np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), _rounded(made))
    is_valid = made.is_valid().to_numpy(zero_copy_only=False)
    np.cumsum(is_valid, out=offsets[1:])
    return pa.ListArray.from_arrays(
        pa.array(offsets, mask=np.append(~is_valid, False)), _rounded(made.drop_null())
    )


def _array(values: Sequence[Any], types: set[type[Any]], kind: str) -> pa.Array:
    """Return a plain column of scalars as one of Arrow's."""
    if kind == BYTES:
        if types == {bytes}:
            return pa.array(values, pa.binary())
        if types == {str}:
            return pa.array(values, pa.string()).cast(pa.binary())
        return pa.array(
            [value.encode() if isinstance(value, str) else value for value in values], pa.binary()
        )
    wanted = int if kind == INTEGERS else float
    if types != {wanted}:
        values = [None if value is None else wanted(value) for value in values]
    return pa.array(values, pa.int64() if kind == INTEGERS else pa.float64())


def _rounded(values: pa.Array) -> pa.Array:
    if values.type != pa.float64():
        return values
    # Rounded once, from double, as protobuf's Python does; a number beyond float32 becomes infinite.
    with np.errstate(over="ignore"):
        return pa.array(values.to_numpy(zero_copy_only=False).astype(np.float32))


def _of_lists(values: Sequence[Any], kind: str) -> pa.Array:
    found = [values_of(value) for value in values]
    read = {INTEGERS: int, FLOATS: np.float32, BYTES: bytes}[kind]
    with np.errstate(over="ignore"):
        lists = [None if one is None else [read(value) for value in one[1]] for one in found]
    return pa.array(lists, pa.list_(_TYPES[kind]))
