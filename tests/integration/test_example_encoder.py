"""The encoder below ExampleGens against protobuf's own."""

from __future__ import annotations

import pyarrow as pa
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.formats.examples import example_encoder
from headrace.sources.tfrecord.tfrecord_reader import ProtoRows

_INT64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def _columns(draw):
    kinds = {
        pa.int64(): _INT64,
        pa.float32(): st.floats(width=32),
        pa.binary(): st.binary(max_size=200),
    }
    num_rows = draw(st.integers(1, 8))
    names = draw(st.lists(st.text(max_size=5), min_size=1, max_size=5, unique=True))
    columns = []
    for _ in names:
        kind = draw(st.sampled_from([*kinds, None]))
        if kind is None:
            columns.append(pa.nulls(num_rows))
            continue
        cells = st.one_of(st.none(), st.lists(kinds[kind], max_size=4))
        values = draw(st.lists(cells, min_size=num_rows, max_size=num_rows))
        columns.append(pa.array(values, pa.list_(kind)))
    return pa.RecordBatch.from_arrays(columns, names)


def _as_proto(batch, row):
    example = tf.train.Example()
    example.features.SetInParent()
    for name, column in zip(batch.schema.names, batch.columns):
        feature, values = example.features.feature[name], column[row].as_py()
        if values is None:
            continue
        kind = column.type.value_type
        part = {pa.int64(): "int64_list", pa.float32(): "float_list", pa.binary(): "bytes_list"}[kind]
        getattr(feature, part).SetInParent()
        getattr(feature, part).value.extend(values)
    return example


@settings(max_examples=120, deadline=None)
@given(_columns())
def test_encoder_equals_protobuf(batch):
    """Byte for byte, for any names, values, lists and missing cells; and for slices of a batch."""
    expected = [_as_proto(batch, row).SerializeToString(deterministic=True) for row in range(batch.num_rows)]
    assert example_encoder.encode(batch).to_pylist() == expected
    assert example_encoder.encode(batch.slice(1)).to_pylist() == expected[1:]
    for name, column in zip(batch.schema.names, batch.columns):
        keys = [
            _as_proto(batch, row).features.feature[name].SerializeToString(deterministic=True)
            for row in range(batch.num_rows)
        ]
        assert example_encoder.encode_feature(column).to_pylist() == keys


@settings(max_examples=100, deadline=None)
@given(_columns(), st.data())
def test_imported_records_take_their_deterministic_form(batch, data):
    """Also where a row lacks a feature altogether, or has one without values."""
    protos = [_as_proto(batch, row) for row in range(batch.num_rows)]
    for proto in protos:
        for name in batch.schema.names:
            if data.draw(st.booleans()):
                del proto.features.feature[name]
    serialized = [proto.SerializeToString() for proto in protos]
    expected = [
        tf.train.Example.FromString(record).SerializeToString(deterministic=True) for record in serialized
    ]
    assert ProtoRows(serialized, tf.train.Example, "a", 1).records() == expected
