"""What executors keep of one input for later executions: the statistics of a span, what analyzers found in it.

A window over many spans is then worked on at the cost of the new ones. A result is kept under a key made of
everything that it depends on, so one that is found is right: the content of the input, what the executor names, and
all that the node's cache key holds beside its inputs, such as the code of user functions and the files that they read.
The process that runs a node under Headrace names that and the folder, which an executor finds as
`context.partial_results`; elsewhere nothing is kept and nothing found.

Results are pickles, and a store may be shared or come from somebody else: each is signed with a key of the user's own
(see `signatures`). One that does not verify, because it is damaged or was put there, counts as absent and is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from headrace.files import create_file, open_file, publish, signatures, whole_files

# Beyond this, what was not used for longest is removed.
MAX_FOLDER_BYTES = 1 << 30
# The number of the form of a kept file, a part of its key: what is kept in another form is not found.
FORMAT = 1
# Work that was not finished, beside the results: it is not small, nobody reads it but the same work, and only a collection
# of garbage takes it away (`headrace.store.garbage`).
CHECKPOINT = ".checkpoint"
# A file that is written for longer was left by a process that was killed.
_MAX_WRITING_SECONDS = 3600


@dataclass(frozen=True)
class PartialResults:
    """Where one execution keeps its results.

    Attributes:
        folder: The folder; nothing is kept where it is empty.
        maker: Stands for all that results depend on beside the inputs: code, parameters, files, libraries; empty where
            that is not known.
    """

    folder: str = ""
    maker: str = ""

    def path(self, content: str, *parts: str) -> str:
        """Return where a result is kept, or would be.

        Args:
            content: Of the input; see `artifacts.content_digest`.
            parts: What else tells this result from others of the node: its kind, the split, options.

        Returns:
            A path; empty where nothing is kept, where the content is not known, or where this user has no key.
        """
        signer = signatures.identity() if content and self.folder else ""
        if not signer:
            return ""
        # Users who share a store keep their own, as none can verify those of another.
        key = "\0".join([f"format {FORMAT}", signer, self.maker, content, *parts])
        name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        return os.path.join(self.folder, name)


def is_kept(path: str) -> bool:
    """Whether a result is kept at a path that `PartialResults.path` returned; it then stays for a while."""
    return read(path) is not None


def read(path: str) -> bytes | None:
    """Return a result that is kept, and `None` where none is; one that this user did not write is removed."""
    if not path:
        return None
    with contextlib.suppress(OSError):
        with open_file(path) as file:
            content = signatures.verified(file.read(), os.path.basename(path))
        if content is None:
            remove(path)
            return None
        # The time of last use: that of the last access is switched off on many systems.
        os.utime(path)
        return content
    return None


def load(path: str) -> Any:
    """Return the object that `dump` kept at a path; `None` where none is, or where it does not load any more."""
    content = read(path)
    if content is None:
        return None
    try:
        return pickle.loads(content)
    except Exception:
        # Of a version of a library whose classes have moved.
        remove(path)
        return None


def dump(path: str, result: Any) -> None:
    """Keep an object; see `write`."""
    if path:
        write(path, pickle.dumps(result))


def remove(path: str) -> None:
    """Take a result away, where that is allowed."""
    with contextlib.suppress(OSError):
        os.remove(path)


def write(path: str, content: bytes) -> None:
    """Keep a result; where the disk is full or the folder cannot be written, nothing is kept."""
    if not path:
        return
    folder = os.path.dirname(path)
    unfinished = whole_files.aside(path)
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        try:
            with create_file(unfinished) as file:
                file.write(signatures.sign(content, os.path.basename(path)))
                # A file with half of a result would fail every later execution.
                file.flush()
                os.fsync(file.fileno())
            publish(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                os.remove(unfinished)
        _make_room(folder)


@contextlib.contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """Open a file to write that takes the place of `path`, whole and on the disk, when the block ends.

    Raises:
        OSError: If the disk is full or the folder cannot be written.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    with whole_files.written(path) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    _make_room(folder)


def _make_room(folder: str) -> None:
    known = []
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if (
                whole_files.UNFINISHED in entry.name
                and time.time() - entry.stat().st_mtime > _MAX_WRITING_SECONDS
            ):
                os.remove(entry.path)
                continue
            if entry.name.endswith(CHECKPOINT):
                continue
            known.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
    total = sum(size for _, size, _ in known)
    for _, size, oldest in sorted(known):
        if total <= MAX_FOLDER_BYTES:
            break
        with contextlib.suppress(OSError):
            os.remove(oldest)
            total -= size
