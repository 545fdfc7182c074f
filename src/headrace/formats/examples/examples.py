"""Read Examples artifacts as Arrow record batches, in a Beam pipeline or in this process.

A batch has one column per feature: `list<int64 | float32 | binary>`, or the large variants where a schema
is given. A feature missing from a row is null there; from a whole batch, it is absent or of null type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError
from tensorflow.core.example import example_pb2
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.authoring import Artifact
from headrace.errors import MalformedFileError, UnsupportedColumnError
from headrace.formats import artifacts, parquet_files
from headrace.formats.examples import example_encoder, tfrecord, wire_values
from headrace.formats.examples.arrow_features import as_feature
from headrace.formats.examples.example_decoder import ExampleDecoder
from headrace.formats.examples.records import Records
from headrace.runtime.progress import Progress

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
        for batch in parquet_files.read_batches(path, batch_rows):
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
    first = 1
    for read in tfrecord.read(path, batch_rows):
        batch = _decode(decoder, read, path, first)
        first += len(read)
        if raw_record_column:
            records = wire_values.take_ranges(read.data, read.starts, read.ends - read.starts)
            batch = _with_column(batch, raw_record_column, records)
        yield batch


def _decode(decoder: ExampleDecoder, records: Records, path: str, first: int) -> pa.RecordBatch:
    """Decode a batch; `first` is the number of its first record in the file."""
    try:
        return decoder.decode(records)
    except (RuntimeError, UnicodeDecodeError) as error:
        # tfx_bsl's other errors speak of features of two types, which is for the caller to explain.
        if isinstance(error, RuntimeError) and "Unable to parse example" not in str(error):
            raise
        number = first + _first_damaged(records)
        raise MalformedFileError(
            f"{path}: record {number} is not a tf.Example, or the name of a feature in it is not UTF-8.",
            "write the file again, with tf.Examples.",
        ) from error


def _first_damaged(records: Records) -> int:
    """Return the position of the first record that does not parse."""
    for row, record in enumerate(records):
        try:
            names = list(example_pb2.Example.FromString(record).features.feature)
            "".join(names).encode("utf-8")
        except (DecodeError, UnicodeError):
            return row
    return 0


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

    Files are spread over the runner's workers; the order of batches is not defined. Their rows are added to `progress`.
    """

    def __init__(
        self,
        examples: Artifact,
        split: str,
        *,
        schema: schema_pb2.Schema | None = None,
        raw_record_column: str | None = None,
        batch_rows: int = BATCH_ROWS,
        progress: Progress | None = None,
    ) -> None:
        super().__init__()
        self._progress = progress or Progress()
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
                _ReadFile(
                    self._progress, self._payload, self._schema, self._raw_record_column, self._batch_rows
                )
            ).with_output_types(pa.RecordBatch)
        )


class _ReadFile(beam.DoFn):
    def __init__(
        self,
        progress: Progress,
        payload: str,
        schema: schema_pb2.Schema | None,
        raw_record_column: str | None,
        batch_rows: int,
    ) -> None:
        self._progress = progress
        self._arguments = (payload, schema, raw_record_column, batch_rows)

    def process(self, path: str) -> Iterator[pa.RecordBatch]:
        for batch in read_file(path, *self._arguments):
            self._progress.add_rows(batch.num_rows)
            yield batch


def _with_column(batch: pa.RecordBatch, name: str, records: pa.Array) -> pa.RecordBatch:
    offsets = pa.array(np.arange(len(records) + 1))
    column = pa.LargeListArray.from_arrays(offsets, records)
    return pa.RecordBatch.from_arrays([*batch.columns, column], [*batch.schema.names, name])


def _as_lists(batch: pa.RecordBatch, path: str) -> pa.RecordBatch:
    """Give each column the list form of tf.Example: one value per row becomes a list of one."""
    columns = [as_feature(column, name, path) for name, column in zip(batch.schema.names, batch.columns)]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
