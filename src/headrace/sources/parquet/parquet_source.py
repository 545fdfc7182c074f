"""Parquet files as a source. Light."""

from __future__ import annotations

import hashlib
import json

from headrace.authoring.light import authoring
from headrace.sources.file_source import FileSource
from headrace.sources.parquet import parquet_partitions
from headrace.sources.reading import Reader
from headrace.sources.source import Survey

with authoring():
    from tfx.proto import example_gen_pb2


class ParquetSource(FileSource):
    """Parquet files, whose rows become features, and folders of partitions."""

    def find(self, place: str, pattern: str) -> list[str]:
        """Return the files of a split, those below folders of partitions among them."""
        return parquet_partitions.find(place, pattern)

    def fingerprint(self, survey: Survey) -> str:
        """That of the files, and of what the names of their folders say."""
        values = [[parquet_partitions.values_of(path) for path in split.items] for split in survey.splits]
        known = super().fingerprint(survey)
        if not any(map(any, values)):
            return known
        return f"{known}\npartitions:{hashlib.sha256(json.dumps(values).encode()).hexdigest()}"

    def reader(self, payload_format: int) -> Reader:
        """Return the reader of Parquet."""
        from headrace.sources.parquet.parquet_reader import ParquetReader

        return ParquetReader(has_one_schema=payload_format == example_gen_pb2.FORMAT_PARQUET)
