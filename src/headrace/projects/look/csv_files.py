"""CSV of unknown form: how its cells are divided and written, and a bounded part of its rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from headrace.errors import EmptyDataError, MalformedFileError
from headrace.files import packed_files
from headrace.projects.look.samples import MAX_BYTES, MAX_ROWS, Sample

_HEAD_BYTES = 1 << 18
# Of two that fit alike, the later: a comma may stand within numbers, and in a header in quotes.
_DELIMITERS = (",", "|", "\t", ";")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d+)?|[.,]\d+)([eE][-+]?\d+)?\s*")
# The beginnings of files that a person may take for tables.
_OTHER_FORMATS = (
    (
        b"PK\x03\x04",
        "a ZIP archive or an Excel workbook",
        "unpack an archive, and give its folder; save a sheet as CSV",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"%PDF", "a PDF document", "give the table itself as CSV"),
    (b"SQLite format 3", "a SQLite database", "give its address: sqlite:///FILE?SELECT ..."),
    (b"\x89PNG", "a picture", "give a folder with one folder of pictures for each label"),
    (b"\xff\xd8\xff", "a picture", "give a folder with one folder of pictures for each label"),
    (b"PAR1", "a Parquet file", "name it FILE.parquet"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"\x80\x04\x95", "a Python pickle", "write it as Parquet or CSV"),
)


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written.

    Attributes:
        delimiter: What stands between cells.
        encoding: Python's name for how its text is encoded.
        has_header: Whether the first record names the columns.
        names: The columns' names, without the quotes and spaces around them, each once.
        first_line: Line at which the rows begin, counted from 0.
        reasons: What CsvExampleGen could not read, or would read otherwise; empty where it reads the file as it is.
    """

    delimiter: str
    encoding: str
    has_header: bool
    names: tuple[str, ...]
    first_line: int
    reasons: tuple[str, ...]


def read_form(path: str, num_bytes: int = MAX_BYTES) -> CsvForm:
    """Find out how a CSV file is written, from its beginning.

    Args:
        path: The file, gzip or plain.
        num_bytes: How much of it is looked at for its encoding.

    Raises:
        EmptyDataError: If it holds nothing.
        MalformedFileError: If it is no table: binary, of one column, or without columns that agree.
    """
    with packed_files.open_binary(path) as file:
        data = file.read(num_bytes)
    head = data[:_HEAD_BYTES]
    if not head.strip():
        raise EmptyDataError(f"{path} is empty.", "give a file with a header line and rows.")
    encoding = _encoding(path, data, is_cut=len(data) == num_bytes)
    # The last line may be cut.
    is_cut = len(head) == _HEAD_BYTES
    text = (
        head[: head.rfind(b"\n") + 1 or None].decode(encoding, "replace") if is_cut else head.decode(encoding)
    )
    delimiter = _delimiter(path, text)
    records = _records(text, delimiter)
    header, rows = records[0], records[1:]
    has_header = _is_header(header, rows)
    if has_header and not rows:
        raise EmptyDataError(f"{path} holds a header line and no row.", "give a file with rows.")
    names = (
        unique_names(header) if has_header else tuple(f"column_{place + 1}" for place in range(len(header)))
    )
    first_line = _lines_of_header(text, delimiter) if has_header else 0
    plain = text.splitlines()[0].strip().split(",")
    reasons = []
    if delimiter != ",":
        reasons.append(f"its cells are divided by {_NAMES[delimiter]}")
    if encoding != "utf-8":
        reasons.append(
            f"its text is {'UTF-8 with a byte order mark' if encoding == 'utf-8-sig' else encoding}"
        )
    if not has_header:
        reasons.append("its first line is a row, and names no columns")
    elif delimiter == "," and list(names) != plain:
        twice = [name for name, count in Counter(header).items() if count > 1]
        reasons.append(
            f"its header names '{twice[0]}' twice"
            if twice
            else "its header has quotes, spaces or empty names"
        )
    if "\r" in text.replace("\r\n", ""):
        reasons.append("some of its lines end with a carriage return alone")
    return CsvForm(delimiter, encoding, has_header, names, first_line, tuple(reasons))


def unique_names(header: Sequence[str]) -> tuple[str, ...]:
    """Return names of columns that a feature can have, each once: without quotes, commas and line ends."""
    names: list[str] = []
    for place, written in enumerate(header, 1):
        name = re.sub(r'[\s,"\x00-\x1f]+', " ", written).strip() or f"column_{place}"
        number, unused = 2, name
        while unused in names:
            unused, number = f"{name}_{number}", number + 1
        names.append(unused)
    return tuple(names)


