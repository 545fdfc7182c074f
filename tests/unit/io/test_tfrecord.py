"""TFRecord files; that TensorFlow reads them is tested in tests/integration."""

from __future__ import annotations

import gzip
import os
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import MalformedFileError
from headrace.io import tfrecord


@given(
    st.lists(st.binary(max_size=300), max_size=50),
    st.integers(1, 7),
    st.sampled_from(["a", "a.gz"]),
    st.sampled_from([40, 500, 4 << 20]),
)
def test_reading_gives_what_was_written(tmp_path_factory, records, batch_records, name, chunk_bytes):
    """In order, in lists of the size asked for, wherever the chunks that are read begin and end."""
    path = str(tmp_path_factory.mktemp("records") / name)
    with tfrecord.Writer(path) as writer:
        writer.write(records[:3])
        writer.write(records[3:])
    with mock.patch.object(tfrecord, "_CHUNK_BYTES", chunk_bytes):
        batches = list(tfrecord.read_batches(path, batch_records))
    assert [record for batch in batches for record in batch] == records
    assert all(len(batch) == batch_records for batch in batches[:-1])
    assert writer.num_records == len(records)


def test_a_batch_ends_where_it_is_large_enough(tmp_path):
    """After the record with which it reaches the size."""
    path = str(tmp_path / "a")
    with tfrecord.Writer(path) as writer:
        writer.write([bytes(60), bytes(60), bytes(10), bytes(200), b""])

    batches = list(tfrecord.read_batches(path, 100, batch_bytes=100))

    assert [[len(record) for record in batch] for batch in batches] == [[60, 60], [10, 200], [0]]


def test_framing_one_record_equals_the_file(tmp_path):
    """`frame` is the same format, record by record."""
    with tfrecord.Writer(str(tmp_path / "a")) as writer:
        writer.write([b"x", b"yy"])
    assert (tmp_path / "a").read_bytes() == tfrecord.frame(b"x") + tfrecord.frame(b"yy")


def test_unfinished_file_is_removed(tmp_path):
    """Nothing half-written is left under any name."""

    def write():
        with tfrecord.Writer(str(tmp_path / "a.gz")) as writer:
            writer.write([b"x"])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write()
    assert os.listdir(tmp_path) == []


def test_text_is_not_a_tfrecord_file(tmp_path):
    """The first record's place is named."""
    path = tmp_path / "a.csv"
    path.write_text("some,header,line,of,a,csv,file\n")
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(path), 10))
    assert str(caught.value) == (
        f"{path}: record 1 does not start where it should: not a TFRecord file, or damaged.\n"
        "  Fix: check that the file holds TFRecords and write it again."
    )


def test_changed_byte_is_found_by_its_checksum(tmp_path):
    """The record's number is named."""
    path = tmp_path / "a"
    data = bytearray(tfrecord.frame(b"first") + tfrecord.frame(b"second"))
    data[-6] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(path), 10))
    assert str(caught.value) == f"{path}: record 2 does not fit its checksum.\n  Fix: write the file again."


@pytest.mark.parametrize("cut", [3, 15, 17])
def test_file_cut_short(tmp_path, cut):
    """Whether in a length, a record or a checksum."""
    path = tmp_path / "a"
    path.write_bytes(
        (tfrecord.frame(b"first") + tfrecord.frame(b"second"))[: len(tfrecord.frame(b"first")) + cut]
    )
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(path), 10))
    assert str(caught.value) == f"{path}: cut short after record 1.\n  Fix: write the file again."


def test_gzip_cut_short(tmp_path):
    """The compressed form says so as well."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(tfrecord.frame(os.urandom(1000)))[:-20])
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(path), 10))
    assert caught.value.problem.startswith(f"{path}: the gzip data is cut short or damaged: ")
