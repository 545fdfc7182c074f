"""Read files of which each is an example: their bytes, what a kind of file makes of them, and columns of features."""

from __future__ import annotations

import abc
import collections
import logging
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from headrace import files
from headrace.errors import HeadraceError, listed
from headrace.files import addresses, archives, elsewhere, trees
from headrace.sources.feature_kinds import BYTES
from headrace.sources.labelled import folders
from headrace.sources.labelled.columns import Columns
from headrace.sources.labelled.group import Group
from headrace.sources.reading import Reader, group, shards_for
from headrace.sources.rows import Rows
from headrace.sources.source import Unreadable

_log = logging.getLogger(__name__)

# A small file costs as much as this many bytes more: it is opened, and decoded.
_FILE_BYTES = 8 << 10
_HEAD_BYTES = 64
_MAX_FILE_BYTES = 1 << 30
_AT_ONCE = 32
_MAX_SHOWN = 3
_MAX_LISTED = 10

FOUND = "files found"
OTHERS = "other files"
GONE_FIX = "put it there, or take its row out of the table"


class NotDecodedError(Exception):
    """A file's bytes cannot be an example; the text is the end of a sentence, without its full stop."""


@dataclass
class Decoded:
    """What became of a file.

    Attributes:
        values: Each feature's value or values.
        notes: What a person should know of it.
    """

    values: dict[str, Any]
    notes: list[str] = field(default_factory=list)


