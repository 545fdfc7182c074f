"""Read Examples artifacts as Arrow record batches, in a Beam pipeline or in this process.

A batch has one column per feature: `list<int64 | float32 | binary>`, or the large variants where a schema
is given. A feature missing from a row is null there; from a whole batch, it is absent or of null type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.errors import UnsupportedColumnError
from headrace.io import artifacts, example_encoder, tfrecord, wire_values
from headrace.io.example_decoder import ExampleDecoder
from headrace.sdk import Artifact, progress

BATCH_ROWS = 20_000


def read_record_batches(
    examples: Artifact,
    split: str,
    *,
    schema: schema_pb2.Schema | None = None,
    raw_record_column: str | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[pa.RecordBatch]:
    """Yield one split in this process, file by file in name order.

    Args:
        examples: An Examples artifact of payload tf.Example or Parquet.
        split: One of its splits.
        schema: Limits and orders the columns and fixes their types; without it they are inferred per batch.
        raw_record_column: Adds a column of this name with each row's serialized tf.Example.
        batch_rows: A batch has 1 to this many rows.

    Raises:
        EmptyDataError: If the split has no file.
        MalformedFileError: If a file is damaged.
    """
    payload = artifacts.payload_format(examples)
    for path in artifacts.split_files(examples, split):
        yield from read_file(path, payload, schema, raw_record_column, batch_rows)


def read_file(
    path: str,
    payload: str,
    schema: schema_pb2.Schema | None = None,
    raw_record_column: str | None = None,
    batch_rows: int = BATCH_ROWS,
    wanted: Collection[str] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file of an Examples artifact; see `read_record_batches`.

    Args:
        path: The file.
        payload: Its payload format.
        schema: See `read_record_batches`.
        raw_record_column: See `read_record_batches`.
        batch_rows: See `read_record_batches`.
        wanted: The features that are needed, where no schema says so: others may be left out.
    """
    if payload == "FORMAT_PARQUET":
        for batch in pq.ParquetFile(path).iter_batches(batch_size=batch_rows):
            batch = _as_lists(batch, path)
            if raw_record_column:
                records = example_encoder.encode(batch).combine_chunks().cast(pa.large_binary())
                batch = _with_column(batch, raw_record_column, records)
            yield batch
        return
    if payload != "FORMAT_TF_EXAMPLE":
        raise UnsupportedColumnError(
            f"{path}: payload {payload} cannot be read as rows of features.",
            "use an ExampleGen that writes FORMAT_TF_EXAMPLE or FORMAT_PARQUET.",
        )
    decoder = ExampleDecoder(schema, wanted)
    for read in tfrecord.read(path, batch_rows):
        batch = decoder.decode(read)
        if raw_record_column:
            records = wire_values.take_ranges(read.data, read.starts, read.ends - read.starts)
            batch = _with_column(batch, raw_record_column, records)
        yield batch


def read_records(examples: Artifact, split: str, batch_rows: int = BATCH_ROWS) -> Iterator[list[bytes]]:
    """Yield one split as lists of serialized tf.Examples, file by file in name order."""
    payload = artifacts.payload_format(examples)
    for path in artifacts.split_files(examples, split):
        if payload == "FORMAT_PARQUET":
            for batch in read_file(path, payload, batch_rows=batch_rows):
                yield example_encoder.encode(batch).to_pylist()
        else:
            yield from tfrecord.read_batches(path, batch_rows)


class ReadRecordBatches(beam.PTransform):
    """A Beam source: one split of an Examples artifact as Arrow record batches; see `read_record_batches`.

    Files are spread over the runner's workers; the order of batches is not defined.
    """

    def __init__(
        self,
        examples: Artifact,
        split: str,
        *,
        schema: schema_pb2.Schema | None = None,
        raw_record_column: str | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        super().__init__()
        self._files = artifacts.split_files(examples, split)
        self._payload = artifacts.payload_format(examples)
        self._schema = schema
        self._raw_record_column = raw_record_column
        self._batch_rows = batch_rows

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection:
        return (
            pbegin
            | "Files" >> beam.Create(self._files, reshuffle=len(self._files) > 1)
            | "ReadFile"
            >> beam.ParDo(
                _ReadFile(self._payload, self._schema, self._raw_record_column, self._batch_rows)
            ).with_output_types(pa.RecordBatch)
        )


class _ReadFile(beam.DoFn):
    def __init__(
        self, payload: str, schema: schema_pb2.Schema | None, raw_record_column: str | None, batch_rows: int
    ) -> None:
        self._arguments = (payload, schema, raw_record_column, batch_rows)

    def process(self, path: str) -> Iterator[pa.RecordBatch]:
        for batch in read_file(path, *self._arguments):
            progress.add_rows(batch.num_rows)
            yield batch


def _with_column(batch: pa.RecordBatch, name: str, records: pa.Array) -> pa.RecordBatch:
    offsets = pa.array(np.arange(len(records) + 1))
    column = pa.LargeListArray.from_arrays(offsets, records)
    return pa.RecordBatch.from_arrays([*batch.columns, column], [*batch.schema.names, name])


def _as_lists(batch: pa.RecordBatch, path: str) -> pa.RecordBatch:
    """Give each column the list form of tf.Example: one value per row becomes a list of one."""
    columns = [as_feature(column, name, path) for name, column in zip(batch.schema.names, batch.columns)]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def as_feature(column: pa.Array, name: str, where: str) -> pa.Array:
    """Return a column as `list<int64 | float32 | binary>`; a null value becomes a null list.

    Raises:
        UnsupportedColumnError: If the values have another type, naming the column and the type.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return column
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = _as_values(column.flatten(), name, where)
        lengths = column.value_lengths().fill_null(0)
        offsets = pa.compute.cumulative_sum(lengths) if len(lengths) else lengths
        starts = pa.concat_arrays([pa.array([0], offsets.type), offsets]).cast(pa.int32())
        if not column.null_count:
            return pa.ListArray.from_arrays(starts, values)
        return pa.ListArray.from_arrays(_null_starts(starts, column), values)
    values = _as_values(column, name, where)
    if not values.null_count:
        return pa.ListArray.from_arrays(pa.array(range(len(values) + 1), type=pa.int32()), values)
    kept = values.drop_null()
    present = pa.compute.cast(values.is_valid(), pa.int32())
    ends = pa.compute.cumulative_sum(present).cast(pa.int32())
    starts = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(_null_starts(starts, values), kept)


def _null_starts(starts: pa.Array, column: pa.Array) -> pa.Array:
    """Offsets in which a null marks a null list, as `ListArray.from_arrays` reads them."""
    valid = pa.concat_arrays([column.is_valid(), pa.array([True])])
    return pa.compute.if_else(valid, starts, pa.scalar(None, pa.int32()))


def _as_values(values: pa.Array, name: str, where: str) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.int64())
    if pa.types.is_floating(kind):
        return values.cast(pa.float32(), safe=False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.cast(pa.binary() if pa.types.is_string(kind) else pa.large_binary())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return values
    raise UnsupportedColumnError(
        f"{where}: column '{name}' has type {kind}, which has no tf.Example form. Integers, floats, booleans, "
        "text, bytes and lists of these have one.",
        f"convert or drop '{name}' where the file is written.",
    )
