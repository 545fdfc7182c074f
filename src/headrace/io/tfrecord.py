"""TFRecord files, read and written a batch of records at a time.

Format: for each record a little-endian uint64 length, the masked CRC-32C of those 8 bytes, the record,
and the masked CRC-32C of the record (tensorflow/core/lib/io/record_writer.h). A file may be gzip as a
whole.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import BinaryIO

import google_crc32c

from headrace.errors import MalformedFileError

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_CHUNK_BYTES = 4 << 20
_MAX_KNOWN_LENGTHS = 100_000
# Level 1 writes three times as fast as gzip's default of 6 and costs a tenth more space on Examples.
_GZIP_LEVEL = 1


def masked_crc(data: bytes) -> int:
    """Return the CRC-32C of `data`, masked as TFRecord stores it."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


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
        self._unfinished_path = f"{path}.unfinished-{os.getpid()}"
        self._raw: BinaryIO = open(self._unfinished_path, "wb")  # noqa: SIM115 - closed in __exit__
        self._out: BinaryIO | gzip.GzipFile = self._raw
        if path.endswith(".gz"):
            self._out = gzip.GzipFile("", "wb", _GZIP_LEVEL, self._raw, mtime=0)

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
                os.replace(self._unfinished_path, self.path)
        finally:
            # Closed in any case: a gzip stream left open complains when Python collects it.
            with contextlib.suppress(OSError, ValueError):
                self._out.close()
            with contextlib.suppress(OSError):
                self._raw.close()
            if os.path.exists(self._unfinished_path):
                os.remove(self._unfinished_path)


def read_batches(path: str, batch_records: int, batch_bytes: int = 32 << 20) -> Iterator[list[bytes]]:
    """Yield the records of a TFRecord file, gzip or plain, in lists.

    Args:
        path: The file; gzip is recognised by its first two bytes.
        batch_records: A list holds at most this many records.
        batch_bytes: A list ends after the record with which it reaches this size.

    Raises:
        MalformedFileError: If the file is cut short or a checksum does not fit, with the record's number.
    """
    with open(path, "rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if compressed else raw
        try:
            yield from _read_batches(path, stream, batch_records, batch_bytes)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise MalformedFileError(
                f"{path}: the gzip data is cut short or damaged: {error}.", "write the file again."
            ) from error


def _read_batches(
    path: str, stream: BinaryIO | io.BufferedIOBase, batch_records: int, batch_bytes: int
) -> Iterator[list[bytes]]:
    crc = google_crc32c.value
    unpack_footer = _FOOTER.unpack_from
    # Records of one length share a head, checksum included: checked once.
    lengths: dict[bytes, int] = {}
    batch: list[bytes] = []
    size = num_read = 0
    rest = b""
    while True:
        chunk = stream.read(_CHUNK_BYTES)
        data = rest + chunk if rest else chunk
        at, end = 0, len(data)
        while end - at >= 12:
            head = data[at : at + 12]
            length = lengths.get(head)
            if length is None:
                length, length_crc = _HEADER.unpack(head)
                if masked_crc(head[:8]) != length_crc:
                    raise MalformedFileError(
                        f"{path}: record {num_read + 1} does not start where it should: not a TFRecord file, or "
                        "damaged.",
                        "check that the file holds TFRecords and write it again.",
                    )
                if len(lengths) < _MAX_KNOWN_LENGTHS:
                    lengths[head] = length
            stop = at + 12 + length
            if stop + 4 > end:
                break
            record = data[at + 12 : stop]
            found = crc(record)
            if (((found >> 15) | (found << 17)) + 0xA282EAD8) & 0xFFFFFFFF != unpack_footer(data, stop)[0]:
                raise MalformedFileError(
                    f"{path}: record {num_read + 1} does not fit its checksum.", "write the file again."
                )
            batch.append(record)
            size += length
            num_read += 1
            at = stop + 4
            if len(batch) >= batch_records or size >= batch_bytes:
                yield batch
                batch, size = [], 0
        rest = data[at:]
        if not chunk:
            break
    if rest:
        raise MalformedFileError(f"{path}: cut short after record {num_read}.", "write the file again.")
    if batch:
        yield batch
