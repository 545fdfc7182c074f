"""Ragged outputs as the features of a record: the values, and the lengths of every ragged dimension but the first."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.transform.composites import RecordColumns


def schema(*partitions: str | int) -> schema_pb2.Schema:
    """One ragged output; a partition is the feature of its lengths, or a fixed size."""
    made = schema_pb2.Schema()
    ragged = made.tensor_representation_group[""].tensor_representation["x"].ragged_tensor
    ragged.feature_path.step.append("x$values")
    for one in partitions:
        if isinstance(one, str):
            ragged.partition.add(row_length=one)
        else:
            ragged.partition.add(uniform_row_length=one)
    return made


# Arrow has no dimensions of fixed size: their values lie in the innermost list.
@pytest.mark.parametrize(
    ("partitions", "rows", "expected"),
    [
        ([], [[1, 2], [], [3]], {"x$values": [[1, 2], [], [3]]}),
        ([2], [[1, 2, 3, 4], []], {"x$values": [[1, 2, 3, 4], []]}),
        (["n"], [[[1], []], [], [[2, 3]]], {"n": [[1, 0], [], [2]], "x$values": [[1], [], [2, 3]]}),
        (
            ["n", 2],
            [[[1, 2], [], [3, 4, 5, 6]], [[7, 8]]],
            {"n": [[1, 0, 2], [1]], "x$values": [[1, 2, 3, 4, 5, 6], [7, 8]]},
        ),
        (["n", 2, 2], [[[1, 2, 3, 4]], [[]]], {"n": [[1], [0]], "x$values": [[1, 2, 3, 4], []]}),
        (
            ["n", "m", 3],
            [[[[1, 2, 3], []], []], [[[4, 5, 6, 7, 8, 9]]]],
            {"n": [[2, 0], [1]], "m": [[1, 0], [2]], "x$values": [[1, 2, 3], [4, 5, 6, 7, 8, 9]]},
        ),
    ],
)
@pytest.mark.parametrize("num_before", [0, 1])
def test_lengths_count_elements(
    partitions: list[str | int], rows: list[Any], expected: dict[str, Any], num_before: int
) -> None:
    """Also of a batch that is a part of another."""
    depth = 1 + sum(isinstance(one, str) for one in partitions)
    kind: Any = pa.int64()
    for _ in range(depth):
        kind = pa.large_list(kind)
    whole = pa.RecordBatch.from_arrays([pa.array(rows[-1:] * num_before + rows, kind)], ["x"])

    found = RecordColumns(schema(*partitions)).of(whole.slice(num_before))

    assert found.to_pydict() == expected
