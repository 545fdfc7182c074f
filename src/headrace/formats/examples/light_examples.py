"""Examples as Arrow record batches and serialized tf.Examples, read without TensorFlow and without Beam."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.authoring import Artifact
from headrace.errors import MalformedFileError, UnsupportedColumnError
from headrace.formats import artifacts, parquet_files
from headrace.formats.examples import example_encoder, plain_rows, tfrecord
from headrace.formats.examples.arrow_features import as_feature
from headrace.formats.examples.plain_rows import Row
from headrace.formats.examples.uniform_examples import Column, UniformDecoder

_PARQUET, _EXAMPLE, _SEQUENCE = "FORMAT_PARQUET", "FORMAT_TF_EXAMPLE", "FORMAT_TF_SEQUENCE_EXAMPLE"


def read_records(examples: Artifact, split: str, rows: int) -> Iterator[list[bytes]]:
    """Yield a split as lists of at most `rows` serialized records, file by file in the order of their names.

    Raises:
        EmptyDataError: If the split has no file.
        MalformedFileError: If a file is damaged.
    """
    is_parquet = artifacts.payload_format(examples) == _PARQUET
    for path in artifacts.split_files(examples, split):
        if is_parquet:
            for batch in parquet_files.read_batches(path, rows):
                yield example_encoder.encode(_as_lists(batch, path)).to_pylist()
        else:
            yield from tfrecord.read_batches(path, rows)


def count(examples: Artifact, split: str) -> int:
    """Return how many rows a split has; its files are read to the end, those of Parquet at their ends alone."""
    paths = artifacts.split_files(examples, split)
    if artifacts.payload_format(examples) == _PARQUET:
        return sum(parquet_files.open_file(path).metadata.num_rows for path in paths)
    return sum(len(records) for path in paths for records in tfrecord.read(path, 10_000))


def read_columns(
    examples: Artifact, split: str, rows: int, wanted: Collection[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield a split as record batches of at most `rows` rows, each feature a list column or of null type.

    Args:
        examples: The artifact.
        split: One of its splits.
        rows: See above.
        wanted: Only these features; one that a batch has in no row is of null type in it.

    Raises:
        EmptyDataError: If the split has no file.
        MalformedFileError: If a file is damaged.
        UnsupportedColumnError: If the records are no rows of features.
    """
    payload = artifacts.payload_format(examples)
    decoder = UniformDecoder(wanted)
    for path in artifacts.split_files(examples, split):
        if payload == _PARQUET:
            for batch in parquet_files.read_batches(path, rows):
                yield _selected(_as_lists(batch, path), wanted)
        elif payload in (_EXAMPLE, _SEQUENCE):
            for records in tfrecord.read(path, rows):
                found = decoder.decode(records) if payload == _EXAMPLE else None
                if found is None:
                    yield _selected(_of_rows([_row(record, payload, path) for record in records]), wanted)
                else:
                    arrays = {name: _array(column, len(records)) for name, column in sorted(found.items())}
                    yield _selected(_batch(arrays, len(records)), wanted)
        else:
            raise UnsupportedColumnError(
                f"{path}: payload {payload} cannot be read as rows of features.",
                "use an ExampleGen that writes FORMAT_TF_EXAMPLE or FORMAT_PARQUET.",
            )


def _row(record: bytes, payload: str, path: str) -> Row:
    try:
        return plain_rows.parse_record(record, is_sequence=payload == _SEQUENCE)
    except Exception as error:  # protobuf's own, of several kinds
        raise MalformedFileError(
            f"{path} holds a record that is no tf.Example: {error}.",
            "write the file again, with tf.Examples.",
        ) from error


def _array(column: Column, num_rows: int) -> pa.Array:
    if column.kind is None:
        return pa.nulls(num_rows)
    is_missing = np.append(~np.asarray(column.is_present, bool), False)
    offsets = pa.array(np.asarray(column.offsets, np.int32), mask=is_missing if is_missing.any() else None)
    return pa.ListArray.from_arrays(offsets, column.values)


def _of_rows(rows: list[Row]) -> pa.RecordBatch:
    arrays = {}
    for name in plain_rows.columns_of(rows):
        values = [row.get(name) for row in rows]
        first = next((one[0] for one in values if one), None)
        kind = {bytes: pa.binary(), float: pa.float32(), int: pa.int64()}.get(type(first))
        arrays[name] = pa.nulls(len(rows)) if kind is None else pa.array(values, pa.list_(kind))
    return _batch(arrays, len(rows))


def _batch(arrays: dict[str, Any], num_rows: int) -> pa.RecordBatch:
    if not arrays:
        # Of a batch without columns Arrow 10 forgets the rows.
        arrays = {"": pa.nulls(num_rows)}
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def _selected(batch: pa.RecordBatch, wanted: Collection[str] | None) -> pa.RecordBatch:
    if wanted is None:
        return batch
    names = batch.schema.names
    arrays = {
        name: batch.column(names.index(name)) if name in names else pa.nulls(batch.num_rows)
        for name in wanted
    }
    return _batch(arrays, batch.num_rows)


def _as_lists(batch: pa.RecordBatch, path: str) -> pa.RecordBatch:
    """Give each column of a Parquet file the list form of tf.Example."""
    columns = [as_feature(column, name, path) for name, column in zip(batch.schema.names, batch.columns)]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
