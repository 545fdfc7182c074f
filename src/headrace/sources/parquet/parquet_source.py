"""Parquet files as a source. Light."""

from __future__ import annotations

from headrace.authoring.light import authoring
from headrace.sources.file_source import FileSource
from headrace.sources.reading import Reader

with authoring():
    from tfx.proto import example_gen_pb2


class ParquetSource(FileSource):
    """Parquet files, whose rows become features."""

    def reader(self, payload_format: int) -> Reader:
        """Return the reader of Parquet."""
        from headrace.sources.parquet.parquet_reader import ParquetReader

        return ParquetReader(has_one_schema=payload_format == example_gen_pb2.FORMAT_PARQUET)
