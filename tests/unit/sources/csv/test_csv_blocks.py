"""CSV files cut into pieces and blocks of whole records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import EmptyDataError, MalformedFileError
from headrace.sources.csv import csv_blocks, csv_faults

# Records with and without quoted line feeds, quotes, blank lines and other line ends.
_RECORDS = st.lists(
    st.sampled_from([b"1,2\n", b"\n", b'"a\nb",c\n', b'"x""y",\r\n', b'"\n\n\n",z\n', b"longer,cell here\n"]),
    max_size=30,
)


@given(_RECORDS, st.integers(1, 6), st.integers(1, 40))
def test_pieces_and_blocks_hold_every_record_once(tmp_path_factory, records, num_parts, block_bytes):
    """Whatever the number of parts: in order, whole, and with the right line number."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(b"a,b\n" + b"".join(records))
    parts = csv_blocks.cut([str(path)], num_parts)
    assert len(parts) == num_parts
    blocks = [
        block for pieces in parts for piece in pieces for block in csv_blocks.read_blocks(piece, block_bytes)
    ]
    assert b"".join(block.data for block in blocks) == b"".join(records)
    line = 2
    for block in blocks:
        assert block.first_line == line
        line += block.data.count(b"\n")
    found = [record for block in blocks for _, record in csv_faults.records(block.data, block.first_line)]
    assert found == records


def test_cut_covers_several_files_in_order(tmp_path):
    """A part may end in one file and begin in another."""
    paths = []
    for name in "abc":
        path = tmp_path / name
        path.write_bytes(b"h\n" + b"".join(b"%s%d\n" % (name.encode(), row) for row in range(50)))
        paths.append(str(path))
    parts = csv_blocks.cut(paths, 4)
    read = [block.data for pieces in parts for piece in pieces for block in csv_blocks.read_blocks(piece)]
    assert b"".join(read) == b"".join(b"%s%d\n" % (name.encode(), row) for name in "abc" for row in range(50))
    sizes = [sum(piece.end - piece.start for piece in pieces) for pieces in parts]
    assert max(sizes) - min(sizes) < 10


def test_quote_that_is_not_closed_names_its_line(tmp_path):
    """The record's first line, not the end of the file."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n1,2\n3,"4\n5,6\n7,8\n')
    (piece,) = csv_blocks.cut([str(path)], 1)[0]
    with pytest.raises(MalformedFileError) as caught:
        list(csv_blocks.read_blocks(piece))
    assert str(caught.value) == (
        f'{path}:3: the record that begins here opens a double quote (") that nothing closes.\n'
        "  Fix: close the quote, or double it where it is part of the text."
    )


def test_empty_file(tmp_path):
    """Not even a header."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"")
    with pytest.raises(EmptyDataError) as caught:
        csv_blocks.read_header(str(path))
    assert str(caught.value) == (
        f"{path} is empty.\n  Fix: give a CSV file whose first line names the columns."
    )


def test_column_twice_in_the_header(tmp_path):
    """Both places are named."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"fare,miles,fare\n1,2,3\n")
    with pytest.raises(MalformedFileError) as caught:
        csv_blocks.read_header(str(path))
    assert str(caught.value) == (
        f"{path}:1: the header names column 'fare' twice (columns 1 and 3 of 3).\n"
        "  Fix: rename or remove one of them; each feature needs its own name."
    )


def test_header_that_is_not_utf8(tmp_path):
    """Line 1 is named."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,caf\xe9\n1,2\n")
    with pytest.raises(MalformedFileError) as caught:
        csv_blocks.read_header(str(path))
    assert caught.value.problem == f"{path}:1: column 2 holds byte 0xe9, which is not UTF-8."


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"1,2\n1,2,3\n", "a.csv:8: expected 2 columns, as in the header, and found 3: 1,2,3"),
        (b'1,"x\ny"\n\n1\n', "a.csv:10: expected 2 columns, as in the header, and found 1: 1"),
        (b'1,"x\n\xff"\n', "a.csv:8: column 'b' holds byte 0xff, which is not UTF-8."),
    ],
)
def test_faults_name_the_line(data, problem):
    """Blank lines and lines inside quotes count."""
    fault = csv_faults.find("a.csv", data, 7, ("a", "b"))
    assert fault is not None
    assert fault.problem == problem
    assert fault.fix


def test_records_without_fault():
    """Nothing is found where nothing is wrong."""
    assert csv_faults.find("a.csv", b'1,2\n\n"3\n",\r\n', 2, ("a", "b")) is None
