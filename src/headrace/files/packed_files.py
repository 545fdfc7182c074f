"""Files that may be gzip or zstd as a whole, read as what is in them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from headrace.errors import MalformedFileError
from headrace.files import gzip_files
from headrace.files.storage import open_file, size

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PACKED_ENDINGS = (".gz", ".zst", ".zstd")
# zstd does not always say what it unpacks to; of text it is about this many times as much.
_ZSTD_RATIO = 4


def packing_of(path: str) -> str:
    """Return how a file is packed, by how it begins: `"gzip"`, `"zstd"`, or `""` where it is not.

    Raises:
        MalformedFileError: If it is named as a packed file and empty.
    """
    if gzip_files.is_gzip(path):
        return "gzip"
    with open_file(path) as file:
        head = file.read(len(ZSTD_MAGIC))
    if not head and path.endswith(PACKED_ENDINGS):
        raise MalformedFileError(
            f"{path} is 0 bytes long: it was never written to its end.", "write the file again."
        )
    return "zstd" if head == ZSTD_MAGIC else ""


def is_packed_head(head: bytes) -> bool:
    """Whether bytes are the beginning of a packed file."""
    return head.startswith((GZIP_MAGIC, ZSTD_MAGIC))


@contextlib.contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file to be read from its start, unpacked where it is packed.

    Raises:
        MalformedFileError: While it is open, if what is packed ends early or is damaged.
    """
    if packing_of(path) != "zstd":
        with gzip_files.open_binary(path) as file:
            yield file
        return
    import pyarrow as pa

    with open_file(path) as raw:
        yield cast(BinaryIO, io.BufferedReader(_Zstd(pa, raw, path)))


def unpacked_bytes(path: str) -> int:
    """Return about how many bytes a file holds when unpacked; the size of one that is not packed."""
    packing = packing_of(path)
    if packing == "gzip":
        return gzip_files.unpacked_bytes(path)
    return size(path) * (_ZSTD_RATIO if packing else 1)


class _Zstd(io.RawIOBase):
    """What zstd unpacks to, one frame after the other."""

    def __init__(self, pa: Any, raw: BinaryIO, path: str) -> None:
        self._stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        self._path = path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except (OSError, ValueError) as error:
            raise MalformedFileError(
                f"{self._path}: the zstd data is cut short or damaged: {error}.", "write the file again."
            ) from error
        buffer[: len(data)] = data
        return len(data)
