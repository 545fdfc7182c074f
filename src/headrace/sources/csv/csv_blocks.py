"""CSV files as pieces, byte ranges of whole records, and as blocks small enough for memory.

Where a record ends is decided as TFX decides it: at a line feed before which the file has an even number
of double quotes. So a quoted cell may hold line feeds, and a range can begin at any record.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headrace import files
from headrace.errors import EmptyDataError, MalformedFileError
from headrace.files import packed_files
from headrace.sources.csv import csv_faults
from headrace.sources.csv.csv_dialect import Dialect

BLOCK_BYTES = 4 << 20
# A record longer than this is a quote that was never closed, not a record.
_MAX_RECORD_BYTES = 64 << 20
_SCAN_BYTES = 8 << 20
_LINE_FEED = b"\n"
_BYTE_ORDER_MARK = "\ufeff"
_STOCK = Dialect()


@dataclass(frozen=True)
class CsvPiece:
    """A byte range of a file that holds whole records, the header not among them.

    Attributes:
        path: The file, packed or plain.
        start: Offset of the first byte, in what a packed file unpacks to.
        end: Offset after the last byte; `None` for all that follows, as in a packed file, which is not cut.
        first_line: Number of the line at `start`; the header is line 1.
        dialect: How the file is written.
    """

    path: str
    start: int
    end: int | None
    first_line: int
    dialect: Dialect = _STOCK


@dataclass(frozen=True)
class CsvBlock:
    """Some whole records: their bytes, and the number of their first line."""

    data: bytes
    first_line: int


def read_header(path: str, dialect: Dialect = _STOCK) -> tuple[str, ...]:
    """Return the column names in a file's first line, or those that the dialect has.

    As in TFX, the names are what stands between the commas of that line; quotes are part of the name.

    Raises:
        EmptyDataError: If the file is empty.
        MalformedFileError: If a name appears twice, or the line is not text in UTF-8.
    """
    with dialect.open(path) as file:
        line = file.readline(_MAX_RECORD_BYTES)
    if dialect.column_names:
        return _given_names(path, line, dialect)
    fault = csv_faults.find_format(path, line)
    if fault is not None:
        raise fault
    if not line.strip():
        raise EmptyDataError(
            f"{path} is empty." if not line else f"{path}:1: the header line is blank.",
            "give a CSV file whose first line names the columns.",
        )
    fault = csv_faults.find_undecodable(path, line, 1, ()) or csv_faults.find_odd_end(path, line)
    if fault is not None:
        raise fault
    names = dialect.names_in(line.decode("utf-8"))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [str(place + 1) for place, name in enumerate(names) if name == twice[0]]
        raise MalformedFileError(
            f"{path}:1: the header names column '{twice[0]}' twice (columns {' and '.join(places)} of "
            f"{len(names)}).",
            "rename or remove one of them; each feature needs its own name.",
        )
    return names


def _given_names(path: str, line: bytes, dialect: Dialect) -> tuple[str, ...]:
    if not line:
        raise EmptyDataError(f"{path} is empty.", "give a CSV file with at least one row.")
    fault = csv_faults.find_format(path, line)
    if fault is not None:
        raise fault
    return dialect.column_names


def header_remarks(names: Sequence[str]) -> list[str]:
    """Say what in a header's names is likely not meant: a name is all that stands between two commas, as in TFX."""
    remarks = []
    if names[0].startswith(_BYTE_ORDER_MARK):
        remarks.append(f"the name of column 1, {names[0]!r}, begins with a byte order mark")
    for place, name in enumerate(names, 1):
        if not name:
            remarks.append(f"column {place} has no name")
        elif name != name.strip():
            remarks.append(f"spaces are part of the name of column {place}, '{name}'")
        elif len(name) > 1 and name[0] == name[-1] == '"':
            remarks.append(f"quotes are part of the name of column {place}, '{name}'")
    return remarks


def data_bytes(paths: Sequence[str], dialect: Dialect = _STOCK) -> int:
    """Return the size of files without their headers; of packed files about that of what they unpack to."""
    return sum(max(0, _size(path) - _data_start(path, dialect)) for path in paths)


