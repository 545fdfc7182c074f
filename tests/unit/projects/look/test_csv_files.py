"""CSV of unknown form."""

from __future__ import annotations

import gzip

import pytest

from headrace.errors import EmptyDataError, MalformedFileError
from headrace.projects.look.csv_files import read_form, read_sample


def _written(tmp_path, content, name="rows.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    ("content", "delimiter", "names", "reason"),
    [
        ("a,b\n1,2\n", ",", ("a", "b"), ""),
        ("a;b\n1,5;2\n", ";", ("a", "b"), "divided by semicolons"),
        ("a\tb\n1\t2\n", "\t", ("a", "b"), "divided by tabs"),
        ("a|b\n1|2\n", "|", ("a", "b"), "divided by vertical bars"),
        ('"a b","c, d"\n1,2\n', ",", ("a b", "c d"), "quotes, spaces or empty names"),
        (",b\n1,2\n", ",", ("column_1", "b"), "empty names"),
        ("a,a\n1,2\n", ",", ("a", "a_2"), "names 'a' twice"),
        ("1,2,x\n3,4,y\n", ",", ("column_1", "column_2", "column_3"), "names no columns"),
        ("\ufeffa,b\n1,2\n", ",", ("a", "b"), "byte order mark"),
        ("a,b\rx,2\r", ",", ("a", "b"), "carriage return"),
    ],
)
def test_the_form_is_seen_and_what_needs_a_copy_is_said(tmp_path, content, delimiter, names, reason):
    """Delimiter, names and the reason why CsvExampleGen could not read it as it is."""
    form = read_form(_written(tmp_path, content))

    assert (form.delimiter, form.names) == (delimiter, names)
    assert reason in "; ".join(form.reasons)
    assert bool(form.reasons) == bool(reason)


def test_columns_named_by_years_are_a_header(tmp_path):
    """A number among the names makes no row of them, as long as another name stands over numbers."""
    assert read_form(_written(tmp_path, "place,2019,2020\nx,1,2\n")).has_header is False
    assert read_form(_written(tmp_path, "size,2019,2020\n7,1,2\n")).has_header is True


def test_text_that_is_no_utf8_is_read_as_what_it_is(tmp_path):
    """Windows' encoding, as Excel writes it."""
    path = _written(tmp_path, "word,n\ncami\xf3n,1\n".encode("latin-1"))

    form = read_form(path)

    assert form.encoding == "cp1252"
    assert read_sample(path, form).table.column("word").to_pylist() == ["cami\u00f3n"]


def test_a_sign_far_behind_the_beginning_tells_the_encoding_too(tmp_path):
    """The whole sample is looked at, not only its first lines."""
    path = _written(tmp_path, b"word,n\n" + b"plain,1\n" * 40_000 + "n,\xf3\n".encode("latin-1"))

    assert read_form(path).encoding == "cp1252"


def test_gzip_is_unpacked_and_the_sample_is_bounded(tmp_path, monkeypatch):
    """No more is read than the bound, up to the end of a line, and that is said."""
    monkeypatch.setattr("headrace.projects.look.csv_files.MAX_BYTES", 25)
    path = _written(tmp_path, gzip.compress(b"a,b\n" + b"10,20\n" * 9), "rows.csv.gz")

    sample = read_sample(path, read_form(path))

    assert (len(sample.table), sample.is_whole) == (3, False)


def test_rows_of_another_length_are_counted_and_shown(tmp_path):
    """A table with a few bad lines is still a table."""
    path = _written(tmp_path, "a,b\n1,2\n3,4,5\n" + "6,7\n" * 8)

    sample = read_sample(path, read_form(path))

    assert (len(sample.table), sample.num_unreadable) == (9, 1)
    assert sample.unreadable == "3 cells instead of 2: 3,4,5"


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (b"", EmptyDataError, "is empty"),
        (b" \n \n", EmptyDataError, "is empty"),
        (b"a,b\n", EmptyDataError, "a header line and no row"),
        (b"words\nare\nhere\n", MalformedFileError, "a single column"),
        (b"\x00\x01\x02\x03\n", MalformedFileError, "NUL bytes"),
        (b"PK\x03\x04....", MalformedFileError, "Excel workbook"),
        (b"PAR1....", MalformedFileError, "a Parquet file"),
        (b"a,b\n1\n1,2,3\n1,2,3,4\n1;2\n", MalformedFileError, "is no table"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, error, told):
    """One sentence each, with what to do."""
    with pytest.raises(error) as caught:
        read_form(_written(tmp_path, content))

    assert told in caught.value.problem
    assert caught.value.fix
