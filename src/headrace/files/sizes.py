"""How much room files take."""

from __future__ import annotations

import os


def size_on_disk(path: str) -> int:
    """Return the size in bytes of a file, or of all files in a folder; 0 where there is nothing."""
    size = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    size += size_on_disk(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    except NotADirectoryError:
        return os.stat(path).st_size
    except OSError:
        # Gone, or going away meanwhile: what was seen counts.
        return size
    return size
