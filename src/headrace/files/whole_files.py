"""Files that are there whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO

UNFINISHED = ".unfinished-"


def aside(path: str) -> str:
    """Return a path beside `path` that nobody else writes, on this machine or on another that shares the folder."""
    return f"{path}{UNFINISHED}{os.getpid()}-{os.urandom(4).hex()}"


@contextlib.contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """Open a file to write that takes the place of `path` when the block ends; where it raises, nothing changes."""
    unfinished = aside(path)
    try:
        with open(unfinished, "xb") as file:
            yield file
        publish(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(unfinished)
        raise


def write_whole(path: str, content: bytes) -> None:
    """Write a file in one step; the folder is made where it is missing."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with written(path) as file:
        file.write(content)


def publish(unfinished: str, path: str) -> None:
    """Give what was written aside its name; what had it is gone."""
    os.replace(unfinished, path)
