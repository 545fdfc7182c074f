"""Plain values as the values of a feature."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pytest

from headrace.errors import UnsupportedColumnError
from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS
from headrace.sources.feature_values import values_of


class NAType:
    """As pandas' NA is called."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, (INTEGERS, [3])),
        (True, (INTEGERS, [1])),
        (-(2**63), (INTEGERS, [-(2**63)])),
        (0.5, (FLOATS, [0.5])),
        ("né", (BYTES, ["né".encode()])),
        ("", (BYTES, [b""])),
        (b"\0\xff", (BYTES, [b"\0\xff"])),
        (bytearray(b"x"), (BYTES, [b"x"])),
        ([1, 2], (INTEGERS, [1, 2])),
        ((1, 2.5), (FLOATS, [1.0, 2.5])),
        (["a", b"b"], (BYTES, [b"a", b"b"])),
        ([], None),
        (None, None),
        (NAType(), None),
        (np.int32(7), (INTEGERS, [7])),
        (np.float32(0.5), (FLOATS, [0.5])),
        (np.bool_(True), (INTEGERS, [1])),
        (np.str_("x"), (BYTES, [b"x"])),
        (np.zeros((0, 3)), None),
        (np.array(5), (INTEGERS, [5])),
        (np.array([[1, 2], [3, 4]], np.uint8), (INTEGERS, [1, 2, 3, 4])),
        (np.array([[1, 2], [3, 4]], order="F"), (INTEGERS, [1, 2, 3, 4])),
        (np.array([1.5, 2.5], np.float16), (FLOATS, [1.5, 2.5])),
        (np.array([2**40], np.uint64), (INTEGERS, [2**40])),
        (np.array(["a", "b"]), (BYTES, [b"a", b"b"])),
        (np.array(["a", b"b"], object), (BYTES, [b"a", b"b"])),
    ],
)
def test_values(value, expected):
    found = values_of(value)
    assert (found and (found[0], list(found[1]))) == expected
    if expected is not None and expected[0] == INTEGERS:
        assert all(type(each) is not bool for each in found[1])


@pytest.mark.parametrize(
    ("value", "problem", "fix"),
    [
        (2**63, "is 9223372036854775808, beyond 64-bit integers", "str"),
        (np.array([2**63], np.uint64), "beyond 64-bit integers", "str"),
        ([1, None], "is a list with None in it", "leave it out"),
        ([[1], [2]], "is a list of lists", "numpy array"),
        ([1, "a"], "is a list of bytes or text and integers", "one kind"),
        ({"a": 1}, "is of type dict", "features of their own"),
        ({1}, "is of type set", "sorted"),
        (datetime.datetime(2020, 1, 1), "is of type datetime", "isoformat"),
        (np.datetime64("2020-01-01"), "is of type datetime64", "text"),
        (np.array(["2020-01-01"], "M8[D]"), "is of type datetime64", "text"),
        (decimal.Decimal(1), "is of type Decimal", "float"),
        (1j, "is of type complex", "int, float, str"),
        (object(), "is of type object", "int, float, str"),
        ("\ud800", "is no text that UTF-8 can hold", "bytes"),
    ],
)
def test_what_no_feature_can_hold_is_said(value, problem, fix):
    """With what to give instead."""
    with pytest.raises(UnsupportedColumnError) as caught:
        values_of(value)
    assert problem in caught.value.problem
    assert fix in caught.value.fix
