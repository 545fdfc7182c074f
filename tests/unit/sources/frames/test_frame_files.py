"""Tables in memory: what each kind of column becomes, what is refused, and the file that is named by its content."""

from __future__ import annotations

import datetime
import decimal
import logging
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headrace.errors import DataError, EmptyDataError, SetupError, UnsupportedColumnError
from headrace.sources.frames import frame_files


@pytest.fixture
def kept(tmp_path):
    """Keep a frame; give the table that the run reads."""

    def keep(frame, *, dates="iso", keeps_nan=None):
        name = frame_files.keep(frame, str(tmp_path), dates=dates, keeps_nan=keeps_nan, where="the table")
        return pq.read_table(str(tmp_path / name))

    return keep


def test_columns_of_pandas(kept):
    """Each kind of column, with a missing value in each that can have one."""
    stamps = pd.to_datetime(["2024-05-01T08:30:00", None])
    frame = pd.DataFrame(
        {
            "int": [1, 2],
            "nullable": pd.array([1, None], "Int64"),
            "bool": [True, False],
            "float": [1.5, np.nan],
            "text": ["é", None],
            "string": pd.array(["a", pd.NA], "string"),
            "bytes": [b"\xff", None],
            "category": pd.Categorical(["b", None]),
            "stamp": stamps,
            "zoned": stamps.tz_localize("Europe/Madrid"),
            "fraction": [pd.Timestamp("2024-05-01T08:30:00.25"), pd.Timestamp("2024-05-01")],
            "date": [datetime.date(2024, 5, 1), None],
            "duration": pd.to_timedelta(["90s", None]),
            "decimal": [decimal.Decimal("1.25"), None],
            "list": [[1, 2], None],
            "array": [np.zeros((2, 2)), np.ones(3)],
            "mixed_numbers": pd.Series([1, 2.5], dtype=object),
            7: [0, 0],
        }
    )
    assert kept(frame).to_pylist()[0] == {
        "int": 1,
        "nullable": 1,
        "bool": True,
        "float": 1.5,
        "text": "é",
        "string": "a",
        "bytes": b"\xff",
        "category": "b",
        "stamp": "2024-05-01T08:30:00",
        "zoned": "2024-05-01T08:30:00+02:00",
        "fraction": "2024-05-01T08:30:00.250",
        "date": "2024-05-01",
        "duration": 90.0,
        "decimal": 1.25,
        "list": [1, 2],
        "array": [0.0] * 4,
        "mixed_numbers": 1.0,
        "7": 0,
    }
    missing = {name for name, value in kept(frame).to_pylist()[1].items() if value is None}
    assert missing == set(map(str, frame)) - {"int", "bool", "fraction", "array", "mixed_numbers", "7"}


def test_dates_as_seconds_are_those_of_utc(kept):
    frame = pd.DataFrame({"t": pd.to_datetime(["2024-05-01T08:30:00.9", "1969-12-31T23:59:59.5"], utc=True)})
    frame["zoned"] = frame["t"].dt.tz_convert("Asia/Tokyo")
    assert kept(frame, dates="unix").to_pydict() == {"t": [1714552200, -1], "zoned": [1714552200, -1]}
    assert kept({"d": [datetime.date(1970, 1, 2)]}, dates="unix").to_pydict() == {"d": [86400]}


def test_polars_arrow_batches_and_arrays_hold_the_same(kept):
    values = {"n": [1, 2], "x": [0.5, 1.5], "s": ["a", "b"]}
    table = pa.table(values)
    frames = [
        pd.DataFrame(values),
        pl.DataFrame(values),
        pl.DataFrame(values).lazy(),
        table,
        table.to_batches()[0],
        [*table.slice(0, 1).to_batches(), *table.slice(1).to_batches()],
        values,
        {name: np.array(each) for name, each in values.items()},
        {name: pd.Series(each) for name, each in values.items()},
        {name: pl.Series(each) for name, each in values.items()},
    ]
    assert [kept(frame).to_pydict() for frame in frames] == [values] * len(frames)


def test_nan_is_missing_where_the_library_means_so(kept):
    values = np.array([1.0, np.nan])
    assert [kept(each).column(0).null_count for each in (pd.DataFrame({"x": values}), {"x": values})] == [
        1,
        1,
    ]
    assert [
        kept(each).column(0).null_count for each in (pl.DataFrame({"x": values}), pa.table({"x": values}))
    ] == [0, 0]
    assert kept(pd.DataFrame({"x": values}), keeps_nan=True).column(0).null_count == 0
    assert kept(pl.DataFrame({"x": values}), keeps_nan=False).column(0).null_count == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([None, "a", 1], "column 'x' holds 'a' (str) in row 1, and 1 (int) in row 2 (from 0)"),
        ([1, "a"], "column 'x' holds 1 (int) in row 0, and 'a' (str) in row 1 (from 0)"),
        ([True, 2], "column 'x' holds True (bool) in row 0, and 2 (int) in row 1 (from 0)"),
        (["a", b"b"], "column 'x' holds 'a' (str) in row 0, and b'b' (bytes) in row 1 (from 0)"),
        ([{"a": 1}], "column 'x' is of type struct<a: int64>, which tf.Example cannot hold"),
        ([[[1]]], "column 'x' holds lists of list<item: int64>, which tf.Example cannot hold"),
        ([[1, None]], "column 'x' holds a list with a missing value in it"),
        ([object()], "column 'x' holds values of type object, which have no form in Arrow"),
    ],
)
def test_column_that_cannot_be_a_feature_is_named_with_its_rows(kept, values, message):
    with pytest.raises(UnsupportedColumnError) as caught:
        kept(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert message in caught.value.problem


def test_tables_that_are_none_are_refused(kept):
    with pytest.raises(DataError, match="several columns of the name 'a': at positions '0', '1'"):
        kept(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(EmptyDataError, match="the table has no rows"):
        kept(pd.DataFrame({"a": []}))
    with pytest.raises(DataError, match="the table has no columns"):
        kept(pd.DataFrame())
    with pytest.raises(DataError, match="column 'a' has 2 rows, and 'b' 1"):
        kept({"a": [1, 2], "b": [1]})
    with pytest.raises(DataError, match="of type str, which is no table"):
        kept("data.csv")
    with pytest.raises(DataError, match=r"18446744073709551615 in row 1 \(from 0\)"):
        kept({"a": np.array([1, 2**64 - 1], np.uint64)})


def test_index_is_left_out_and_mentioned_where_it_has_a_name(kept, caplog):
    with caplog.at_level(logging.WARNING):
        assert kept(pd.DataFrame({"a": [1]}, index=["x"])).column_names == ["a"]
        assert not caplog.records
        kept(pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="who")))
    assert "its index 'who' is no column" in caplog.text


def test_equal_frames_are_one_file_and_a_changed_cell_is_another(tmp_path):
    def name(frame):
        return frame_files.keep(frame, str(tmp_path), dates="iso", keeps_nan=None, where="the table")

    frame = pd.DataFrame({"a": range(1000), "b": ["x"] * 1000})
    first = name(frame)
    assert name(frame.copy().set_index(pd.Index(range(5, 1005)))) == first
    frame.loc[999, "b"] = "y"
    assert name(frame) != first
    assert len(os.listdir(tmp_path)) == 2


def test_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="file/frames'"):
        frame_files.keep(
            {"a": [1]}, str(tmp_path / "file" / "frames"), dates="iso", keeps_nan=None, where="the table"
        )
