"""Rows that come one by one, in batches of features."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import DataError, MalformedFileError
from headrace.formats import quarantine
from headrace.sources import feature_kinds, row_batches
from headrace.sources.feature_kinds import INTEGERS, Kind
from headrace.sources.intake import Intake
from headrace.sources.row_batches import Row, batches, kinds_of
from headrace.sources.source import Unreadable


def rows(*values, source="f"):
    return [Row(each, source, f"row {number}") for number, each in enumerate(values, 1)]


def table(batch):
    return batch.table().to_pydict()


def test_rows_become_lists_and_null_where_there_is_nothing():
    """None, an absent name and an empty list are one: missing."""
    (batch,) = batches(rows({"a": 1, "b": "x"}, {"a": None, "b": []}, {"a": [2, 3]}))
    assert table(batch) == {"a": [[1], None, [2, 3]], "b": [[b"x"], None, None]}
    assert batch.table().schema.field("a").type == pa.list_(pa.int64())
    assert batch.num_rows == 3


def test_floats_are_rounded_once_and_may_be_infinite():
    (batch,) = batches(rows({"x": 0.1}, {"x": 1e300}))
    assert table(batch)["x"] == [[float(np.float32(0.1))], [float("inf")]]


def test_row_without_a_feature_is_unreadable_and_not_lost():
    """With a feature that is missing, it is a row."""
    unreadable, batch = batches(rows({}, {"x": None}))
    assert unreadable == Unreadable("f", "has no feature", "row 1")
    assert (batch.num_rows, table(batch)) == (1, {"x": [None]})


def test_no_rows_no_batch():
    """But for Parquet, whose files need columns."""
    assert list(batches([])) == []
    (batch,) = batches([], {"a": Kind(INTEGERS, "f")})
    assert batch.num_rows == 0
    assert batch.table().schema.field("a").type == pa.list_(pa.int64())


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(-9, 9), min_size=1), max_size=30))
def test_batches_hold_all_rows_in_order(values):
    """However they are cut."""
    whole = [row for batch in batches(rows(*values)) for row in batch.table().to_pylist()]
    assert [{k: v[0] for k, v in row.items() if v} for row in whole] == values


def test_large_values_make_small_batches(monkeypatch):
    """Memory is bounded by bytes, not by rows."""
    monkeypatch.setattr(row_batches, "_MAX_BYTES", 1000)
    sizes = [batch.num_rows for batch in batches(rows(*[{"image": b"x" * 400}] * 7))]
    assert sizes == [3, 3, 1]


def test_two_kinds_in_one_feature_name_both_rows():
    """Also where the rows are in two batches, and where another value was missing in between."""
    with pytest.raises(DataError) as caught:
        list(batches(rows({"x": 1}, {"x": None}, {"x": "a"})))
    assert caught.value.problem == "feature 'x' holds integers in f, row 1, and bytes or text in f, row 3."
    assert "float(...)" in caught.value.fix


def test_two_kinds_in_two_parts_name_both_rows():
    """Each part tells its kinds, which are compared in the end."""
    intake = Intake(None)
    (one,), (other,) = batches(rows({"x": 1})), batches(rows({"x": "a"}, source="g"))
    with pytest.raises(DataError, match="integers in f, row 1, and bytes or text in g, row 1"):
        list(intake.rows([one, other]))


def test_row_with_a_value_that_has_no_form_is_unreadable():
    """The others stay."""
    found = list(batches(rows({"x": 1}, {"x": {2}}, {3: 1}, {"x": 4})))
    assert found[:2] == [
        Unreadable("f", "feature 'x' is of type set, which tf.Example cannot hold", "row 2"),
        Unreadable("f", "a feature's name is 3, which is no text", "row 3"),
    ]
    assert table(found[2]) == {"x": [[1], [4]]}


def test_kinds_of_reads_all_rows():
    assert kinds_of([*rows({"a": 1}, {"b": "x"}), Unreadable("f", "is none")]) == {
        "a": Kind(INTEGERS, "f, row 1"),
        "b": Kind("bytes or text", "f, row 2"),
    }


def test_unreadable_ends_the_run_or_goes_into_quarantine(tmp_path):
    """Rows and items add up."""
    (batch,) = batches(rows({"x": 1}, {"x": 2}))
    items = [Unreadable("a.json", "is no JSON: oh", "line 3", "write it again"), batch]

    with pytest.raises(MalformedFileError) as caught:
        list(Intake(None).rows(items))
    assert caught.value.problem == "a.json, line 3: is no JSON: oh."
    assert caught.value.fix == (
        'write it again; or set aside what cannot be read, with on_error="quarantine".'
    )

    with Intake(quarantine.Writer(str(tmp_path), "rows", 2, 3)) as intake:
        kept = list(intake.rows(items))
    assert (sum(each.num_rows for each in kept), intake.num_quarantined) == (2, 1)
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["rows-00002-of-00003.jsonl"]
    assert list(quarantine.read(str(tmp_path))) == [quarantine.Item("a.json", "line 3", "is no JSON: oh")]


def test_integers_beside_floats_are_floats_as_in_pandas():
    """In one batch in any order; also integers in a later one. Booleans are integers, and None is missing."""
    (batch,) = batches(rows({"x": True}, {"x": None}, {"x": 2.5}, {"x": [3, 4]}))
    assert batch.table().to_pydict() == {"x": [[1.0], None, [2.5], [3.0, 4.0]]}
    assert batch.kinds["x"] == Kind("floats", "f, row 3")


def test_integers_that_were_handed_on_do_not_become_floats(monkeypatch):
    """The error says that reading all again may help: then floats are known from the start."""
    monkeypatch.setattr(row_batches, "_MAX_ROWS", 1)
    given = rows({"x": 1}, {"x": 1.5}, {"x": 2})
    with pytest.raises(DataError) as caught:
        list(batches(given))
    assert feature_kinds.is_of_numbers(caught.value)
    assert feature_kinds.is_of_numbers(pickle.loads(pickle.dumps(caught.value)))

    monkeypatch.undo()
    assert row_batches.kinds_of(given)["x"].name == "floats"
    monkeypatch.setattr(row_batches, "_MAX_ROWS", 1)
    found = [batch.table().to_pydict()["x"] for batch in batches(given, kinds={"x": Kind("floats", "f")})]
    assert found == [[[1.0]], [[1.5]], [[2.0]]]


def test_scalars_lists_and_arrays_of_one_feature_are_one_column():
    """However each row gives its value; arrays alone are joined as they are."""
    (batch,) = batches(rows({"x": 1, "v": np.arange(2)}, {"x": [2, 3], "v": np.arange(3)}, {"x": True}))
    assert table(batch) == {"x": [[1], [2, 3], [1]], "v": [[0, 1], [0, 1, 2], None]}


def test_scalars_beyond_their_types_are_unreadable():
    """The quick way for plain scalars lets nothing through."""
    found = list(batches(rows({"x": 2**63}, {"x": "\ud800"}, {"x": -(2**63)})))
    assert [each.place for each in found[:2]] == ["row 1", "row 2"]
    assert table(found[2]) == {"x": [[-(2**63)]]}
