"""Files as contents: their digests, what an artifact held when it was written, and whether it still does.

A digest is known by stat where the file was hashed before; see `headrace.files.digest_memory`. Beside an artifact's
digest stands, as a custom property, what its files looked like::

    {"format": 1, "files": {"Split-train/data.gz": [1234, 1764517097000000000], ...}}

the size and the time of the last change in nanoseconds of each file. Where there are more than `MAX_NAMED` files,
`"num_files"` and `"bytes"` stand for them.
"""

from __future__ import annotations

import collections
import concurrent.futures
import hashlib
import json
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.files import digest_memory

MAX_NAMED = 2000
MAX_VISITS = 64
GONE = "it is gone"
_UNREADABLE = "what was recorded of its files cannot be read"
# Their files change at each look, wait for ever, or have no end.
KERNEL_FOLDERS = ("/proc/", "/sys/", "/dev/")
_FORMAT = 1
_CHUNK_BYTES = 4 << 20
_UNKNOWN_PREFIX = "unknown-"


@dataclass(frozen=True)
class Payload:
    """What was written: one digest of it all, and the text that `damage` compares files with."""

    digest: str
    files: str


def file_digest(path: str) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    info, started_ns = os.stat(path), time.time_ns()
    known = digest_memory.recall(path, info)
    if known:
        return known
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    text = digest.hexdigest()
    digest_memory.remember(path, info, started_ns, text)
    return text


def is_kept(path: str) -> bool:
    """Whether a path can be that of contents: what the kernel shows of itself changes at each look."""
    return not f"{os.path.abspath(path)}/".startswith(KERNEL_FOLDERS)


def readable_digest(path: str) -> str:
    """Return a file's digest, or one word for a file that this user may not read."""
    try:
        return file_digest(path)
    except OSError:
        return "unreadable"


def file_digests(paths: Sequence[str], read: Callable[[str], str] = file_digest) -> list[str]:
    """Return the digest of each file, in order; several are read at once."""
    if len(paths) < 2:
        return [read(path) for path in paths]
    # Hashing lets go of the interpreter's lock.
    threads = concurrent.futures.ThreadPoolExecutor(
        min(len(paths), os.cpu_count() or 1),
        initializer=digest_memory.distrust_as,
        initargs=(digest_memory.is_distrusted(),),
    )
    with digest_memory.together(), threads as pool:
        return list(pool.map(read, paths))


def walk(path: str, is_apart: Callable[[str], bool] | None = None) -> Iterator[tuple[str, str]]:
    """Yield each file below a folder as its relative name and its path: a folder's files before its subfolders.

    Linked folders are followed, but not into a folder that they lie in, and none more than `MAX_VISITS` times: the
    ways through folders that are full of links to each other are without number. Subfolders that are `is_apart` are
    left out.
    """
    yield from _walk(path, "", frozenset({os.path.realpath(path)}), is_apart, collections.Counter())


def _walk(
    folder: str,
    prefix: str,
    above: frozenset[str],
    is_apart: Callable[[str], bool] | None,
    visits: collections.Counter[str],
) -> Iterator[tuple[str, str]]:
    subfolders = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not os.path.isdir(path):
            yield os.path.join(prefix, name), path
        elif is_apart is None or not is_apart(path):
            subfolders.append((name, path))
    for name, path in subfolders:
        real = os.path.realpath(path)
        if real not in above and visits[real] < MAX_VISITS:
            visits[real] += 1
            yield from _walk(path, os.path.join(prefix, name), above | {real}, is_apart, visits)


def tree_digest(path: str) -> str:
    """Return one digest for a file, or for a folder's relative file names and their bytes.

    Neither time stamps nor the place of the folder count. What has no content on this machine, such as a missing
    path or an address with a scheme, has a digest that equals no other, not even its own of another call:
    `is_unknown` tells.
    """
    if os.path.isfile(path):
        return file_digest(path)
    if not os.path.isdir(path):
        return unknown_digest()
    found = list(walk(path))
    readable = [full for _, full in found if os.path.isfile(full)]
    digests = dict(zip(readable, file_digests(readable)))
    digest = hashlib.sha256()
    for name, full in found:
        digest.update(os.fsencode(name))
        digest.update(b"\0")
        digest.update(bytes.fromhex(digests[full]) if full in digests else _unreadable(full))
    return digest.hexdigest()


