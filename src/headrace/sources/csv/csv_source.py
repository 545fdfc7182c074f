"""CSV files as a source. Light."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.sources.csv.csv_dialect import Dialect
from headrace.sources.file_source import FileSource
from headrace.sources.reading import Reader


class CsvSource(FileSource):
    """CSV files with a header line, or as `Dialect` says.

    Takes the attributes of `headrace.sources.csv.csv_dialect.Dialect`.
    """

    def __init__(
        self,
        delimiter: str = "",
        encoding: str = "",
        column_names: Sequence[str] = (),
        decimal: str = ".",
        thousands: str = "",
    ) -> None:
        self._dialect = Dialect(delimiter, encoding, tuple(column_names), decimal, thousands)

    def reader(self, payload_format: int) -> Reader:
        """Return the reader of CSV."""
        from headrace.sources.csv.csv_reader import CsvReader

        return CsvReader(self._dialect)
