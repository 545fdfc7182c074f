"""Members of zip archives, opened with an eye on what they unpack to, and every fault of one as an `OSError`."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

# A member that unpacks to more than this, and to more than so many times its size, was made to fill memory: what pictures,
# sounds and texts hold is packed to a tenth at most times, a picture of one colour to a few hundredths.
_SURE_BYTES = 64 << 20
_MAX_RATIO = 200


@contextlib.contextmanager
def opened(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """Open a member to be read.

    Raises:
        OSError: While it is open, if it is encrypted, packed in a way that Python does not know, damaged, not there, or
            would unpack to a size that only a bomb has.
    """
    try:
        info = archive.getinfo(name)
        if info.file_size > _SURE_BYTES and info.file_size > _MAX_RATIO * max(1, info.compress_size):
            raise OSError(
                f"it would unpack from {info.compress_size:,} to {info.file_size:,} bytes, as a zip bomb does"
            )
        with archive.open(info) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, KeyError) as error:
        raise OSError(str(error)) from error
