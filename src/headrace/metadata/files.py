"""Files of a store, written so that a reader sees the old or the new text, and so that no link leads elsewhere.

A store may come from anywhere: a link in the place of a file that is about to be written must not make this process
write to what it names.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
from typing import Any, TextIO

_MAX_BYTES = 64 << 20
_OF_EXECUTION = re.compile(r"\d+(-[0-9a-f]{8})?")


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
    return os.fdopen(_open_plain(path, os.O_WRONLY | os.O_CREAT), "w", encoding="utf-8")


def open_plain(path: str) -> TextIO:
    """Open a text file to read it. What is no plain file is an error: a link, or a pipe, which would wait for ever.

    Raises:
        OSError: If it cannot be opened.
    """
    return os.fdopen(_open_plain(path, os.O_RDONLY), encoding="utf-8", errors="replace")


def read_text(path: str) -> str:
    """Return the text of a small file.

    Raises:
        OSError: If it cannot be read, is no plain file, or is larger than any that this library writes.
    """
    with open_plain(path) as file:
        text = file.read(_MAX_BYTES)
    if len(text) == _MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return text


def read_json(path: str) -> Any:
    """Return what a small JSON file holds.

    Raises:
        OSError: See `read_text`.
        ValueError: If it holds none.
    """
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deep") from error


def find_link(folder: str, depth: int) -> str:
    """Return the path of something in a folder that is neither a plain file nor a folder; empty where all are.

    Args:
        folder: The folder.
        depth: How many levels are searched, 1 for the folder's own entries alone. The folders of executions are
            not: what they hold is content.

    Raises:
        OSError: If a folder cannot be read.
    """
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                is_searched = depth > 1 and not _OF_EXECUTION.fullmatch(entry.name)
                found = find_link(entry.path, depth - 1) if is_searched else ""
                if found:
                    return found
            elif not entry.is_file(follow_symlinks=False):
                return entry.path
    return ""


def _open_plain(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file", path)
    return descriptor
