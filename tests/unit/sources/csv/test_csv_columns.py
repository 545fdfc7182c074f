"""CSV as columns, against TFX's rules written down again with Python's own csv module."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import EmptyDataError, HeadraceError, MalformedFileError
from headrace.sources.csv import csv_blocks, csv_columns
from headrace.sources.csv.csv_blocks import CsvBlock
from headrace.sources.csv.csv_columns import CsvType


def _read(path, num_parts=1, block_bytes=csv_blocks.BLOCK_BYTES):
    """Read a file as CsvExampleGen does: the types over all blocks, then the values."""
    names = csv_blocks.read_header(str(path))
    pieces = [piece for part in csv_blocks.cut([str(path)], num_parts) for piece in part]
    blocks = [block for piece in pieces for block in csv_blocks.read_blocks(piece, block_bytes)]
    types = [CsvType.UNKNOWN] * len(names)
    for block in blocks:
        types = csv_columns.infer_types(str(path), block, names, types)
    return [
        row
        for block in blocks
        for row in csv_columns.parse_features(str(path), block, names, types).to_pylist()
    ]


def _read_or_error(path):
    try:
        return _read(path)
    except HeadraceError as error:
        return error


def _expected(text):
    """Return the rows by TFX's rules; `None` where Python's csv refuses a line of it."""
    header, _, body = text.partition("\n")
    names = header.strip().split(",")
    records, open_record = [], ""
    for line in body.splitlines(keepends=True) if "\r" not in body else io.StringIO(body, newline="\n"):
        open_record += line
        if open_record.count('"') % 2 == 0:
            records.append(open_record)
            open_record = ""
    if open_record:
        return None
    cells = []
    for record in records:
        if "\0" in record:
            return None
        try:
            row = next(csv.reader([record]), [])
        except csv.Error:
            return None
        if row and len(row) != len(names):
            return None
        cells += [row] if row else []
    types = [
        max((csv_columns.cell_type(row[at].encode()) for row in cells), default=CsvType.UNKNOWN)
        for at in range(len(names))
    ]
    return [{name: _value(cell, kind) for name, cell, kind in zip(names, row, types)} for row in cells]


def _value(cell, kind):
    if kind is CsvType.UNKNOWN:
        return None
    if not cell:
        return []
    if kind is CsvType.BYTES:
        return [cell.encode()]
    with np.errstate(over="ignore"):
        return [int(cell) if kind is CsvType.INT else float(np.float32(float(cell)))]


_NUMBERS = ["0", "7", "-1", "+5", "1_000", "9223372036854775807", "9223372036854775808", "007"]
_REALS = ["0.5", "1e400", "-1e-5", ".5", "nan", "NaN", "inf", "-Infinity", "1_0.5", "1e39"]
_TEXTS = [
    "x",
    "é",
    "0x1F",
    " 1",
    "1 ",
    "true",
    "2020-01-01",
    '"a,b"',
    '"a""b"',
    '"a\nb"',
    '"7"',
    '""',
    "\x1f",
]
_CELLS = st.sampled_from(["", *_NUMBERS, *_REALS, *_TEXTS])


@given(st.lists(st.tuples(_CELLS, _CELLS), max_size=12), st.sampled_from(["\n", "\r\n"]), st.integers(1, 3))
def test_values_are_those_of_python(tmp_path_factory, rows, line_end, num_parts):
    """Types over the whole file, values cell by cell, in whatever parts and blocks it is read."""
    text = "a,b" + "".join(f"{line_end}{one},{two}" for one, two in rows) + line_end
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(text.encode())
    expected = _expected(text)
    assert expected is not None
    assert repr(_read(path, num_parts, block_bytes=50)) == repr(expected)


@given(st.text(st.sampled_from('ab1.,"\n\r\0é '), max_size=25))
def test_no_text_is_read_otherwise_than_by_python(tmp_path_factory, body):
    """It is read alike, or refused with an error of ours; quotes inside a cell may be read where TFX refuses them."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = f"a,b\n{body}"
    path.write_bytes(text.encode())
    found = _read_or_error(path)
    if isinstance(found, HeadraceError):
        assert str(path) in found.problem
        assert found.fix
        return
    expected = _expected(text)
    if expected is None:
        assert '"' in body
        assert "\0" not in body
    else:
        assert repr(found) == repr(expected)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_by_an_error_of_ours(tmp_path_factory, content):
    """With the file's name and what to do."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(content)
    found = _read_or_error(path)
    if isinstance(found, HeadraceError):
        assert str(path) in found.problem
        assert found.fix


def test_a_gzip_file_is_read_as_what_is_in_it(tmp_path):
    """In one piece: its rows are those of the plain file."""
    text = "id,v\n" + "".join(f'{row},"{row / 2}\n"\n' for row in range(100))
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert _read(tmp_path / "a.csv.gz", num_parts=3, block_bytes=64) == _read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-9], "the gzip data is cut short or damaged"),
        (b"", "is 0 bytes long, where gzip of nothing takes 20"),
    ],
)
def test_a_damaged_gzip_file_is_refused(tmp_path, content, words):
    """And one of no bytes, which is no gzip."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(content)
    with pytest.raises(MalformedFileError) as caught:
        _read(path)
    assert words in caught.value.problem
    assert caught.value.problem.startswith(str(path))


