"""Files as a source: found by patterns with spans and versions, known by their content. Light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headrace.errors import DefinitionError, listed
from headrace.files import addresses
from headrace.sources import input_files, spans
from headrace.sources.source import InputSplit, Request, Source, Survey

if TYPE_CHECKING:
    from headrace.sources.reading import Reader


class FileSource(Source):
    """Files below `input_base`, or that file alone; an item is a path. A format adds its `reader`.

    To look at files none is needed, so a driver can do without knowing the format.
    """

    ITEMS = "files"

    def survey(self, request: Request) -> Survey:
        """Decide span and version, and find the files.

        A file as the place is its folder with a pattern that names it: so it is recorded, and read by TFX's executors.

        Raises:
            DefinitionError: If patterns and range do not go together, or no place is given.
            MissingFileError: If a split has no file.
            DataError: If the splits' latest spans or versions differ.
            UnreachableError: If an address cannot be reached.
        """
        request = input_files.in_folder(request)
        resolved = spans.resolve(request.place, request.splits, request.range_config)
        found = tuple(
            InputSplit(split.name, pattern, tuple(self.find(request.place, pattern)))
            for split, pattern in zip(request.splits, resolved.patterns)
        )
        return Survey(request.place, found, resolved.span, resolved.version)

    def find(self, place: str, pattern: str) -> list[str]:
        """Return the files of a split.

        Raises:
            MissingFileError: If there is none.
        """
        return input_files.find(place, pattern)

    def fingerprint(self, survey: Survey) -> str:
        """A line for each split, with a digest of its files' content."""
        return "\n".join(input_files.fingerprint(split.name, list(split.items)) for split in survey.splits)

    def watched(self, survey: Survey) -> str:
        """Files elsewhere: others write there."""
        return f"the files in '{survey.place}'" if addresses.is_elsewhere(survey.place) else ""

    def no_rows(self, splits: Sequence[InputSplit], place: str = "") -> str:
        """Name the patterns."""
        below = f" in '{place}'" if place else ""
        return f"the files that match {listed(split.pattern for split in splits)}{below} hold no rows"

    def reader(self, payload_format: int) -> Reader:
        """Not possible: a format says how.

        Raises:
            DefinitionError: Always.
        """
        raise DefinitionError(f"{type(self).__name__} says nothing of how its files are read.")
