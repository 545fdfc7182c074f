"""Files that are examples, as a source: found with their classes, known by their content. Light."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import ClassVar

from headrace.errors import DefinitionError, MissingFileError, listed
from headrace.files import addresses, digest_memory, marks, payloads
from headrace.sources import spans
from headrace.sources.file_source import FileSource
from headrace.sources.labelled import folders, group
from headrace.sources.labelled.group import Group
from headrace.sources.source import InputSplit, Request, Survey

FOLDER = "folder"


class LabelledFileSource(FileSource):
    """Files below `input_base`, each an example; an item is a `Group` of them. A kind of file adds its `reader`.

    Args:
        label: `"folder"`, a column of the table, or `None` for no label.
        table: A table of paths and labels, below `input_base` or with a path or address of its own.
        path_column: The table's column of paths.
    """

    # What an example is made of, in the plural, as messages call it.
    KIND: ClassVar[str] = "files"
    # How the names of such files end.
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    # Features that a table's columns cannot be called.
    FEATURES: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, label: str | None = FOLDER, table: str | None = None, path_column: str = "path"
    ) -> None:
        self._label = label
        self._table = table
        self._path_column = path_column

    def survey(self, request: Request) -> Survey:
        """Decide span and version, and find the files and their classes.

        Raises:
            DefinitionError: If patterns and range do not go together, or columns of the table and features do not.
            MissingFileError: If there is no file, no table, or a folder cannot be listed.
            MalformedFileError: If an archive or the table is damaged.
            DataError: If the splits' latest spans or versions differ, or no folder can be a class.
            UnreachableError: If an address cannot be reached.
        """
        if self._table is not None and (len(request.splits) > 1 or request.splits[0].pattern != "*"):
            raise DefinitionError(
                f"table is '{self._table}', and input_config has patterns of files: the table names the files.",
                "leave one of them out.",
            )
        resolved = spans.resolve(request.place, request.splits, request.range_config)
        found = tuple(
            InputSplit(split.name, pattern, tuple(self._groups(request.place, pattern)))
            for split, pattern in zip(request.splits, resolved.patterns)
        )
        return Survey(request.place, found, resolved.span, resolved.version)

    def _groups(self, place: str, pattern: str) -> list[Group]:
        if self._table is not None:
            from headrace.sources.labelled import tables

            return tables.groups(
                place, self._table, self._path_column, self._label_column, (*self.FEATURES, "path")
            )
        found = folders.groups(
            folders.roots(place, pattern),
            with_label=self._label == FOLDER,
            input_base=place,
            suffixes=self.SUFFIXES,
        )
        if not any(one.num_files for one in found):
            raise MissingFileError(
                f"there are no files below what matches '{pattern}' in '{place}'.",
                "put files there, or correct input_base or the pattern of the split in input_config.",
            )
        return found

    @property
    def _label_column(self) -> str | None:
        """The table's column that becomes the label; by default the one of that name, where there is one."""
        return self._label if self._label != FOLDER else ""

    def fingerprint(self, survey: Survey) -> str:
        """A line for each split, with a digest of its files' paths, classes and content."""
        with digest_memory.together():
            return "\n".join(self._line(split) for split in survey.splits)

    def _line(self, split: InputSplit) -> str:
        items: Sequence[Group] = split.items
        head = f"split:{split.name},num_files:{sum(one.num_files for one in items)}"
        head += f",total_bytes:{sum(one.size_bytes for one in items)}"
        archives = sorted({one.place for one in items if one.in_archive})
        others = [one for one in items if not one.in_archive and one.num_files]
        known = [
            marks.content(path) if addresses.is_elsewhere(path) else payloads.file_digest(path)
            for path in archives
        ]
        if any(addresses.is_elsewhere(one.place) for one in others):
            if not all(one.look for one in others):
                return f"{head},{payloads.unknown_digest()}"
            known += [f"{one.prefix} {one.label!r} {one.columns} {one.look}" for one in others]
        elif others:
            known.append(group.digest(others))
        unknown = next((text for text in known if payloads.is_unknown(text)), "")
        return f"{head},{unknown or f'sha256:{_digest_of(known)}'}"

    def no_rows(self, splits: Sequence[InputSplit], place: str = "") -> str:
        """Name the patterns."""
        below = f" in '{place}'" if place else ""
        return f"there are no {self.KIND} in what matches {listed(split.pattern for split in splits)}{below}"


def _digest_of(texts: Sequence[str]) -> str:
    return hashlib.sha256(b"\n".join(os.fsencode(text) for text in texts)).hexdigest()
