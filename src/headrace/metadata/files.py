"""Files of a store, written so that a reader sees the old or the new text, and so that no link leads elsewhere.

A store may come from anywhere: a link in the place of a file that is about to be written must not make this process
write to what it names.
"""

from __future__ import annotations

import contextlib
import os
from typing import TextIO


def replace(path: str, text: str, *, is_flushed: bool = False) -> None:
    """Write a text file in one step; nobody else is writing it now.

    Args:
        path: The file; a link in its place is replaced, and not followed.
        text: What it holds then.
        is_flushed: Whether it must be on the disk before anything that follows.

    Raises:
        OSError: If it cannot be written; then the old text is there.
    """
    aside = f"{path}.new"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.remove(aside)
        with open(aside, "x", encoding="utf-8") as file:
            file.write(text)
            if is_flushed:
                file.flush()
                os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.remove(aside)
        raise


def open_lock(path: str) -> TextIO:
    """Open a file to lock it; made where it is missing, and a link is an error.

    Raises:
        OSError: If it cannot be opened.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    return os.fdopen(descriptor, "w", encoding="utf-8")
