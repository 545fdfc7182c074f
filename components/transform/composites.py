"""Ragged outputs as the features of a tf.Example that the schema of the transform graph names.

A column of a batch has the name of its output; the schema's tensor representations say which features carry
it. For a ragged output these have other names: `x$ragged_values`, and `x$row_lengths_1` and so on for every
ragged dimension but the first. What reads the records knows these alone.
"""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import schema_pb2


class RecordColumns:
    """Turns batches of outputs into batches whose columns are the features of the records.

    Args:
        schema: Of the outputs, as TFT infers it.
    """

    def __init__(self, schema: schema_pb2.Schema) -> None:
        self._ragged = {
            name: representation.ragged_tensor
            for group in schema.tensor_representation_group.values()
            for name, representation in group.tensor_representation.items()
            if representation.WhichOneof("kind") == "ragged_tensor"
        }

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return one flat column for each feature.

        Args:
            batch: One column per output; a ragged one is nested once for each ragged dimension.
        """
        if not self._ragged:
            return batch
        columns: dict[str, pa.Array] = {}
        for name, column in zip(batch.schema.names, batch.columns):
            ragged = self._ragged.get(name)
            columns |= {name: column} if ragged is None else _features(ragged, column)
        return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _features(ragged: schema_pb2.TensorRepresentation.RaggedTensor, column: pa.Array) -> dict[str, pa.Array]:
    """Split a nested column into its values, and the lengths of its lists at each level below the rows."""
    offsets, level = column.offsets, column.values
    lengths_features = [one.row_length for one in ragged.partition if one.WhichOneof("kind") == "row_length"]
    # Dimensions of fixed size come last: an innermost list has the values of that many elements in a row.
    size = math.prod(one.uniform_row_length or 1 for one in ragged.partition)
    found = {}
    for name in lengths_features:
        lengths = level.value_lengths().cast(pa.int64())
        if name == lengths_features[-1]:
            lengths = pc.divide(lengths, size)
        found[name] = pa.LargeListArray.from_arrays(offsets, lengths)
        offsets, level = level.offsets.take(offsets), level.values
    found[".".join(ragged.feature_path.step)] = pa.LargeListArray.from_arrays(offsets, level)
    return found