_FAULTS = {
    "latin-1 beside quotes": (
        b'name,size\nBar,5" disk\nCaf\xe9,7" disk\nx,1\n',
        ":3: a cell holds byte 0xe9, which is not UTF-8.",
        'save the file as UTF-8, for example: iconv -f latin1 -t utf-8; or say what it is: encoding="cp1252" or "latin-1".',
    ),
    "latin-1": (
        b"name,size\nCaf\xe9,7\n",
        ":2: column 'name' holds byte 0xe9, which is not UTF-8.",
        'save the file as UTF-8, for example: iconv -f latin1 -t utf-8; or say what it is: encoding="cp1252" or "latin-1".',
    ),
    "NUL": (
        b"name,size\na,1\nb,\x00\n",
        ":3: column 'size' holds a NUL byte, as text in UTF-16 does, or a file that was not written to its end.",
        "save the file as UTF-8, for example: iconv -f utf-16 -t utf-8; or write it again.",
    ),
    "carriage return": (
        b"name,size\na,1\rb,2\n",
        ":2: a carriage return stands inside the line, outside of double quotes.",
        "end lines with a line feed, or with both; put a cell that holds line ends in double quotes.",
    ),
    "carriage returns alone": (
        b"name,size\ra,1\rb,2\r",
        ":1: a carriage return stands inside the header line. Lines end with a line feed, or with both.",
        "convert the line ends, for example: tr '\\r' '\\n' < FILE > FILE.new",
    ),
    "quotes inside cells": (
        b'name,size\na"b\nc"d,1\n',
        ":2: a double quote stands inside a cell that does not begin with one, and the next one only in a line "
        "below: as in TFX, both lines count as one.",
        'put the cell in double quotes and double the one inside: "5"" disk".',
    ),
    "UTF-16": (
        "name,size\n".encode("utf-16"),
        " is text in UTF-16, not CSV in UTF-8.",
        'convert it with iconv -f utf-16 -t utf-8, or read it with encoding="utf-16", or give a pattern that leaves it out; gzip and zstd can stay as they are.',
    ),
    "a spreadsheet": (
        b"PK\x03\x04 and so on",
        " is a zip file, such as one of a spreadsheet, not CSV in UTF-8.",
        "convert it with unzip, or 'save as CSV' in the spreadsheet, or give a pattern that leaves it out; gzip and "
        "zstd can stay as they are.",
    ),
    "Parquet": (
        b"PAR1 and so on",
        " is a Parquet file, not CSV in UTF-8.",
        "read it with ParquetExampleGen, or give a pattern that leaves it out.",
    ),
}


@pytest.mark.parametrize("case", _FAULTS)
def test_a_fault_is_named_with_its_place_and_its_cure(tmp_path, case):
    """Never in the words of a library alone."""
    content, problem, fix = _FAULTS[case]
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(MalformedFileError) as caught:
        _read(path)
    assert caught.value.problem == f"{path}{problem}"
    assert caught.value.fix == fix


def test_a_column_may_begin_with_the_letters_of_a_format(tmp_path):
    """Magic numbers that are text count where no text has them."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"BZhour,b\n1,2\n")
    assert _read(path) == [{"BZhour": [1], "b": [2]}]


def test_a_carriage_return_in_quotes_stays(tmp_path):
    """And one before the line's own end says nothing."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\r\r\n"x\ry",1\r\r\n')
    assert _read(path) == [{"a": [b"x\ry"], "b": [1]}]


@pytest.mark.parametrize(
    ("names", "remarks"),
    [
        (("a", "b_c"), []),
        (("\ufeffid",), ["the name of column 1, '\\ufeffid', begins with a byte order mark"]),
        (
            ("a", " b", '"c"', ""),
            [
                "spaces are part of the name of column 2, ' b'",
                "quotes are part of the name of column 3, '\"c\"'",
                "column 4 has no name",
            ],
        ),
    ],
)
def test_names_that_are_likely_not_meant_are_remarked(names, remarks):
    """They are names all the same, as in TFX."""
    assert csv_blocks.header_remarks(names) == remarks


def test_an_empty_file_has_no_header(tmp_path):
    """Which is data that is missing, not damage."""
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(EmptyDataError):
        _read(tmp_path / "a.csv")


def test_what_stands_behind_the_head_of_a_block_counts_too(monkeypatch):
    """The first records tell the types, and the others may need greater ones."""
    monkeypatch.setattr(csv_columns, "_HEAD_BYTES", 8)
    block = CsvBlock(b"1,2,\n3,4,\n5,6.5,x\n", 2)
    found = csv_columns.infer_types("a.csv", block, ["a", "b", "c"], [CsvType.UNKNOWN] * 3)
    assert found == [CsvType.INT, CsvType.FLOAT, CsvType.BYTES]
