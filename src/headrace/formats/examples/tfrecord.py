"""TFRecord files, read and written a batch of records at a time.

Format: for each record a little-endian uint64 length, the masked CRC-32C of those 8 bytes, the record,
and the masked CRC-32C of the record (tensorflow/core/lib/io/record_writer.h). A file may be gzip as a
whole.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import struct
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import BinaryIO

import google_crc32c
import numpy as np
from isal import igzip

from headrace.errors import MalformedFileError
from headrace.files import create_file, packed_files, publish, whole_files
from headrace.formats.examples import record_checksums
from headrace.formats.examples.record_checksums import masked_crc
from headrace.formats.examples.records import Piece, Records

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_CHUNK_BYTES = 4 << 20
_STEP_BYTES = 16 << 20
# What protobuf can parse, and what Arrow's offsets of 32 bits reach.
_MAX_RECORD_BYTES = (1 << 31) - 1
_LONG_RECORD_BYTES = 64 << 10
# Some hundred rows of 5,000 columns, whose work is per column and batch.
_BATCH_BYTES = 64 << 20
_MAX_KNOWN_SIZES = 100_000
# ISA-L's gzip, at its own default of 0 to 3: Examples take as much space as at zlib's level 1, and are written
# four times and read twice as fast.
_GZIP_LEVEL = 2


def frame(record: bytes) -> bytes:
    """Return `record` with its length and checksums around it."""
    length = struct.pack("<Q", len(record))
    return b"".join((length, _FOOTER.pack(masked_crc(length)), record, _FOOTER.pack(masked_crc(record))))


class Writer:
    """Writes records to a file that appears under its name only when it is complete.

    Args:
        path: The file's final path; a name that ends in `.gz` is compressed.

    Use as a context manager; leaving it with an exception removes the unfinished file. The bytes depend on
    the records alone: no time stamp or name goes into the gzip header.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.num_records = 0
        self._heads: dict[int, bytes] = {}
        self._unfinished_path = whole_files.aside(path)
        self._raw: BinaryIO = create_file(self._unfinished_path)
        self._out: BinaryIO | gzip.GzipFile = self._raw
        if path.endswith(".gz"):
            self._out = igzip.IGzipFile("", "wb", _GZIP_LEVEL, self._raw, mtime=0)

    def write(self, records: Iterable[bytes]) -> None:
        """Append records, in order."""
        records = list(records)
        crc, heads = google_crc32c.value, self._heads
        crcs = [crc(record) for record in records]
        masked = [(((c >> 15) | (c << 17)) + 0xA282EAD8) & 0xFFFFFFFF for c in crcs]
        footers = struct.pack(f"<{len(masked)}I", *masked)
        # One list and one join: a call per record costs more than its bytes do.
        pieces: list[bytes] = [b""] * (3 * len(records))
        pieces[0::3] = [heads.get(len(record)) or self._head(len(record)) for record in records]
        pieces[1::3] = records
        pieces[2::3] = [footers[at : at + 4] for at in range(0, len(footers), 4)]
        self._out.write(b"".join(pieces))
        self.num_records += len(records)

    def _head(self, size: int) -> bytes:
        """Return the length and its checksum, which stand before a record of `size` bytes."""
        length = struct.pack("<Q", size)
        self._heads[size] = length + _FOOTER.pack(masked_crc(length))
        return self._heads[size]

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._out.close()
                self._raw.close()
                publish(self._unfinished_path, self.path)
        finally:
            # Closed in any case: a gzip stream left open complains when Python collects it.
            with contextlib.suppress(OSError, ValueError):
                self._out.close()
            with contextlib.suppress(OSError):
                self._raw.close()
            if os.path.exists(self._unfinished_path):
                os.remove(self._unfinished_path)


def read_batches(path: str, batch_records: int, batch_bytes: int = _BATCH_BYTES) -> Iterator[list[bytes]]:
    """Yield the records of a TFRecord file in lists; see `read`."""
    for records in read(path, batch_records, batch_bytes):
        yield records.to_list()


def read(path: str, batch_records: int, batch_bytes: int = _BATCH_BYTES) -> Iterator[Records]:
    """Yield the records of a TFRecord file, gzip or plain; each record is compared with its checksum.

    Args:
        path: The file; gzip is recognised by its first two bytes. A plain file of 0 bytes holds no records.
        batch_records: At most this many records are yielded together.
        batch_bytes: A batch ends after the record with which it reaches this size.

    Raises:
        MalformedFileError: If the file is cut short or a checksum does not fit, with the record's number.
    """
    with packed_files.open_binary(path) as stream:
        waiting = _Batches(batch_records, batch_bytes)
        for piece in _read_pieces(path, stream):
            yield from waiting.add(piece)
        yield from waiting.rest()


