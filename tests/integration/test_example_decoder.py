"""ExampleDecoder: batch for batch what tfx_bsl decodes, however the records were written."""

from __future__ import annotations

import random
from typing import Any

import pytest
import tensorflow as tf
from data_validation import example, odd_records, taxi_records
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders import example_coder

from headrace.formats.examples.example_decoder import ExampleDecoder

_INT64 = st.integers(-(2**63), 2**63 - 1)
_VALUES = {
    "ints": st.lists(_INT64, max_size=4),
    "floats": st.lists(st.floats(width=32), max_size=4).map(lambda values: [float(v) for v in values]),
    "texts": st.lists(st.binary(max_size=200), max_size=3),
    "late": st.lists(_INT64, min_size=1, max_size=2),
}
# Absent, without a value, with an empty list of the feature's type, or with values.
_ROWS = st.lists(
    st.fixed_dictionaries({}, optional={k: st.none() | v for k, v in _VALUES.items()}), min_size=1
)


def _assert_decodes_as_tfx_bsl(decoder: ExampleDecoder, records: list[bytes], schema: Any = None) -> None:
    serialized = None if schema is None else schema.SerializeToString()
    expected = example_coder.ExamplesToRecordBatchDecoder(serialized).DecodeBatch(records)
    found = decoder.decode(records)
    assert found.schema.equals(expected.schema)
    assert repr(found.to_pydict()) == repr(expected.to_pydict())


def _write(rows: list[dict[str, Any]]) -> list[bytes]:
    records = []
    for row in rows:
        proto = tf.train.Example.FromString(example(**{k: None if v == [] else v for k, v in row.items()}))
        for name in (name for name, values in row.items() if values == []):
            kind = {"floats": "float_list", "texts": "bytes_list"}.get(name, "int64_list")
            getattr(proto.features.feature[name], kind).SetInParent()
        records.append(proto.SerializeToString())
    return records


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROWS, min_size=1, max_size=4))
def test_any_records_decode_as_tfx_bsl_decodes_them(batches):
    """One decoder sees several batches, and features may come and go."""
    decoder = ExampleDecoder()
    for rows in batches:
        _assert_decodes_as_tfx_bsl(decoder, _write(rows))


@pytest.mark.parametrize("num_rows", [20, 300])
def test_wide_records_with_many_missing_values_decode_as_tfx_bsl_decodes_them(num_rows):
    """Where to look for each missing value would take longer than tfx_bsl, and where there is another way."""
    chooser = random.Random(4)
    rows = [
        {f"feature_{number:03d}": None if chooser.random() < 0.6 else [number] for number in range(250)}
        for _ in range(num_rows)
    ]
    decoder = ExampleDecoder()
    for _ in range(2):
        _assert_decodes_as_tfx_bsl(decoder, _write(rows))


def test_taxi_and_odd_data_decode_as_tfx_bsl_decodes_them():
    for records in (taxi_records(3_000), odd_records()):
        decoder = ExampleDecoder()
        for start in range(0, len(records), 700):
            _assert_decodes_as_tfx_bsl(decoder, records[start : start + 700])


def test_taxi_data_is_decoded_the_fast_way(monkeypatch: pytest.MonkeyPatch):
    """tfx_bsl sees the rows to learn features from, and no whole batch."""
    decoder = ExampleDecoder()
    monkeypatch.setattr(decoder, "_complete", None)

    assert sum(decoder.decode(taxi_records(2_000)).num_rows for _ in range(2)) == 4_000


def test_empty_lists_are_decoded_the_fast_way(monkeypatch: pytest.MonkeyPatch):
    """TFX's CsvExampleGen writes one for each empty cell; beside absent features and entries without a value."""
    rows = [
        {"ints": [1], "floats": [], "texts": []},
        {"ints": [], "floats": [0.5], "texts": None},
        {"ints": [2]},
    ]
    records = _write(rows * 500)
    records += _write([{"ints": [1], "floats": [1.0], "texts": [b"x"]}])
    decoder = ExampleDecoder()
    _assert_decodes_as_tfx_bsl(decoder, records)
    monkeypatch.setattr(decoder, "_complete", None)

    assert decoder.decode(records).num_rows == 1501


def test_feature_that_comes_late_is_not_lost():
    decoder = ExampleDecoder()
    records = [example(a=[1])] * 500 + [example(a=[1], b=[b"x"])] + [example(a=[1])] * 500

    batch = decoder.decode(records)

    assert batch.schema.names == ["a", "b"]
    assert batch.column(1).to_pylist()[500] == [b"x"]


@pytest.mark.parametrize("names", [["fare", "company"], ["company", "not_there", "trip_miles"]])
def test_schema_limits_and_orders_the_columns(names):
    types = {"company": schema_pb2.BYTES, "not_there": schema_pb2.INT}
    schema = schema_pb2.Schema()
    for name in names:
        schema.feature.add(name=name, type=types.get(name, schema_pb2.FLOAT))
    records = taxi_records(500)
    random.Random(7).shuffle(records)

    _assert_decodes_as_tfx_bsl(ExampleDecoder(schema), records, schema)


def test_feature_of_another_type_than_the_schema_fails_as_in_tfx_bsl():
    schema = schema_pb2.Schema()
    schema.feature.add(name="a", type=schema_pb2.FLOAT)

    with pytest.raises(RuntimeError, match="a"):
        ExampleDecoder(schema).decode([example(a=[1])])
