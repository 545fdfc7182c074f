"""UniformDecoder: what tfx_bsl decodes, or nothing."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from data_validation import example, odd_records, taxi_records
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from tfx_bsl.coders import example_coder

from headrace.formats.examples import example_encoder
from headrace.formats.examples.example_decoder import ExampleDecoder
from headrace.formats.examples.records import Records
from headrace.formats.examples.uniform_examples import UniformDecoder

_INT64 = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300)
_VALUES = {
    "ints": st.lists(_INT64, max_size=4),
    "floats": st.lists(st.floats(width=32), max_size=4),
    "texts": st.lists(st.binary(max_size=300), max_size=3),
    "text": st.lists(st.binary(max_size=20_000), min_size=1, max_size=1),
    "a name that is longer than most are, by far, and by a good deal more than that": st.lists(_INT64),
}
_ROW = st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in _VALUES.items()})
_TYPES = {"floats": pa.list_(pa.float32()), "texts": pa.list_(pa.binary()), "text": pa.list_(pa.binary())}


def _records(rows: list[dict[str, Any]]) -> list[bytes]:
    """Records with every feature in order: a missing one has an entry without a value."""
    columns = [
        pa.array([row.get(name) for row in rows], _TYPES.get(name, pa.list_(pa.int64()))) for name in _VALUES
    ]
    return example_encoder.encode(pa.RecordBatch.from_arrays(columns, list(_VALUES))).to_pylist()


@functools.cache
def _taxi_records(count: int) -> tuple[bytes, ...]:
    """As `taxi_records`, with the features in order."""
    protos = (tf.train.Example.FromString(record) for record in taxi_records(count))
    return tuple(proto.SerializeToString(deterministic=True) for proto in protos)


def _expected(records: list[bytes]) -> dict[str, list[Any]]:
    """Lists by feature, as protobuf reads them; `None` where there is no list."""
    protos = [tf.train.Example.FromString(record) for record in records]
    names = {name for proto in protos for name in proto.features.feature}
    return {name: [_list(proto, name) for proto in protos] for name in names}


def _list(proto: Any, name: str) -> list[Any] | None:
    if name not in proto.features.feature:
        return None
    kind = proto.features.feature[name].WhichOneof("kind")
    return None if kind is None else list(getattr(proto.features.feature[name], kind).value)


def _found(decoder: UniformDecoder, records: list[bytes]) -> dict[str, list[Any]] | None:
    columns = decoder.decode(Records.of(records))
    if columns is None:
        return None
    lists = {}
    for name, column in columns.items():
        values = [] if column.values is None else column.values.to_pylist()
        edges = column.offsets.tolist()
        lists[name] = [
            values[start:end] if is_present else None
            for start, end, is_present in zip(edges, edges[1:], column.is_present.tolist())
        ]
    # By name: protobuf 6 writes "texts" before "text", and columns come in the order of the records.
    return dict(sorted(lists.items()))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_ROW, min_size=1, max_size=8), min_size=1, max_size=3))
def test_records_of_one_writer_are_decoded_in_full(batches: list[list[dict[str, Any]]]) -> None:
    """Lists of every length, empty lists, missing values, numbers of every size, texts of every length."""
    decoder = UniformDecoder()
    for rows in batches:
        records = _records(rows)
        assert repr(_found(decoder, records)) == repr(
            {name: _expected(records)[name] for name in sorted(_VALUES)}
        )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_ROW, min_size=1, max_size=8), min_size=1, max_size=3), st.booleans())
def test_any_other_records_are_decoded_rightly_or_not_at_all(
    batches: list[list[dict[str, Any]]], is_sorted: bool
) -> None:
    """Features may be absent, come late, and come in an order of each record's own."""
    decoder = UniformDecoder()
    for rows in batches:
        records = []
        for row in rows:
            proto = tf.train.Example.FromString(example(**{name: row[name] or None for name in row}))
            records.append(proto.SerializeToString(deterministic=is_sorted))
        found, expected = _found(decoder, records), _expected(records)
        assert found is None or all(repr(found[name]) == repr(expected[name]) for name in expected)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_records_are_decoded_as_protobuf_does_or_not_at_all(data: st.DataObject) -> None:
    """Whatever byte is changed, nothing is lost without a word."""
    records = list(_taxi_records(30))
    decoder = UniformDecoder()
    assert _found(decoder, records) is not None
    row = data.draw(st.integers(0, len(records) - 1))
    place = data.draw(st.integers(0, len(records[row]) - 1))
    damaged = bytearray(records[row])
    damaged[place] = data.draw(st.integers(0, 255))
    records[row] = bytes(damaged)

    try:
        expected = _expected(records)
    except DecodeError:
        expected = None
    found = _found(decoder, records)

    assert found is None or (
        expected is not None and repr({name: found[name] for name in expected}) == repr(expected)
    )


def test_lists_and_texts_of_any_size_are_decoded() -> None:
    """Around the sizes at which a length takes a byte more."""
    sizes = [0, 1, 60, 120, 121, 122, 123, 126, 127, 128, 129, 250, 255, 256, 300, 16_370, 16_384, 70_000]
    rows = [
        {"texts": [b"x" * size], "text": [b"y" * size, b""], "floats": [0.5] * size, "ints": [size] * size}
        for size in [*sizes, *reversed(sizes)]
    ]
    records = _records(rows)

    assert repr(_found(UniformDecoder(), records)) == repr(
        {name: _expected(records)[name] for name in sorted(_VALUES)}
    )


def test_only_wanted_features_are_returned() -> None:
    """The others are still accounted for."""
    decoder = UniformDecoder(["fare", "not there"])

    found = _found(decoder, list(_taxi_records(300)))

    assert found is not None
    assert list(found) == ["fare"]
    assert _found(decoder, [*_taxi_records(300), example(fare=[1.0], other=[b"x"])]) is not None
    assert _found(decoder, [*_taxi_records(300), b"not an example"]) is None


def test_texts_that_grow_are_decoded() -> None:
    """From one batch to the next, past what the tables of lengths had room for."""
    decoder = UniformDecoder()
    for lengths in ([10, 200], [10, 1000], [280, 10, 3000]):
        rows = [{"text": [b"x" * length]} for length in lengths]

        found = _found(decoder, _records(rows))

        assert found is not None
        assert found["text"] == [row["text"] for row in rows]


@pytest.mark.parametrize(
    "make",
    [lambda: taxi_records(3_000), lambda: list(_taxi_records(3_000)), odd_records, lambda: [b""] * 3_000],
)
def test_data_decodes_as_tfx_bsl_decodes_it(make: Any) -> None:
    """Through the decoder that everything reads with."""
    records = make()
    decoder = ExampleDecoder()
    for start in range(0, len(records), 1_500):
        part = records[start : start + 1_500]
        expected = example_coder.ExamplesToRecordBatchDecoder(None).DecodeBatch(part)
        found = decoder.decode(Records.of(part))
        assert found.schema.equals(expected.schema)
        assert repr(found.to_pydict()) == repr(expected.to_pydict())


def test_records_are_what_they_were_made_of() -> None:
    records = [b"a", b"", b"ccc"]

    kept = Records.of(records)

    assert kept.to_list() == records
    assert (kept[2], kept[:2], len(kept)) == (b"ccc", [b"a", b""], 3)
    assert np.array_equal(kept.ends - kept.starts, [1, 0, 3])