class LabelledReader(Reader):
    """Reads groups of files. A kind of file says what it makes of one.

    Args:
        with_label: Whether folders are classes, so that a file beside them cannot be read.
    """

    # How names of such files end, in lower case; and of those that are such files and are not read, with what to do.
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    NOT_READ: ClassVar[Mapping[str, str]] = {}
    # What an example is called, in messages.
    ITEM: ClassVar[str] = "file"

    def __init__(self, *, with_label: bool) -> None:
        self._with_label = with_label

    @property
    @abc.abstractmethod
    def features(self) -> dict[str, str]:
        """The features of each example beside path and label, and their kinds."""

    @abc.abstractmethod
    def kind_of(self, head: bytes) -> str:
        """Return what a file is by its first bytes; empty where it is nothing that is read."""

    @abc.abstractmethod
    def decode(self, data: bytes, name: str) -> Decoded:
        """Make an example of a file's bytes.

        Raises:
            NotDecodedError: If they cannot be one.
        """

    def plan(self, items: Sequence[Group], num_shards: int | None) -> tuple[int, list[list[Group]]]:
        """Divide the groups by their size and by the number of their files."""
        items = [item for item in items if item.num_files or item.num_others]
        sizes = [item.size_bytes + item.num_files * _FILE_BYTES for item in items]
        total = shards_for(sum(sizes), num_shards)
        return total, group(items, sizes, total)

    def remarks(self, items: Sequence[Group]) -> list[str]:
        """Say which classes have no file, or one, and which folders are taken for no classes."""
        counts: collections.Counter[str] = collections.Counter()
        for item in items:
            if item.label is not None:
                counts[item.label] += sum(name.lower().endswith(self.SUFFIXES) for name in item.split_names)
        found = []
        for number, said in ((0, f"no {self.ITEM}"), (1, f"one {self.ITEM} only")):
            names = [label for label, count in counts.items() if count == number]
            if names:
                shown = listed(names[:_MAX_LISTED]) + (
                    f" and {len(names) - _MAX_LISTED:,} more" if names[_MAX_LISTED:] else ""
                )
                found.append(
                    f"class {shown} has {said}"
                    if len(names) == 1
                    else f"{len(names):,} classes have {said}: {shown}"
                )
        return [*found, *folders.remarks(items)]

    def read(self, pieces: Sequence[Group], learned: Sequence[None]) -> Iterator[Rows | Unreadable]:
        """Yield the examples of some groups, and the files that cannot be read."""
        columns = Columns(self._kinds(pieces))
        shown: collections.Counter[str] = collections.Counter()
        for piece in pieces:
            values = piece.values
            columns.note(FOUND, piece.num_files + piece.num_others)
            if piece.num_others:
                columns.note(OTHERS, piece.num_others)
            for at, (name, data) in enumerate(self._contents(piece)):
                path = piece.prefix + name
                found = self._example(piece, at, name, data)
                if found is None:
                    columns.note(OTHERS)
                elif isinstance(found, Unreadable):
                    yield found
                else:
                    for note in found.notes:
                        columns.note(note)
                        shown[note] += 1
                        if shown[note] <= _MAX_SHOWN:
                            _log.info("%s: %s", _shown(piece, name), note)
                    row = {"path": os.fsencode(path), "label": piece.label, **found.values}
                    row.update({column: value[at] for column, value in values.items()})
                    columns.add(row)
                if columns.is_full:
                    yield columns.taken()
        yield columns.taken()

    def _kinds(self, pieces: Sequence[Group]) -> dict[str, str]:
        kinds = {**self.features, "path": BYTES}
        if self._with_label:
            kinds["label"] = BYTES
        for piece in pieces[:1]:
            kinds.update(dict(piece.kinds))
        return kinds

    def _contents(self, piece: Group) -> Iterator[tuple[str, bytes | Exception | None]]:
        """Yield each file's name and bytes; the error where it cannot be read, `None` for one that nobody means."""
        names = piece.split_names
        if piece.in_archive:
            with trees.open_archive(piece.place) as archive:
                for name in names:
                    yield name, self._member(archive, piece, name)
        elif addresses.is_elsewhere(piece.place):
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                yield from zip(some, elsewhere.at_once(lambda name: self._content(piece, name), some))
        else:
            for name in names:
                yield name, self._content(piece, name)

    def _member(self, archive: zipfile.ZipFile, piece: Group, name: str) -> bytes | Exception | None:
        try:
            with archives.opened(archive, piece.inner + name) as file:
                return self._wanted(piece, name, file)
        except OSError as error:
            return error

    def _content(self, piece: Group, name: str) -> bytes | Exception | None:
        try:
            with files.open_file(os.path.join(piece.place, name), 0) as file:
                return self._wanted(piece, name, file)
        except (OSError, HeadraceError) as error:
            return error

    def _wanted(self, piece: Group, name: str, file: Any) -> bytes | None:
        """Read a file; one whose name says nothing is read where its first bytes do."""
        if piece.table or name.lower().endswith((*self.SUFFIXES, *self.NOT_READ)):
            return _read(file, _MAX_FILE_BYTES + 1)
        head = _read(file, _HEAD_BYTES)
        if not self.kind_of(head):
            return None
        return head + _read(file, _MAX_FILE_BYTES + 1 - len(head))

    def _example(
        self, piece: Group, at: int, name: str, data: bytes | Exception | None
    ) -> Decoded | Unreadable | None:
        """Make an example of a file; `None` of one that is none, `Unreadable` of one that should be."""
        if data is None:
            return None
        shown = _shown(piece, name)
        place = f"row {piece.first_row + at} of {piece.table}" if piece.table else ""
        if isinstance(data, Exception):
            return Unreadable(shown, _reason(data), place, GONE_FIX if piece.table else "")
        if self._with_label and piece.label is None and not piece.table:
            return Unreadable(
                shown,
                "lies beside the folders of the classes, so it has no label",
                fix="move it into the folder of its class",
            )
        try:
            kind = self.kind_of(data[:_HEAD_BYTES])
            if not kind:
                raise NotDecodedError(self._what_it_is(data, name))
            if len(data) > _MAX_FILE_BYTES:
                raise NotDecodedError(f"is larger than {_MAX_FILE_BYTES >> 30} GiB")
            return self.decode(data, name)
        except NotDecodedError as error:
            return Unreadable(shown, str(error), place, f"correct the {self.ITEM}, or take it out")

    def _what_it_is(self, data: bytes, name: str) -> str:
        """Say why a file is none that is read, as far as that shows."""
        if not data:
            return "is empty"
        suffix = os.path.splitext(name.lower())[1]
        if suffix in self.NOT_READ:
            return f"is no {self.ITEM} that is read: {self.NOT_READ[suffix]}"
        head = data[:200].lstrip().lower()
        if head.startswith(b"version https://git-lfs"):
            return f"is no {self.ITEM}: it is the pointer that Git LFS leaves; run git lfs pull"
        if head.startswith((b"<!doctype html", b"<html")):
            return f"is no {self.ITEM}: it is a page of the web"
        is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in data[:200])
        return (
            f"is no {self.ITEM}: it holds text"
            if is_text
            else f"is no {self.ITEM}: it begins with {data[:8].hex(' ')}"
        )


def _read(file: Any, limit: int) -> bytes:
    """Read up to so many bytes: a file that is not buffered may give fewer at a time."""
    parts = []
    while limit > 0 and (part := file.read(min(limit, 16 << 20))):
        parts.append(part)
        limit -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _reason(error: Exception) -> str:
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error).splitlines()[0]
    if isinstance(error, FileNotFoundError):
        return "is not there"
    return f"cannot be read: {text.rstrip('.')}"


def _shown(piece: Group, name: str) -> str:
    """A file's path for a message, which is UTF-8 whatever the name's bytes are."""
    path = f"{piece.place}/{piece.inner}{name}" if piece.in_archive else os.path.join(piece.place, name)
    return os.fsencode(path).decode("utf-8", "replace")
