"""Digests of rows: equal for equal values, however these are written; different for all else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.quality.row_digests import Compared, RowValues, of_bytes, rounded


def _batch(rows: list[dict[str, Any]], names: tuple[str, ...] = ("a", "b", "t")) -> pa.RecordBatch:
    kinds = {"a": pa.int64(), "b": pa.float32(), "t": pa.large_binary()}
    columns = [pa.array([row.get(name) for row in rows], pa.large_list(kinds[name])) for name in names]
    return pa.RecordBatch.from_arrays(columns, list(names))


_ALL = Compared()


def _digests(batch: pa.RecordBatch, compared: Compared = _ALL, digits: int | None = None) -> list[Any]:
    return [tuple(row) for row in RowValues(batch, compared, digits).digests().tolist()]


def test_no_value_is_the_same_however_it_is_written() -> None:
    """An absent column, a null, an empty list."""
    absent = _digests(_batch([{"a": [1]}], ("a",)))
    null = _digests(_batch([{"a": [1], "b": None, "t": None}]))
    empty = _digests(_batch([{"a": [1], "b": [], "t": []}]))
    typeless = pa.RecordBatch.from_arrays([pa.array([[1]], pa.list_(pa.int64())), pa.nulls(1)], ["a", "t"])

    assert absent == null == empty == _digests(typeless)


def test_the_order_of_columns_does_not_count() -> None:
    row = {"a": [1], "b": [2.0], "t": [b"x"]}

    assert _digests(_batch([row])) == _digests(_batch([row], ("t", "b", "a")))


def test_zeros_and_nans_are_one_each_as_for_pandas() -> None:
    odd = np.array([0x7FC00001], np.uint32).view(np.float32)[0]
    found = _digests(_batch([{"b": [0.0]}, {"b": [-0.0]}, {"b": [float("nan")]}, {"b": [odd]}]))

    assert found[0] == found[1] != found[2] == found[3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [1]}, {"a": [1, 1]}),
        ({"a": [1]}, {"b": [1.0]}),
        ({"t": [b"ab", b"c"]}, {"t": [b"a", b"bc"]}),
        ({"t": [b""]}, {"t": []}),
    ],
)
def test_rows_that_differ_have_other_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = _digests(_batch([one, other]))

    assert first != second


def test_features_that_are_ignored_or_not_named_do_not_count() -> None:
    batch = _batch([{"a": [1], "t": [b"x"]}, {"a": [1], "t": [b"y"]}])

    for compared in (Compared(("a",)), Compared(None, ("t",))):
        first, second = _digests(batch, compared)
        assert first == second
    values = RowValues(batch, Compared())
    assert (values.digests()[0] != values.digests()[1]).any()
    assert (values.digests(without=["t"])[0] == values.digests(without=["t"])[1]).all()


def test_a_slice_has_the_digests_of_its_rows() -> None:
    batch = _batch([{"a": [at], "b": [at / 3], "t": [b"%d" % at]} for at in range(10)])

    assert _digests(batch.slice(3, 4)) == _digests(batch)[3:7]
    values = pa.array([b"a", b"bc", b"", b"a"])
    assert (of_bytes(values.slice(1, 3)) == of_bytes(values)[1:4]).all()


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.5, -0.0, 0.0, float("nan")])), max_size=30))
def test_equal_rows_are_those_that_pandas_drops(rows: list[tuple[int, float]]) -> None:
    """The first copy stays, in both."""
    found = _digests(_batch([{"a": [a], "b": [b]} for a, b in rows])) if rows else []
    seen: set[Any] = set()
    ours = [bool(one in seen or seen.add(one)) for one in found]  # type: ignore[func-returns-value]

    assert ours == pd.DataFrame(rows, columns=["a", "b"]).duplicated().tolist()


def test_numbers_are_rounded_to_significant_digits() -> None:
    values = np.array([0.0, 1234.0, 0.0012345, -98.76, np.inf, 1e-44])

    assert rounded(values, 3).tolist()[:5] == [0.0, 1230.0, 0.00123, -98.8, np.inf]
    first, second = _digests(_batch([{"b": [1.2341]}, {"b": [1.2343]}]), digits=4)
    assert first == second
