"""Folders of many small files: listed in one pass, and known by one digest a group instead of one a file.

To hash a hundred thousand files takes seconds, and to remember a digest of each as much. So the files of a folder are
looked at in groups: a group's look is made of all that a stat tells of its files, and while it stays, so does the
digest of their names and bytes that `headrace.files.digest_memory` keeps for it.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import os
import stat
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from headrace.errors import MalformedFileError, MissingFileError
from headrace.files import digest_memory, elsewhere, marks, storage
from headrace.files.addresses import here, is_elsewhere
from headrace.files.payloads import MAX_VISITS

_CHUNK_BYTES = 4 << 20
_LINE = "{} {} {} {} {} {}\n"


class FileLook(NamedTuple):
    """What is known of a file without reading it.

    Attributes:
        name: Its name.
        size: Its size in bytes; 0 where nobody knows.
        text: What changes where its content does; empty where nothing tells.
        changed_ns: When it changed last, in nanoseconds since 1970; 0 where that is known by `text`.
    """

    name: str
    size: int
    text: str
    changed_ns: int = 0


@dataclass(frozen=True)
class Listing:
    """The files of one folder.

    Attributes:
        prefix: The folder's path below the one that is listed, with `/` at its end; empty for that one.
        looks: Its files, sorted by name.
    """

    prefix: str
    looks: list[FileLook]


def listings(folder: str) -> Iterator[Listing]:
    """Yield each folder below one and that one itself, sorted: a folder before its subfolders.

    Linked folders are followed, but not into a folder that they lie in; see `headrace.files.payloads.walk`. A link that
    leads nowhere counts as a file. Elsewhere an empty folder is not seen.

    Raises:
        MissingFileError: If a folder cannot be listed.
        UnreachableError: If an address cannot be reached.
    """
    if is_elsewhere(folder):
        yield from _listings_elsewhere(folder)
        return
    top = here(folder)
    yield from _below(top, "", frozenset({os.path.realpath(top)}), collections.Counter())


def _listings_elsewhere(folder: str) -> Iterator[Listing]:
    by_prefix: dict[str, list[FileLook]] = {}
    for path, info in elsewhere.walk(folder).items():
        head, slash, name = path.rpartition("/")
        look = FileLook(name, int(info["size"] or 0), ":".join(filter(None, marks.mark(info))))
        by_prefix.setdefault(head + slash, []).append(look)
    for prefix in sorted(by_prefix):
        yield Listing(prefix, by_prefix[prefix])


def _below(
    folder: str, prefix: str, above: frozenset[str], visits: collections.Counter[str]
) -> Iterator[Listing]:
    looks, subfolders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    subfolders.append(entry.name)
                else:
                    looks.append(_look(entry.name, entry))
    except OSError as error:
        raise MissingFileError(
            f"'{folder}' cannot be listed: {error.strerror or error}.",
            "let the user who runs this read it, or take it out of the input.",
        ) from error
    yield Listing(prefix, sorted(looks, key=lambda look: look.name))
    for name in sorted(subfolders):
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        if real not in above and visits[real] < MAX_VISITS:
            visits[real] += 1
            yield from _below(path, f"{prefix}{name}/", above | {real}, visits)


def _look(name: str, entry: os.DirEntry[str]) -> FileLook:
    try:
        return _look_of(name, entry.stat())
    except OSError:
        # A link that leads nowhere: whoever reads it says so.
        return FileLook(name, 0, "broken link")


def _look_of(name: str, info: os.stat_result) -> FileLook:
    text = _LINE.format(
        info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev, stat.S_IFMT(info.st_mode)
    )
    return FileLook(name, info.st_size, text, max(info.st_mtime_ns, info.st_ctime_ns))


def looks_at(folder: str, names: Sequence[str]) -> list[FileLook | None]:
    """Return what is known of some files by their paths below a folder, in order; `None` of one that is not there.

    Raises:
        UnreachableError: If an address cannot be reached.
    """
    if is_elsewhere(folder):
        found = elsewhere.walk(folder)
        return [
            FileLook(name, int(found[name]["size"] or 0), ":".join(filter(None, marks.mark(found[name]))))
            if name in found
            else None
            for name in names
        ]
    looks: list[FileLook | None] = []
    for name in names:
        try:
            looks.append(_look_of(name, os.stat(os.path.join(here(folder), name))))
        except (OSError, ValueError):
            looks.append(None)
    return looks


def look_of_all(looks: Sequence[FileLook]) -> str:
    """Return one text that changes where a name or a look of some files does; empty where that of one is not known."""
    if not all(look.text for look in looks):
        return ""
    digest = hashlib.sha256()
    for look in looks:
        digest.update(os.fsencode(look.name) + b"\0" + look.text.encode() + b"\0")
    return digest.hexdigest()


def digest_of(folder: str, names: Sequence[str], look: str, changed_ns: int) -> str:
    """Return a digest of names and bytes of files of this machine, in order; that which is remembered, where it is.

    A file that cannot be read counts by its name: whoever reads it says so.

    Args:
        folder: The folder that the names start at.
        names: The names, at least one.
        look: What `look_of_all` says of them now.
        changed_ns: When the last of them changed.
    """
    # Names may hold bytes that are no text, which the memory's table and signatures do not take.
    where = os.fsencode(f"{os.path.abspath(here(folder))}//{names[0]}//{len(names)}")
    key = f"group {hashlib.sha256(where).hexdigest()}"
    known = digest_memory.recall_look(key, look)
    if known:
        return known
    started_ns = time.time_ns()
    digest = hashlib.sha256()
    seen: list[FileLook] = []
    for name in names:
        digest.update(os.fsencode(name) + b"\0")
        found = _hash_into(digest, os.path.join(here(folder), name), name)
        seen.append(found)
    text = digest.hexdigest()
    if look_of_all(seen) == look:
        digest_memory.remember_look(key, look, started_ns - changed_ns, text)
    return text


def _hash_into(digest: Any, path: str, name: str) -> FileLook:
    """Add the length and the bytes of a file to a digest; return its look as it is opened."""
    try:
        # A pipe is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        digest.update(b"unreadable\0")
        return FileLook(name, 0, "broken link" if not os.path.exists(path) else "")
    try:
        info = os.fstat(descriptor)
        digest.update(b"%d\0" % info.st_size)
        while stat.S_ISREG(info.st_mode) and (chunk := os.read(descriptor, _CHUNK_BYTES)):
            digest.update(chunk)
            if len(chunk) < _CHUNK_BYTES:
                break
        return _look_of(name, info)
    except OSError:
        digest.update(b"unreadable\0")
        return FileLook(name, 0, "")
    finally:
        os.close(descriptor)


def is_archive(path: str) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    with storage.open_file(path) as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextlib.contextmanager
def open_archive(path: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive, of this machine or elsewhere, to read it inside the context.

    Raises:
        MalformedFileError: If it is damaged.
    """
    with storage.open_file(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise MalformedFileError(
                f"'{path}' is no zip archive that can be read: {error}.", "copy it again, or unpack it."
            ) from error
        with archive:
            yield archive


def listings_in_archive(path: str) -> Iterator[Listing]:
    """Yield each folder in a zip archive, as `listings` does; also those that hold subfolders alone.

    Raises:
        MalformedFileError: If it is damaged.
    """
    by_prefix: dict[str, list[FileLook]] = {}
    with open_archive(path) as archive:
        for info in archive.infolist():
            head, slash, name = info.filename.rpartition("/")
            looks = by_prefix.setdefault(head + slash, [])
            if name:
                looks.append(FileLook(name, info.file_size, f"{info.CRC:08x}"))
    for prefix in sorted(by_prefix):
        yield Listing(prefix, sorted(by_prefix[prefix], key=lambda look: look.name))
