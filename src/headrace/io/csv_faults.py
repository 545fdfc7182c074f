"""Say what is wrong with CSV that a fast parser refused: file, line, column, and what was expected.

Reads record by record in Python, with TFX's own rules, and only where something is wrong already.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from headrace.errors import MalformedFileError

_SHOWN_CHARACTERS = 60


def find(path: str, data: bytes, first_line: int, names: Sequence[str]) -> MalformedFileError | None:
    """Return the first fault in some whole records, or `None` where they follow the rules.

    Args:
        path: The file, for the message.
        data: Whole records.
        first_line: Line number of the first.
        names: The column names of the header.
    """
    # A cell may be as long as memory allows; the csv module's own limit is 128 KiB.
    csv.field_size_limit(max(csv.field_size_limit(), len(data)))
    for line, record in records(data, first_line):
        fault = find_undecodable(path, record, line, names)
        if fault is not None:
            return fault
        text = record.decode("utf-8")
        try:
            cells = next(csv.reader([text]), [])
        except csv.Error as error:
            return MalformedFileError(f"{path}:{line}: not a line of CSV: {error}.", "correct that line.")
        if cells and len(cells) != len(names):
            shown = text.rstrip("\r\n")
            shown = shown if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + "..."
            return MalformedFileError(
                f"{path}:{line}: expected {len(names)} columns, as in the header, and found {len(cells)}: "
                f"{shown}",
                "correct that line; put a cell that holds a comma in double quotes.",
            )
    return None


def find_undecodable(path: str, record: bytes, line: int, names: Sequence[str]) -> MalformedFileError | None:
    """Return the fault if a record is not UTF-8, naming the line and, where it is known, the column."""
    try:
        record.decode("utf-8")
    except UnicodeDecodeError as error:
        line += record.count(b"\n", 0, error.start)
        cells = next(csv.reader([record[: error.start + 1].decode("latin-1")]), [""])
        place = len(cells)
        column = f"column '{names[place - 1]}'" if place <= len(names) else f"column {place}"
        return MalformedFileError(
            f"{path}:{line}: {column} holds byte 0x{record[error.start]:02x}, which is not UTF-8.",
            "save the file as UTF-8, for example: iconv -f latin1 -t utf-8.",
        )
    return None


def records(data: bytes, first_line: int) -> Iterator[tuple[int, bytes]]:
    """Yield each record with the number of its first line; a record ends where its quotes are even."""
    start, line, begun, quotes = 0, first_line, first_line, 0
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        quotes += data.count(b'"', at, end)
        line += 1
        if quotes % 2 == 0:
            yield begun, data[start:end]
            start, begun = end, line
        at = end
    if start < len(data):
        yield begun, data[start:]
