"""The first rows to analyze, for a function that decides by them what it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.features.facts import MAX_SAMPLE_ROWS
from headrace.formats.examples import examples

if TYPE_CHECKING:
    from headrace.components.transform.request import Dataset

READABLE = frozenset({"FORMAT_TF_EXAMPLE", "FORMAT_PARQUET"})
# Of tables with many columns, and of pictures, fewer rows are enough to be looked at.
_MAX_BYTES = 64 << 20
_MAX_CELLS = 1_000_000
_MIN_ROWS = 500


def read(datasets: Sequence[Dataset], schema: schema_pb2.Schema) -> pa.Table | None:
    """Return the first rows of datasets; `None` where there are none, or they are no tf.Examples.

    Raises:
        SchemaMismatchError: If a feature has another type in the data than in the schema.
    """
    kept: list[pa.RecordBatch] = []
    left = min(MAX_SAMPLE_ROWS, max(_MIN_ROWS, _MAX_CELLS // max(len(schema.feature), 1)))
    left_bytes = _MAX_BYTES
    for dataset in datasets:
        for path in dataset.files if dataset.payload in READABLE else ():
            for batch in examples.read_file(path, dataset.payload, schema):
                row_bytes = max(batch.nbytes // max(batch.num_rows, 1), 1)
                part = batch.slice(0, min(left, left_bytes // row_bytes))
                kept.append(part)
                left, left_bytes = left - part.num_rows, left_bytes - part.num_rows * row_bytes
                if left <= 0 or left_bytes < row_bytes:
                    return pa.Table.from_batches(kept)
    return pa.Table.from_batches(kept) if any(batch.num_rows for batch in kept) else None
