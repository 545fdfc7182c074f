"""CSV files as a source. Light."""

from __future__ import annotations

from headrace.sources.file_source import FileSource
from headrace.sources.reading import Reader


class CsvSource(FileSource):
    """CSV files with a header line."""

    def reader(self, payload_format: int) -> Reader:
        """Return the reader of CSV."""
        from headrace.sources.csv.csv_reader import CsvReader

        return CsvReader()
