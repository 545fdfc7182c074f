"""Opening, listing, matching, measuring, copying and publishing of files, wherever they lie.

What is on this machine is reached by the system's own calls, with nothing between; what has an address such as
`s3://bucket/data` through `headrace.files.elsewhere`. Users' data and artifacts are reached through this module alone,
which `tests/unit/project/test_file_layer.py` holds.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
from collections.abc import Sequence
from typing import BinaryIO, TextIO

from headrace.files import elsewhere
from headrace.files.addresses import here, is_elsewhere


def open_file(path: str, buffer_bytes: int = -1) -> BinaryIO:
    """Open a file to read its bytes from the start; it can be sought in.

    Raises:
        OSError: If it cannot be opened on this machine.
        MissingFileError: If there is nothing at an address.
        UnreachableError: If an address cannot be reached, also while it is read.
    """
    if is_elsewhere(path):
        return elsewhere.open_file(path)
    return open(here(path), "rb", buffer_bytes, opener=_open_no_pipe)


def open_text(path: str, newline: str | None = None, errors: str = "strict") -> TextIO:
    """Open a text file in UTF-8, to read it; see `open_file`, and `open` for the arguments."""
    if is_elsewhere(path):
        return io.TextIOWrapper(elsewhere.open_file(path), "utf-8", errors, newline)
    return open(here(path), encoding="utf-8", newline=newline, errors=errors, opener=_open_no_pipe)


def _open_no_pipe(path: str, flags: int) -> int:
    """Refuse a pipe, which would wait for ever: a store may come from anywhere."""
    if stat.S_ISFIFO(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is a pipe", path)
    return os.open(path, flags)


def create_file(path: str) -> BinaryIO:
    """Open a file of this machine to write its bytes anew; its folder exists."""
    return open(here(path), "wb")


def create_text(path: str) -> TextIO:
    """Open a text file of this machine, in UTF-8, to write it anew; its folder exists."""
    return open(here(path), "w", encoding="utf-8")


def read_bytes(path: str) -> bytes:
    """Return what a file holds; see `open_file`."""
    with open_file(path) as file:
        return file.read()


def read_text(path: str) -> str:
    """Return the text of a file in UTF-8; see `open_file`."""
    return read_bytes(path).decode()


def size(path: str) -> int:
    """Return the size of a file in bytes; see `open_file`."""
    return elsewhere.size(path) if is_elsewhere(path) else os.path.getsize(here(path))


def sizes_of(paths: Sequence[str]) -> list[int]:
    """Return the size of each file, in order; of those elsewhere several are asked for at once."""
    if not any(map(is_elsewhere, paths)):
        return [os.path.getsize(here(path)) for path in paths]
    return elsewhere.at_once(size, paths)


def size_on_disk(path: str) -> int:
    """Return the size in bytes of a file, or of all files in a folder; 0 where there is nothing."""
    num_bytes = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    num_bytes += size_on_disk(entry.path)
                else:
                    num_bytes += entry.stat(follow_symlinks=False).st_size
    except NotADirectoryError:
        return os.stat(path).st_size
    except OSError:
        # Gone, or going away meanwhile: what was seen counts.
        return num_bytes
    return num_bytes


def exists(path: str) -> bool:
    """Whether there is a file or folder.

    Raises:
        UnreachableError: If nobody can tell.
    """
    return elsewhere.exists(path) if is_elsewhere(path) else os.path.exists(here(path))


def is_file(path: str) -> bool:
    """Whether there is a file; see `exists`."""
    return elsewhere.is_file(path) if is_elsewhere(path) else os.path.isfile(here(path))


def is_folder(path: str) -> bool:
    """Whether there is a folder; see `exists`."""
    return elsewhere.is_folder(path) if is_elsewhere(path) else os.path.isdir(here(path))


def names_in(folder: str) -> list[str]:
    """Return the names of what is in a folder, sorted.

    Raises:
        OSError: If it is none, or cannot be read; elsewhere a folder that is none is empty.
    """
    return [*elsewhere.listed(folder)] if is_elsewhere(folder) else sorted(os.listdir(here(folder)))


def matching(pattern: str, *, is_deep: bool = False) -> list[str]:
    """Return what fits a pattern, sorted, as `glob.glob` finds it: hidden names only where the pattern names them.

    Args:
        pattern: A path with `*`, `?` and `[...]` in it; `glob.escape` takes them for themselves.
        is_deep: Whether `**` stands for folders of any depth; on this machine only.
    """
    if is_elsewhere(pattern):
        return [*elsewhere.matching(pattern)]
    return sorted(glob.glob(here(pattern), recursive=is_deep))


def matching_files(pattern: str) -> list[str]:
    """Return the files among what fits a pattern, sorted."""
    if is_elsewhere(pattern):
        return [name for name, info in elsewhere.matching(pattern).items() if info["type"] == "file"]
    return [path for path in matching(pattern) if os.path.isfile(path)]


def files_below(folder: str) -> list[str]:
    """Return the path of each file below a folder, relative to it, sorted; none where there is no folder."""
    if is_elsewhere(folder):
        return [*elsewhere.walk(folder)]
    top = here(folder)
    return sorted(
        os.path.relpath(os.path.join(at, name), top) for at, _, names in os.walk(top) for name in names
    )


def file_sizes(folder: str) -> dict[str, int]:
    """Return the size in bytes of each file below a folder, by its path in it, sorted."""
    if is_elsewhere(folder):
        return {name: int(info["size"] or 0) for name, info in elsewhere.walk(folder).items()}
    return {name: size(os.path.join(folder, name)) for name in files_below(folder)}


def has_same_bytes(one: str, other: str, block_bytes: int = 1 << 20) -> bool:
    """Whether two files hold the same bytes."""
    with open_file(one) as first, open_file(other) as second:
        while True:
            block, seen = first.read(block_bytes), second.read(block_bytes)
            if block != seen:
                return False
            if not block:
                return True


def copy_file(path: str, target: str) -> None:
    """Copy a file to one of this machine, whose folder is made where it is missing."""
    import shutil

    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    if not is_elsewhere(path):
        shutil.copyfile(here(path), target)
        return
    with open_file(path) as source, open(target, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)


def copy_folder(folder: str, target: str) -> None:
    """Copy what is in a folder of this machine into another of it, made where it is missing; see `shutil.copytree`."""
    import shutil

    shutil.copytree(folder, target, dirs_exist_ok=True)


def remove_folder(folder: str, *, is_tried: bool = False) -> None:
    """Remove a folder of this machine with all that is in it; where `is_tried`, as far as that goes."""
    import shutil

    shutil.rmtree(folder, ignore_errors=is_tried)


def upload_folder(folder: str, address: str, last: str) -> None:
    """Write what is in a folder of this machine to an address where nothing is, in the order in which it counts.

    Object stores cannot rename: a reader waits for one file, and that is written when all others are there. Where a
    file cannot be written, what was is removed.

    Args:
        folder: The folder.
        address: Where its files go.
        last: The name of the file that readers wait for.

    Raises:
        UnreachableError: If the address cannot be written.
    """

    def upload(name: str) -> None:
        elsewhere.upload(os.path.join(folder, name), f"{address}/{name}")

    names = files_below(folder)
    try:
        elsewhere.at_once(upload, [name for name in names if name != last])
        if last in names:
            upload(last)
    except BaseException:
        elsewhere.discard(address)
        raise