def cut(paths: Sequence[str], num_parts: int, dialect: Dialect = _STOCK) -> list[list[CsvPiece]]:
    """Divide files into `num_parts` lists of pieces of nearly equal size, in the order of the files.

    A part may be empty where records are few, or where a file is that is packed or in another
    encoding, which is one piece. The result depends on
    the files' bytes alone.
    """
    starts = [_data_start(path, dialect) for path in paths]
    first_line = 1 if dialect.column_names else 2
    sizes = [max(0, _size(path) - start) for path, start in zip(paths, starts)]
    total = sum(sizes)
    parts: list[list[CsvPiece]] = [[] for _ in range(num_parts)]
    before = 0
    for path, start, size in zip(paths, starts, sizes):
        # The parts whose first byte falls inside this file.
        bounds = [total * part // num_parts for part in range(num_parts)]
        inside = [part for part in range(num_parts) if before < bounds[part] < before + size]
        first = max(part for part in range(num_parts) if bounds[part] <= before)
        if dialect.encoding or packed_files.is_packed(path):
            parts[first].append(CsvPiece(path, start, None, first_line, dialect))
            before += size
            continue
        places = _record_starts(path, start, first_line, [start + bounds[part] - before for part in inside])
        edges = [(start, first_line), *places]
        for index, part in enumerate([first, *inside]):
            offset, line = edges[index]
            end = edges[index + 1][0] if index + 1 < len(edges) else start + size
            if offset < end:
                parts[part].append(CsvPiece(path, offset, end, line, dialect))
        before += size
    return parts


def _size(path: str) -> int:
    return packed_files.unpacked_bytes(path) if packed_files.is_packed(path) else files.size(path)


def _data_start(path: str, dialect: Dialect) -> int:
    if dialect.column_names:
        return 0
    with dialect.open(path) as file:
        return len(file.readline(_MAX_RECORD_BYTES))


def _record_starts(path: str, start: int, first_line: int, targets: Sequence[int]) -> list[tuple[int, int]]:
    """For each target offset, return the start of the first record after it, and its line number."""
    found: list[tuple[int, int]] = []
    at, quotes, line = start, 0, first_line
    with files.open_file(path, 1 << 16) as file:
        for target in targets:
            while at < target:
                file.seek(at)
                chunk = np.frombuffer(file.read(min(_SCAN_BYTES, target - at)), np.uint8)
                quotes += int(np.count_nonzero(chunk == 0x22))
                line += int(np.count_nonzero(chunk == 0x0A))
                at += len(chunk)
            file.seek(target)
            offset, parity, number = target, quotes, line
            while text := file.readline(_MAX_RECORD_BYTES):
                offset += len(text)
                parity += text.count(b'"')
                number += text.endswith(b"\n")
                if parity % 2 == 0:
                    break
            found.append((offset, number))
    return found


def read_blocks(piece: CsvPiece, block_bytes: int = BLOCK_BYTES) -> Iterator[CsvBlock]:
    """Yield the records of a piece in blocks of about `block_bytes`.

    Raises:
        MalformedFileError: If a quote is not closed, with the line where its record begins.
    """
    left = sys.maxsize if piece.end is None else piece.end - piece.start
    line, rest = piece.first_line, b""
    with piece.dialect.open(piece.path) as file:
        file.seek(piece.start)
        while left:
            chunk = file.read(min(block_bytes, left))
            left = left - len(chunk) if chunk else 0
            data = rest + chunk if rest else chunk
            end = last_record_end(data)
            if not left and data.count(b'"', end) % 2 == 0:
                end = len(data)
            if len(data) - end > _MAX_RECORD_BYTES or (not left and end < len(data)):
                raise MalformedFileError(
                    f"{piece.path}:{line + data.count(_LINE_FEED, 0, end)}: the record that begins here opens a "
                    'double quote (") that nothing closes.',
                    "close the quote, or double it where it is part of the text.",
                )
            if end:
                yield CsvBlock(data[:end], line)
                line += data.count(b"\n", 0, end)
            rest = data[end:]


def last_record_end(data: bytes) -> int:
    """Return the offset after the last whole record in `data`, which begins with one; 0 if none ends."""
    end = data.rfind(b"\n") + 1
    is_open = data.count(b'"', 0, end) % 2
    while end and is_open:
        earlier = data.rfind(b"\n", 0, end - 1) + 1
        is_open ^= data.count(b'"', earlier, end) % 2
        end = earlier
    return end
