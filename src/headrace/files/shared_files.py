"""Files of a store, written so that a reader sees the old or the new text, and so that no link leads elsewhere.

A store may come from anywhere: a link in the place of a file that is about to be written must not make this process
write to what it names.

Locks are this process's alone. The kernel counts a lock as held as long as any process has the open file, and a
process that the user's own code forks has it too; so a fork gives up what it inherited, and who ends a lock says so.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import stat
import weakref
from typing import Any, TextIO

_MAX_BYTES = 64 << 20
_OF_EXECUTION = re.compile(r"\d+(-[0-9a-f]{8})?")

# What a file system says that has no locks, or none that reach other machines.
_HAS_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

_locks: weakref.WeakSet[TextIO] = weakref.WeakSet()


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
    # Not `fdopen`, whose file does not know its name.
    file = open(  # noqa: SIM115 - its owner closes it
        path, "w", encoding="utf-8", opener=lambda name, _: _open_plain(name, os.O_WRONLY | os.O_CREAT)
    )
    _locks.add(file)
    return file


def lock(file: TextIO, kind: int) -> None:
    """Lock a file that `open_lock` opened, as `fcntl.flock` does.

    Raises:
        BlockingIOError: If another process holds it, and `kind` says not to wait.
        OSError: If it cannot be locked.
    """
    try:
        fcntl.flock(file, kind)
    except OSError as error:
        if error.errno in _HAS_NO_LOCKS:
            raise OSError(
                error.errno, "its file system has no locks for processes (flock)", file.name
            ) from error
        raise


def locked(path: str, kind: int) -> TextIO:
    """Open a file and lock it; see `open_lock` and `lock`, and `release` for the end."""
    file = open_lock(path)
    try:
        lock(file, kind)
    except BaseException:
        file.close()
        raise
    return file


def release(file: TextIO) -> None:
    """Unlock a file and close it, also where a fork has it open."""
    if not file.closed:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
        file.close()


def _give_up_locks() -> None:
    """In a fork: let go of the locks that are its parent's. The descriptors stay taken, so that none is closed twice."""
    held = list(_locks)
    if not held:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    for file in held:
        # One that is closed has no descriptor.
        with contextlib.suppress(ValueError, OSError):
            os.dup2(nowhere, file.fileno(), inheritable=False)
    os.close(nowhere)


os.register_at_fork(after_in_child=_give_up_locks)


def open_plain(path: str) -> TextIO:
    """Open a text file to read it. What is no plain file is an error: a link, or a pipe, which would wait for ever.

    Raises:
        OSError: If it cannot be opened.
    """
    return open(
        path, encoding="utf-8", errors="replace", opener=lambda name, _: _open_plain(name, os.O_RDONLY)
    )


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