def _unreadable(path: str) -> bytes:
    """What stands for a broken link, or for a pipe or socket, which nobody can read to its end."""
    info = os.lstat(path)
    return os.fsencode(os.readlink(path)) if stat.S_ISLNK(info.st_mode) else str(info.st_mode).encode()


def unknown_digest() -> str:
    """Return the digest of a content that cannot be read: different at each call."""
    return f"{_UNKNOWN_PREFIX}{uuid.uuid4().hex}"


def is_unknown(digest: str) -> bool:
    """Whether a digest, or one in the lines of a fingerprint, stands for a content that could not be read."""
    return any(line.rpartition(",")[2].startswith(_UNKNOWN_PREFIX) for line in digest.splitlines())


def describe(path: str) -> Payload:
    """Return the digest of what was just written to `path`, and the text to record beside it."""
    files = _look(path)
    record: dict[str, Any] = {"format": _FORMAT}
    if len(files) <= MAX_NAMED:
        record["files"] = files
    else:
        record["num_files"] = len(files)
        record["bytes"] = sum(size for size, _ in files.values())
    return Payload(tree_digest(path), json.dumps(record, sort_keys=True))


def _look(path: str) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of each file, by its name; a file's own is empty."""
    files = [("", path)] if os.path.isfile(path) else list(walk(path))
    looks = {}
    for name, full in files:
        info = os.stat(full) if os.path.exists(full) else os.lstat(full)
        looks[name] = (info.st_size, info.st_mtime_ns)
    return looks


def damage(path: str, files: str, digest: str) -> str:
    """Return how what lies at `path` differs from what was written there; empty where it does not.

    Sizes are compared, a stat a file. Where a file is as large as it was and younger, its content is.

    Args:
        path: The artifact's file or folder.
        files: The text that `describe` made; empty for an artifact that has none, of which nothing is known.
        digest: The digest that `describe` made.
    """
    if not files:
        return ""
    record = _parsed(files)
    if record is None:
        return _UNREADABLE
    if record.get("format") != _FORMAT:
        return ""
    if not os.path.exists(path):
        return GONE
    found = _look(path)
    if "files" not in record:
        total = sum(size for size, _ in found.values())
        if len(found) != record["num_files"] or total != record["bytes"]:
            return (
                f"it holds {len(found):,} files of {total:,} bytes in all, "
                f"was {record['num_files']:,} of {record['bytes']:,}"
            )
        return ""
    expected: dict[str, list[int]] = record["files"]
    problems = [*_differences(path, expected, found)]
    if not problems:
        touched = [name for name, (_, changed) in found.items() if changed != expected[name][1]]
        if touched and digest and tree_digest(path) != digest:
            problems = [f"{_shown(path, name)} was edited" for name in touched]
    if len(problems) > 1:
        return f"{problems[0]}, and {len(problems) - 1} more"
    return "".join(problems)


def _parsed(files: str) -> dict[str, Any] | None:
    """What `describe` recorded, or a newer form of it; `None` for what is neither, as a store from elsewhere may hold."""
    try:
        record = json.loads(files)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        return record if isinstance(record, dict) else None
    if "files" not in record:
        return record if all(isinstance(record.get(name), int) for name in ("num_files", "bytes")) else None
    looks = record["files"].values() if isinstance(record["files"], dict) else [None]
    is_known = all(isinstance(look, list) and list(map(type, look)) == [int, int] for look in looks)
    return record if is_known else None


def _differences(
    path: str, expected: dict[str, list[int]], found: dict[str, tuple[int, int]]
) -> Iterator[str]:
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield f"{_shown(path, name)} is gone"
        elif name not in expected:
            yield f"{_shown(path, name)} was added"
        elif found[name][0] != expected[name][0]:
            yield f"{_shown(path, name)} is {found[name][0]:,} bytes, was {expected[name][0]:,}"


def _shown(path: str, name: str) -> str:
    return name or os.path.basename(path)


def content_damage(path: str, files: str, digest: str) -> str:
    """Return what `damage` returns, after reading every file: what changed without a trace is found too."""
    found = damage(path, files, digest)
    if found or not digest:
        return found
    if "://" not in path and not os.path.exists(path):
        return GONE
    if "://" in path or is_unknown(digest):
        return ""
    with digest_memory.distrusted():
        return "" if tree_digest(path) == digest else "its content changed, though no size did"
