"""Read CSV files: columns become features, of types that hold in all files of a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from headrace.errors import DefinitionError, MalformedFileError
from headrace.sources.csv import csv_blocks, csv_columns
from headrace.sources.csv.csv_blocks import CsvBlock, CsvPiece
from headrace.sources.csv.csv_columns import CsvType
from headrace.sources.csv.csv_dialect import Dialect
from headrace.sources.reading import Reader, shards_for
from headrace.sources.rows import FeatureRows, Rows

# Work for each column of a block takes a tenth of a millisecond: rows of many columns come in larger blocks.
_COLUMNS_OF_ONE_BLOCK = 250
_LARGEST_BLOCK = 4


@dataclass(frozen=True)
class NamedPiece:
    """A byte range of a CSV file, with the column names of its header."""

    piece: CsvPiece
    names: tuple[str, ...]

    def blocks(self) -> Iterator[CsvBlock]:
        """Yield its records in blocks."""
        size = min(_LARGEST_BLOCK, max(1, len(self.names) // _COLUMNS_OF_ONE_BLOCK))
        return csv_blocks.read_blocks(self.piece, size * csv_blocks.BLOCK_BYTES)


class CsvReader(Reader):
    """CSV files, cut at records. The column types are decided over all files of a split.

    Args:
        dialect: How the files are written.
    """

    def __init__(self, dialect: Dialect | None = None) -> None:
        self._dialect = dialect or Dialect()

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[NamedPiece]]]:
        """Cut the files into parts of equal size.

        Raises:
            DefinitionError: If a file is there twice, plain and packed.
            EmptyDataError: If a file is empty.
            MalformedFileError: If a header is wrong, or the headers differ.
        """
        _check_not_twice(items)
        dialect = self._dialect.found_in(items[0])
        names = csv_blocks.read_header(items[0], dialect)
        for path in items[1:]:
            others = csv_blocks.read_header(path, dialect)
            if others != names:
                raise _other_header(items[0], names, path, others)
        size_bytes = csv_blocks.data_bytes(items, dialect)
        total = shards_for(size_bytes, num_shards)
        cut = csv_blocks.cut(items, total, dialect)
        lists = [[NamedPiece(piece, names) for piece in pieces] for pieces in cut if pieces]
        return total, lists or [[NamedPiece(CsvPiece(items[0], 0, 0, 2, dialect), names)]]

    def remarks(self, items: Sequence[str]) -> list[str]:
        """Say what in the header is likely not meant."""
        dialect = self._dialect.found_in(items[0])
        names = csv_blocks.read_header(items[0], dialect)
        return [
            *dialect.remarks(self._dialect),
            *csv_blocks.header_remarks(names),
            *dialect.numbers_remarks(items[0]),
        ]

    def learn(self, pieces: Sequence[NamedPiece]) -> list[CsvType]:
        """Return the type of each column in these pieces."""
        types = [CsvType.UNKNOWN] * len(pieces[0].names)
        for named in pieces:
            for block in named.blocks():
                types = csv_columns.infer_types(
                    named.piece.path, block, named.names, types, named.piece.dialect
                )
        return types

    def read(self, pieces: Sequence[NamedPiece], learned: Sequence[Sequence[CsvType]]) -> Iterator[Rows]:
        """Yield blocks of rows."""
        types = csv_columns.merge_types(learned)
        num_blocks = 0
        for named in pieces:
            for block in named.blocks():
                num_blocks += 1
                path, dialect = named.piece.path, named.piece.dialect
                yield FeatureRows(csv_columns.parse_features(path, block, named.names, types, dialect))
        if not num_blocks:
            # A file with only a header has columns, and Parquet files of its splits need some.
            empty = pa.RecordBatch.from_pylist(
                [], schema=pa.schema([(n, pa.null()) for n in pieces[0].names])
            )
            yield FeatureRows(empty)


def _check_not_twice(paths: Sequence[str]) -> None:
    """Refuse a file together with what it was packed into: its rows would be there twice.

    Raises:
        DefinitionError: If both match.
    """
    for path in paths:
        packed = next((f"{path}{end}" for end in (".gz", ".zst") if f"{path}{end}" in paths), "")
        if packed:
            raise DefinitionError(
                f"{path} and {packed} both match the pattern of the split: the same rows would be read twice.",
                "remove one of them, or give a pattern such as '*.csv' that leaves one out.",
            )


def _other_header(path: str, names: Sequence[str], other: str, others: Sequence[str]) -> MalformedFileError:
    missing = [name for name in names if name not in others]
    added = [name for name in others if name not in names]
    if missing or added:
        lacks = f"lacks {', '.join(repr(name) for name in missing)}" if missing else ""
        adds = f"adds {', '.join(repr(name) for name in added)}" if added else ""
        difference = " and ".join(text for text in (lacks, adds) if text)
    else:
        difference = "has the same columns in another order"
    return MalformedFileError(
        f"{other}:1: the header differs from that of {path}: it {difference}.",
        "give all files of a split the same header, or read them as splits of their own.",
    )
