"""Files that may be gzip as a whole, read as what is in them."""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterator
from typing import BinaryIO, cast

from isal import igzip, igzip_lib

from headrace.errors import MalformedFileError
from headrace.files.storage import open_file, size

_MAGIC = b"\x1f\x8b"


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


@contextlib.contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file to be read from its start, unpacked where it is gzip.

    Raises:
        MalformedFileError: While it is open, if the gzip data end early, are damaged or do not fit their checksum.
    """
    is_packed = is_gzip(path)
    with open_file(path) as raw:
        if not is_packed:
            yield raw
            return
        try:
            yield cast(BinaryIO, igzip.IGzipFile(fileobj=raw))
        # isal's type stub declares an instance where there is a class.
        except (EOFError, igzip_lib.IsalError, gzip.BadGzipFile) as error:  # type: ignore[misc]
            raise MalformedFileError(
                f"{path}: the gzip data is cut short or damaged: {error}.", "write the file again."
            ) from error


def unpacked_bytes(path: str) -> int:
    """Return about how many bytes a gzip file unpacks to: what it says itself, modulo 4 GiB, of its last part."""
    num_bytes = size(path)
    if num_bytes < 4:
        return num_bytes
    with open_file(path) as file:
        file.seek(-4, os.SEEK_END)
        return max(num_bytes, int.from_bytes(file.read(4), "little"))
