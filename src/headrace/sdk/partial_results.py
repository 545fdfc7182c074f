"""What executors keep of one input for later executions: the statistics of a span, what analyzers found in it.

A window over many spans is then worked on at the cost of the new ones. A result is kept under a key made of
everything that it depends on, the content of the input among it, so one that is found is right. The process
that runs a node under Headrace names the folder; elsewhere nothing is kept and nothing found.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time

from headrace.sdk.context import DIGEST_PROPERTY
from headrace.sdk.light import authoring

with authoring():
    from tfx.types.artifact import Artifact

# Beyond this, what was not used for longest is removed.
MAX_FOLDER_BYTES = 1 << 30
_UNFINISHED = ".unfinished-"
# A file that is written for longer was left by a process that was killed.
_MAX_WRITING_SECONDS = 3600

_folder = ""


def set_folder(path: str) -> None:
    """Say where results are kept; an empty path keeps none."""
    global _folder
    _folder = path


def content_of(artifact: Artifact) -> str:
    """Return what stands for an artifact's content in a key; empty where the content is not known."""
    return str(artifact.get_string_custom_property(DIGEST_PROPERTY))


def path(content: str, *parts: str) -> str:
    """Return where a result is kept, or would be.

    Args:
        content: Of the input; see `content_of`.
        parts: Everything else that the result depends on: what made it, the versions of libraries, parameters.

    Returns:
        A path; empty where nothing is kept, or where the content is not known.
    """
    if not content or not _folder:
        return ""
    return os.path.join(_folder, hashlib.sha256("\0".join([content, *parts]).encode()).hexdigest())


def is_kept(path: str) -> bool:
    """Whether a result is kept at a path that `path` returned; it then stays for a while."""
    with contextlib.suppress(OSError):
        # The time of last use: that of the last access is switched off on many systems.
        os.utime(path)
        return True
    return False


def read(path: str) -> bytes:
    """Return a result that is kept."""
    with open(path, "rb") as file:
        return file.read()


def write(path: str, content: bytes) -> None:
    """Keep a result; where the disk is full or the folder cannot be written, nothing is kept."""
    folder = os.path.dirname(path)
    unfinished = f"{path}{_UNFINISHED}{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        try:
            with open(unfinished, "wb") as file:
                file.write(content)
                # A file with half of a result would fail every later execution.
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                os.remove(unfinished)
        _make_room(folder)


def _make_room(folder: str) -> None:
    known = []
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if _UNFINISHED in entry.name and time.time() - entry.stat().st_mtime > _MAX_WRITING_SECONDS:
                os.remove(entry.path)
                continue
            known.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
    total = sum(size for _, size, _ in known)
    for _, size, oldest in sorted(known):
        if total <= MAX_FOLDER_BYTES:
            break
        with contextlib.suppress(OSError):
            os.remove(oldest)
            total -= size
