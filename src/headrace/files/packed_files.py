"""Files that may be packed as a whole, by gzip or zstd, read as what is in them."""

from __future__ import annotations

import abc
import contextlib
import gzip
import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from isal import igzip, igzip_lib

from headrace.errors import MalformedFileError
from headrace.files.storage import open_file, size

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Of tables and texts, about; zstd does not always say what it unpacks to.
_ZSTD_RATIO = 4
_BUFFER_BYTES = 1 << 20


def packing_of(path: str) -> str:
    """Return how a file is packed, by how it begins: `"gzip"`, `"zstd"`, or `""` where it is not.

    Raises:
        MalformedFileError: If it is named as a packed file and empty: gzip of nothing takes 20 bytes.
    """
    with open_file(path) as file:
        head = file.read(len(_ZSTD_MAGIC))
    if not head and path.endswith(".gz"):
        raise MalformedFileError(
            f"{path} is 0 bytes long, where gzip of nothing takes 20: it was never written to its end.",
            "write the file again.",
        )
    if not head and path.endswith((".zst", ".zstd")):
        raise MalformedFileError(
            f"{path} is 0 bytes long: it was never written to its end.", "write the file again."
        )
    return "gzip" if head.startswith(_GZIP_MAGIC) else "zstd" if head == _ZSTD_MAGIC else ""


def is_gzip(path: str) -> bool:
    """Whether a file begins as gzip does, whatever its name; see `packing_of`."""
    return packing_of(path) == "gzip"


def is_packed(path: str) -> bool:
    """Whether a file is packed: it can then only be read from its start."""
    return bool(packing_of(path))


def is_packed_head(head: bytes) -> bool:
    """Whether bytes are the beginning of a packed file."""
    return head.startswith((_GZIP_MAGIC, _ZSTD_MAGIC))


@contextlib.contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file to be read from its start, unpacked where it is gzip or zstd.

    Raises:
        MalformedFileError: While it is open, if the packed data end early, are damaged or do not fit their checksum.
    """
    packing = packing_of(path)
    with open_file(path) as raw:
        if not packing:
            yield raw
        elif packing == "zstd":
            yield cast(BinaryIO, io.BufferedReader(_Zstd(raw, path), _BUFFER_BYTES))
        else:
            try:
                yield cast(BinaryIO, igzip.IGzipFile(fileobj=raw))
            # isal's type stub declares an instance where there is a class.
            except (EOFError, igzip_lib.IsalError, gzip.BadGzipFile) as error:  # type: ignore[misc]
                raise MalformedFileError(
                    f"{path}: the gzip data is cut short or damaged: {error}.", "write the file again."
                ) from error


def unpacked_bytes(path: str) -> int:
    """Return about how many bytes a file holds when unpacked; the size of one that is not packed.

    gzip says it itself, modulo 4 GiB, of its last part; zstd is taken to have a table's usual ratio.
    """
    num_bytes, packing = size(path), packing_of(path)
    if packing == "zstd":
        return num_bytes * _ZSTD_RATIO
    if not packing or num_bytes < 4:
        return num_bytes
    with open_file(path) as file:
        file.seek(-4, os.SEEK_END)
        return max(num_bytes, int.from_bytes(file.read(4), "little"))


class Forwards(io.RawIOBase):
    """A stream that is made while it is read, and can be read forwards alone.

    Args:
        kind: What it is, for the message to who would go back: `"a packed file"`.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._at = 0

    @abc.abstractmethod
    def next_bytes(self, num_bytes: int) -> bytes:
        """Return at most as many bytes; none at the end."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go forwards, by reading."""
        if whence != io.SEEK_SET or offset < self._at:
            raise io.UnsupportedOperation(f"{self._kind} is read forwards")
        while self._at < offset and self.read(min(_BUFFER_BYTES, offset - self._at)):
            pass
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        part = self.next_bytes(len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class _Zstd(Forwards):
    """What zstd unpacks to, one frame after the other."""

    def __init__(self, raw: BinaryIO, path: str) -> None:
        super().__init__("a packed file")
        # Heavy, and rare.
        import pyarrow

        self._stream: Any = pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd")
        self._path = path

    def next_bytes(self, num_bytes: int) -> bytes:
        try:
            return bytes(self._stream.read(num_bytes))
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise MalformedFileError(
                f"{self._path}: the zstd data is cut short or damaged: {error}.", "write the file again."
            ) from error
