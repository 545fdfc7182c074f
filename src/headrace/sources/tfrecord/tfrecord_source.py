"""Files whose records stay what they are, as a source. Light."""

from __future__ import annotations

from headrace.authoring.light import authoring
from headrace.sources.file_source import FileSource
from headrace.sources.reading import Reader

with authoring():
    from tfx.proto import example_gen_pb2


class RecordSource(FileSource):
    """TFRecord files; for the Parquet payload, Parquet files."""

    def reader(self, payload_format: int) -> Reader:
        """Return the reader for a payload."""
        if payload_format == example_gen_pb2.FORMAT_PARQUET:
            from headrace.sources.parquet.parquet_rows import ParquetPassReader

            return ParquetPassReader()
        from headrace.sources.tfrecord.tfrecord_reader import TFRecordReader

        return TFRecordReader(payload_format)
