"""Files that may be packed as a whole, by gzip or zstd, read as what is in them."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from isal import igzip, igzip_lib

from headrace.errors import MalformedFileError
from headrace.files.storage import open_file, size

_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Of tables as text, about.
_ZSTD_RATIO = 4
_BUFFER_BYTES = 1 << 20


def is_gzip(path: str) -> bool:
    """Whether a file begins as gzip does, whatever its name.

    Raises:
        MalformedFileError: If it is named `.gz` and empty: gzip of nothing takes 20 bytes.
    """
    with open_file(path) as file:
        head = file.read(len(_MAGIC))
    if not head and path.endswith(".gz"):
        raise MalformedFileError(
            f"{path} is 0 bytes long, where gzip of nothing takes 20: it was never written to its end.",
            "write the file again.",
        )
    return head == _MAGIC


def is_zstd(path: str) -> bool:
    """Whether a file begins as zstd does, whatever its name."""
    with open_file(path) as file:
        return file.read(len(_ZSTD_MAGIC)) == _ZSTD_MAGIC


def is_packed(path: str) -> bool:
    """Whether a file is packed: it can then only be read from its start."""
    return is_gzip(path) or is_zstd(path)


@contextlib.contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file to be read from its start, unpacked where it is gzip or zstd.

    Raises:
        MalformedFileError: While it is open, if the packed data end early, are damaged or do not fit their checksum.
    """
    is_of_gzip = is_gzip(path)
    if not is_of_gzip and is_zstd(path):
        with _open_zstd(path) as file:
            yield file
        return
    with open_file(path) as raw:
        if not is_of_gzip:
            yield raw
            return
        try:
            yield cast(BinaryIO, igzip.IGzipFile(fileobj=raw))
        # isal's type stub declares an instance where there is a class.
        except (EOFError, igzip_lib.IsalError, gzip.BadGzipFile) as error:  # type: ignore[misc]
            raise MalformedFileError(
                f"{path}: the gzip data is cut short or damaged: {error}.", "write the file again."
            ) from error


@contextlib.contextmanager
def _open_zstd(path: str) -> Iterator[BinaryIO]:
    # Heavy, and rare.
    import pyarrow

    with open_file(path) as raw:
        stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, "r"), "zstd")
        try:
            yield cast(BinaryIO, io.BufferedReader(_Forwards(stream), _BUFFER_BYTES))
        except (pyarrow.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise MalformedFileError(
                f"{path}: the zstd data is cut short or damaged: {error}.", "write the file again."
            ) from error


class _Forwards(io.RawIOBase):
    """A stream of Arrow's that is read forwards."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go forwards, by reading."""
        if whence != io.SEEK_SET or offset < self._at:
            raise io.UnsupportedOperation("a packed file is read forwards")
        while self._at < offset and self.read(min(_BUFFER_BYTES, offset - self._at)):
            pass
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        part = self._stream.read(len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def unpacked_bytes(path: str) -> int:
    """Return about how many bytes a packed file unpacks to.

    gzip says it itself, modulo 4 GiB, of its last part; zstd is taken to have a table's usual ratio.
    """
    num_bytes = size(path)
    if is_zstd(path):
        return num_bytes * _ZSTD_RATIO
    if num_bytes < 4:
        return num_bytes
    with open_file(path) as file:
        file.seek(-4, os.SEEK_END)
        return max(num_bytes, int.from_bytes(file.read(4), "little"))