def read_sample(path: str, form: CsvForm) -> Sample:
    """Read rows from the start of a CSV file, every column as text.

    Raises:
        MalformedFileError: If hardly a row has as many cells as the header.
    """
    with packed_files.open_binary(path) as file:
        data = file.read(MAX_BYTES)
        is_whole = not file.read(1)
    if not is_whole:
        data = data[: data.rfind(b"\n") + 1]
    if form.encoding != "utf-8":
        data = data.decode(form.encoding, "replace").encode()
    unreadable: list[Any] = []

    def keep(row: Any) -> str:
        unreadable.append(row)
        return "skip"

    options = pa_csv.ReadOptions(
        column_names=list(form.names), skip_rows=form.first_line, use_threads=False, block_size=8 << 20
    )
    parse = pa_csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=True, invalid_row_handler=keep)
    convert = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in form.names},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        check_utf8=False,
    )
    try:
        table = pa_csv.read_csv(io.BytesIO(data), options, parse, convert)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise MalformedFileError(f"{path} does not parse as CSV: {error}.", "correct the file.") from error
    if len(unreadable) > len(table):
        raise MalformedFileError(
            f"{path} is no table: {len(unreadable):,} of its rows have another number of cells than the "
            f"{len(form.names)} of its first line.",
            "give a file in which every row has the same columns.",
        )
    first = unreadable[0] if unreadable else None
    shown = (
        f"{first.actual_columns} cells instead of {first.expected_columns}: {first.text[:60]}"
        if first
        else ""
    )
    if len(table) > MAX_ROWS:
        table, is_whole = table.slice(0, MAX_ROWS), False
    return Sample(table, is_whole, len(unreadable), shown)


def _encoding(path: str, head: bytes, *, is_cut: bool) -> str:
    for magic, what, fix in _OTHER_FORMATS:
        if head.startswith(magic):
            raise MalformedFileError(f"{path} is {what}, not a table of text.", f"{fix}.")
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        raise MalformedFileError(
            f"{path} holds NUL bytes, so it is no text.", "give a CSV, Parquet or JSON lines file."
        )
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character may be cut at the end of what was read.
        if not is_cut or error.start < len(head) - 4:
            return "cp1252" if _decodes(head, "cp1252") else "latin-1"
    return "utf-8"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _records(text: str, delimiter: str, most: int = 200) -> list[list[str]]:
    csv.field_size_limit(MAX_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) == most:
                break
    except csv.Error:
        pass
    return records


def _delimiter(path: str, text: str) -> str:
    """Return what divides most rows into the same number of cells, and the most of them."""
    best, best_width, widths = "", 2, []
    for delimiter in _DELIMITERS:
        records = _records(text, delimiter)
        if not records:
            continue
        width, num_alike = Counter(map(len, records)).most_common(1)[0]
        widths.append(max(map(len, records)))
        if width >= best_width and num_alike >= 0.8 * len(records) and len(records[0]) == width:
            best, best_width = delimiter, width
    if best:
        return best
    if max(widths, default=1) == 1:
        raise MalformedFileError(
            f"{path} has a single column, and a model needs at least one more beside its label.",
            "give a table with cells divided by commas, semicolons or tabs; texts as a folder with one folder of "
            "files for each label.",
        )
    raise MalformedFileError(
        f"{path} is no table: its lines have different numbers of cells, whatever divides them.",
        "give a file in which every row has the same columns; put a cell that holds the delimiter in double quotes.",
    )


def _is_header(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first record names the columns: no cell of it is a number, unless columns are named by years."""
    numeric = [place for place, cell in enumerate(header) if _NUMBER.fullmatch(cell)]
    if not numeric:
        return True
    # A name such as 2019 stands among words; a row's number stands in a column of numbers.
    return len(set(header)) == len(header) and any(
        cell and not _NUMBER.fullmatch(cell) and _holds_numbers(rows, place)
        for place, cell in enumerate(header)
    )


def _holds_numbers(rows: Sequence[Sequence[str]], place: int) -> bool:
    cells = [row[place] for row in rows[:50] if place < len(row) and row[place].strip()]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def _lines_of_header(text: str, delimiter: str) -> int:
    """Return the lines that the header takes: a name in quotes may go over several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for record in reader:
        if record:
            break
    return reader.line_num