class _Batches:
    """Makes batches of pieces of any length."""

    def __init__(self, batch_records: int, batch_bytes: int) -> None:
        self._batch_records = batch_records
        self._batch_bytes = batch_bytes
        self._pieces: list[Piece] = []
        self._num_records = 0
        self._num_bytes = 0

    def add(self, piece: Piece) -> Iterator[Records]:
        """Add records and yield the batches that are full."""
        sizes = np.cumsum(piece.ends - piece.starts)
        first = 0
        while first < len(piece):
            before = int(sizes[first - 1]) if first else 0
            full = before + self._batch_bytes - self._num_bytes
            last = min(
                first + self._batch_records - self._num_records,
                int(np.searchsorted(sizes, full)) + 1,
                len(piece),
            )
            self._pieces.append(piece.part(first, last))
            self._num_records += last - first
            self._num_bytes += int(sizes[last - 1]) - before
            first = last
            if self._num_records >= self._batch_records or self._num_bytes >= self._batch_bytes:
                yield from self.rest()

    def rest(self) -> Iterator[Records]:
        """Yield what was added since the last full batch, if anything."""
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._num_records = self._num_bytes = 0
            yield Records.joined(pieces)


def _read_pieces(path: str, stream: BinaryIO) -> Iterator[Piece]:
    """Yield the whole records of each chunk of a file; a chunk is as long as its first record at least."""
    # Records of one length share a head, checksum included: checked once.
    sizes: dict[bytes, int] = {}
    num_read = 0
    rest = b""
    wanted = _CHUNK_BYTES
    while True:
        data, is_end = _read_more(stream, rest, wanted)
        wanted = _CHUNK_BYTES
        starts: list[int] = []
        at, end = 0, len(data)
        # All that Python does for each record.
        while end - at >= _HEADER.size:
            head = data[at : at + _HEADER.size]
            size = sizes.get(head)
            if size is None:
                size = _framed_size(path, head, num_read + len(starts) + 1)
                if len(sizes) < _MAX_KNOWN_SIZES:
                    sizes[head] = size
            if at + size > end:
                wanted = max(wanted, at + size - end)
                break
            starts.append(at)
            at += size
        if starts:
            firsts = np.array(starts, np.int64)
            piece = Piece(data, firsts + _HEADER.size, np.append(firsts[1:], at) - _FOOTER.size)
            _check_records(path, piece, num_read)
            num_read += len(piece)
            yield piece
        rest = data[at:]
        if is_end:
            break
    if rest:
        raise MalformedFileError(f"{path}: cut short after record {num_read}.", "write the file again.")


def _read_more(stream: BinaryIO, rest: bytes, wanted: int) -> tuple[bytes, bool]:
    """Return `rest` with the next `wanted` bytes behind it, and whether the file ended before these.

    In steps: what a damaged length claims is never asked for at once.
    """
    chunks = [rest] if rest else []
    while wanted > 0:
        chunk = stream.read(min(wanted, _STEP_BYTES))
        if not chunk:
            return b"".join(chunks), True
        chunks.append(chunk)
        wanted -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks), False


def _framed_size(path: str, head: bytes, number: int) -> int:
    """Return the size of a record, with what is around it."""
    length, length_crc = _HEADER.unpack(head)
    if masked_crc(head[:8]) != length_crc:
        raise MalformedFileError(
            f"{path}: record {number} does not start where it should: not a TFRecord file, or damaged.",
            "check that the file holds TFRecords and write it again.",
        )
    if length > _MAX_RECORD_BYTES:
        raise MalformedFileError(
            f"{path}: record {number} claims to be {length:,} bytes long, and no tf.Example can be longer than "
            f"{_MAX_RECORD_BYTES:,}.",
            "write the file again; divide what is so long into several records.",
        )
    return int(length) + _HEADER.size + _FOOTER.size


def _check_records(path: str, piece: Piece, num_before: int) -> None:
    """Compare each record with its checksum."""
    # A few long records are not worth the copy that comparing them at once takes.
    is_long = len(piece.data) > _LONG_RECORD_BYTES * len(piece)
    if not is_long and record_checksums.do_fit(piece.data, piece.starts, piece.ends):
        return
    for number, (start, end) in enumerate(zip(piece.starts.tolist(), piece.ends.tolist()), num_before + 1):
        if masked_crc(piece.data[start:end]) != _FOOTER.unpack_from(piece.data, end)[0]:
            raise MalformedFileError(
                f"{path}: record {number} does not fit its checksum.", "write the file again."
            )
