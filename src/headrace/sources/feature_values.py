"""A plain Python value as the values of a feature: what tf.Example can hold, and what it cannot, said clearly."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import UnsupportedColumnError
from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS

# A feature's kind and its values: integers, floats or bytes. No kind: it is missing.
Values = tuple[str, "list[Any] | NDArray[Any]"]

_INT64 = range(-(2**63), 2**63)
# What libraries of tables put where there is no value; they are not imported to be recognized.
_MISSING = frozenset({"NAType", "NaTType"})
_REMEDIES: dict[type[Any], str] = {
    datetime.date: "give a text, as with .isoformat(), or a number, as with .timestamp()",
    datetime.time: "give a text, as with .isoformat()",
    datetime.timedelta: "give a number, as with .total_seconds()",
    decimal.Decimal: "give float(...) or str(...)",
    Mapping: "give its values as features of their own",
    set: "give sorted(...)",
}


def values_of(value: Any) -> Values | None:
    """Return the values of a feature; `None` where it has none.

    bool and int become integers; float, floats; str, its bytes in UTF-8; bytes stay. A list or a numpy array of these
    holds several values, an array of any shape in row-major order; of integers and floats in one list, floats. `None`,
    an empty list, and pandas' NA and NaT are missing; NaN is a float.

    Raises:
        UnsupportedColumnError: If a value is of another type, or beyond 64 bits, or a list holds lists, texts beside
            numbers, or `None`.

    Example:
        >>> values_of(True), values_of("é"), values_of([1, 2.5]), values_of(None)
        (('integers', [1]), ('bytes or text', [b'\\xc3\\xa9']), ('floats', [1.0, 2.5]), None)
    """
    if value is None or type(value).__name__ in _MISSING:
        return None
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if isinstance(value, (list, tuple)):
        return _of_list(value)
    kind, plain = _of_one(value)
    return kind, [plain]


def _of_one(value: Any) -> tuple[str, Any]:
    if isinstance(value, np.generic):
        if value.dtype.kind in "mM":
            raise UnsupportedColumnError(
                f"is of type {value.dtype}, which tf.Example cannot hold",
                "give a text, as with str(...), or a number",
            )
        value = value.item()
    if isinstance(value, (bool, int)):
        if int(value) not in _INT64:
            raise UnsupportedColumnError(
                f"is {value}, beyond 64-bit integers", "give it as float(...) or str(...)"
            )
        return INTEGERS, int(value)
    if isinstance(value, float):
        return FLOATS, value
    if isinstance(value, str):
        try:
            return BYTES, value.encode()
        except UnicodeEncodeError as error:
            raise UnsupportedColumnError(
                f"is no text that UTF-8 can hold: {error.reason} at {error.start}", "give its bytes"
            ) from error
    if isinstance(value, (bytes, bytearray, memoryview)):
        return BYTES, bytes(value)
    remedy = next((text for kind, text in _REMEDIES.items() if isinstance(value, kind)), "")
    raise UnsupportedColumnError(
        f"is of type {type(value).__name__}, which tf.Example cannot hold",
        remedy or "give int, float, str, bytes, None, or a list or numpy array of these",
    )


def _of_array(array: NDArray[Any]) -> Values | None:
    if not array.size:
        return None
    flat = array.reshape(-1)
    if flat.dtype.kind in "bi" or (flat.dtype.kind == "u" and flat.dtype.itemsize < 8):
        return INTEGERS, flat.astype(np.int64)
    if flat.dtype.kind == "f":
        return FLOATS, flat.astype(np.float64)
    return _of_list(flat.tolist() if flat.dtype.kind != "M" else list(flat))


def _of_list(values: Sequence[Any]) -> Values | None:
    if not len(values):
        return None
    for value in values:
        if value is None:
            raise UnsupportedColumnError(
                "is a list with None in it", "leave it out, or give a value that stands for it"
            )
        if isinstance(value, (list, tuple, np.ndarray)):
            raise UnsupportedColumnError(
                "is a list of lists",
                "give a flat list, or a numpy array, whose values are kept in row-major order",
            )
    found = [_of_one(value) for value in values]
    kinds = {kind for kind, _ in found}
    if kinds == {INTEGERS, FLOATS}:
        return FLOATS, [float(value) for _, value in found]
    if len(kinds) > 1:
        raise UnsupportedColumnError(f"is a list of {' and '.join(sorted(kinds))}", "give values of one kind")
    return kinds.pop(), [value for _, value in found]
