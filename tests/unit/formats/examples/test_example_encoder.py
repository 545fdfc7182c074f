"""Batches that no tf.Example can hold; what it holds is compared with protobuf in tests/integration."""

import pyarrow as pa
import pytest

from headrace.errors import UnsupportedColumnError
from headrace.formats.examples import example_encoder


def test_two_columns_of_one_name_are_refused():
    """Of two entries of a map every reader keeps the last: one column would be lost without a word."""
    columns = [pa.array([[1]]), pa.array([[0.5]], pa.list_(pa.float32()))]
    with pytest.raises(UnsupportedColumnError) as caught:
        example_encoder.encode(pa.RecordBatch.from_arrays(columns, ["x", "x"]))
    assert caught.value.problem == "2 columns are named 'x', and a tf.Example has one feature of a name."
