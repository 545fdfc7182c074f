"""Say what is wrong with CSV that a fast parser refused: file, line, column, and what was expected.

Reads record by record in Python, with TFX's own rules, and only where something is wrong already.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from headrace.errors import MalformedFileError

_SHOWN_CHARACTERS = 60
_LINE_FEED = b"\n"


_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}

# What files begin with that are no text; gzip is read.
_FORMATS = {
    b"\xff\xfe": ("text in UTF-16", 'iconv -f utf-16 -t utf-8, or read it with encoding="utf-16"'),
    b"\xfe\xff": ("text in UTF-16", 'iconv -f utf-16 -t utf-8, or read it with encoding="utf-16"'),
    b"BZh": ("packed by bzip2", "bunzip2"),
    b"\xfd7zXZ\x00": ("packed by xz", "unxz"),
    b"PK\x03\x04": ("a zip file, such as one of a spreadsheet", "unzip, or 'save as CSV' in the spreadsheet"),
    b"PAR1": ("a Parquet file", "ParquetExampleGen"),
}


def find_format(path: str, head: bytes) -> MalformedFileError | None:
    """Return the fault if a file begins as one of another format does; CSV packed by gzip or zstd is read."""
    for magic, (name, tool) in _FORMATS.items():
        # Text may begin with the letters; what is packed by bzip2 goes on with its block's mark.
        if head.startswith(magic) and (magic != b"BZh" or head[4:10] == b"1AY&SY"):
            return MalformedFileError(
                f"{path} is {name}, not CSV in UTF-8.",
                f"convert it with {tool}, or give a pattern that leaves it out; gzip and zstd can stay as they are."
                if magic != b"PAR1"
                else f"read it with {tool}, or give a pattern that leaves it out.",
            )
    return None


def find_odd_end(path: str, header: bytes) -> MalformedFileError | None:
    """Return the fault if a header holds a carriage return: lines that end with it alone are one line to TFX."""
    if b"\r" not in header.rstrip(b"\r\n"):
        return None
    return MalformedFileError(
        f"{path}:1: a carriage return stands inside the header line. Lines end with a line feed, or with both.",
        "convert the line ends, for example: tr '\\r' '\\n' < FILE > FILE.new",
    )


def may_have_odd_characters(data: bytes) -> bool:
    """Whether records may hold what a fast parser takes for something else: NUL, or a carriage return alone."""
    return b"\0" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n"))


def find(
    path: str, data: bytes, first_line: int, names: Sequence[str], delimiter: str = ","
) -> MalformedFileError | None:
    """Return the first fault in some whole records, or `None` where they follow the rules.

    Args:
        path: The file, for the message.
        data: Whole records.
        first_line: Line number of the first.
        names: The column names of the header.
        delimiter: What stands between cells.
    """
    # A cell may be as long as memory allows; the csv module's own limit is 128 KiB.
    csv.field_size_limit(max(csv.field_size_limit(), len(data)))
    for line, record in records(data, first_line):
        fault = find_undecodable(path, record, line, names)
        if fault is not None:
            return fault
        text = record.decode("utf-8")
        try:
            cells = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error as error:
            return _not_csv(path, line, text, error)
        if cells and len(cells) != len(names):
            shown = text.rstrip("\r\n")
            shown = shown if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + "..."
            return MalformedFileError(
                f"{path}:{line}: expected {len(names)} columns, as in the header, and found {len(cells)}: "
                f"{shown}",
                f"correct that line; put a cell that holds {_NAMES.get(delimiter, repr(delimiter))} in double quotes.",
            )
    return None


def _not_csv(path: str, line: int, text: str, error: csv.Error) -> MalformedFileError:
    body = text.rstrip("\r\n")
    if "\n" in body and '"' in body:
        line += body[: body.index('"')].count("\n")
        return MalformedFileError(
            f"{path}:{line}: a double quote stands inside a cell that does not begin with one, and the next one only "
            "in a line below: as in TFX, both lines count as one.",
            'put the cell in double quotes and double the one inside: "5"" disk".',
        )
    if "\r" in body:
        return MalformedFileError(
            f"{path}:{line}: a carriage return stands inside the line, outside of double quotes.",
            "end lines with a line feed, or with both; put a cell that holds line ends in double quotes.",
        )
    return MalformedFileError(f"{path}:{line}: not a line of CSV: {error}.", "correct that line.")


def find_undecodable(path: str, record: bytes, line: int, names: Sequence[str]) -> MalformedFileError | None:
    """Return the fault if a record is not UTF-8 or holds a NUL, naming the line and, where it is known, the column."""
    try:
        record.decode("utf-8")
        place = record.find(b"\0")
    except UnicodeDecodeError as error:
        place = error.start
    if place < 0:
        return None
    where = f"{path}:{line + record.count(_LINE_FEED, 0, place)}: {_column(record, place, names)}"
    if record[place] == 0:
        return MalformedFileError(
            f"{where} holds a NUL byte, as text in UTF-16 does, or a file that was not written to its end.",
            "save the file as UTF-8, for example: iconv -f utf-16 -t utf-8; or write it again.",
        )
    return MalformedFileError(
        f"{where} holds byte 0x{record[place]:02x}, which is not UTF-8.",
        'save the file as UTF-8, for example: iconv -f latin1 -t utf-8; or say what it is: encoding="cp1252" or "latin-1".',
    )


def _column(record: bytes, place: int, names: Sequence[str]) -> str:
    """Name the column of the cell that holds the byte at `place`."""
    before = record[:place].decode("latin-1").replace("\0", " ") + "?"
    try:
        number = len(next(csv.reader([before]), [""]))
    except csv.Error:  # Line ends in it that no quotes stand around.
        return "a cell"
    return f"column '{names[number - 1]}'" if number <= len(names) else f"column {number}"


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
