"""What is on the disk stays there when the power goes; what was only written may not.

SQLite flushes what it records. So what a record names is flushed before it.
"""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

# A flush waits for the disk; several at once wait together.
_THREADS = 8
# An output's folder is new with those of its key and its node.
_LEVELS = 3
# A disk without this, such as some network disks, says one of these.
_UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)


def flush(path: str) -> None:
    """Have the system write a file, or a folder with all that is in it, to the disk, and its name in those above.

    Raises:
        OSError: If it cannot, such as on a full disk that said so late.
    """
    paths = [path] if os.path.isfile(path) else []
    for folder, _, names in os.walk(path):
        files = (os.path.join(folder, name) for name in names)
        paths += [file for file in files if os.path.isfile(file) and not os.path.islink(file)]
        paths.append(folder)
    with ThreadPoolExecutor(_THREADS) as threads:
        for _ in threads.map(_flush_one, paths):
            pass
    folder = os.path.abspath(path)
    for _ in range(_LEVELS):
        folder = os.path.dirname(folder)
        _flush_one(folder)


def _flush_one(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)
