"""TFRecord files; that TensorFlow reads them is tested in tests/integration."""

from __future__ import annotations

import gzip
import os
import struct
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import MalformedFileError
from headrace.formats.examples import tfrecord


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


def _write(path, content):
    with gzip.open(path, "wb") if str(path).endswith(".gz") else open(path, "wb") as file:
        file.write(content)


@pytest.mark.parametrize("name", ["a", "a.gz"])
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20), st.data())
def test_any_changed_byte_is_found(tmp_path_factory, name, records, data):
    """In a length, a record or a checksum; packed as gzip too, whose own checksum fits what was packed."""
    content = bytearray(b"".join(tfrecord.frame(record) for record in records))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("changed") / name
    _write(path, bytes(content))
    with pytest.raises(MalformedFileError):
        list(tfrecord.read_batches(str(path), 10))


def test_records_exchanged_with_their_lengths_kept_are_found(tmp_path):
    """Several wrong checksums do not make up for each other; the first of them is named."""
    first, second = tfrecord.frame(b"first!"), tfrecord.frame(b"second")
    path = tmp_path / "a.gz"
    _write(path, first + first[:12] + second[12:18] + first[18:] + second[:12] + first[12:18] + second[18:])
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(path), 10))
    assert caught.value.problem == f"{path}: record 2 does not fit its checksum."


def test_a_long_record_is_put_together_once(tmp_path):
    """However many chunks it takes: else long records would cost the square of their length."""
    path = tmp_path / "a.gz"
    records = [b"x", os.urandom(100_000), b"y"]
    _write(path, b"".join(tfrecord.frame(record) for record in records))
    with (
        mock.patch.object(tfrecord, "_CHUNK_BYTES", 1_000),
        mock.patch.object(tfrecord, "_read_more", wraps=tfrecord._read_more) as read_more,
    ):
        assert [record for batch in tfrecord.read_batches(str(path), 10) for record in batch] == records
    assert read_more.call_count <= 4


@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_a_length_that_no_record_has_is_refused_unread(tmp_path, name):
    """It fits its checksum, and nothing is read or kept for it."""
    length = struct.pack("<Q", 10**12)
    path = tmp_path / name
    _write(path, length + struct.pack("<I", tfrecord.masked_crc(length)) + bytes(1_000))
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(path), 10))
    assert caught.value.problem == (
        f"{path}: record 1 claims to be 1,000,000,000,000 bytes long, and no tf.Example can be longer than "
        "2,147,483,647."
    )


def test_a_file_of_no_bytes(tmp_path):
    """Plain, it holds no records, as TensorFlow's writer makes it; as gzip it is one that was never finished."""
    (tmp_path / "a").write_bytes(b"")
    assert list(tfrecord.read_batches(str(tmp_path / "a"), 10)) == []
    (tmp_path / "a.gz").write_bytes(b"")
    with pytest.raises(MalformedFileError) as caught:
        list(tfrecord.read_batches(str(tmp_path / "a.gz"), 10))
    assert caught.value.problem == (
        f"{tmp_path / 'a.gz'} is 0 bytes long, where gzip of nothing takes 20: it was never written to its end."
    )


@pytest.mark.parametrize("name", ["a", "a.gz"])
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_gives_no_other_records(tmp_path_factory, name, records, place):
    """What is read before the error is a beginning of what was written; a plain file may end between records."""
    folder = tmp_path_factory.mktemp("cut")
    with tfrecord.Writer(str(folder / name)) as writer:
        writer.write(records)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(place * len(data))])
    found = []
    try:
        for batch in tfrecord.read_batches(str(folder / name), 1):
            found += batch
    except MalformedFileError:
        pass
    else:
        assert name == "a"
        assert len(b"".join(map(tfrecord.frame, found))) == int(place * len(data))
    assert found == records[: len(found)]
