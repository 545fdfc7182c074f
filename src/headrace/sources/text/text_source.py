"""Texts as a source: found, and told apart by how they lie there. Light."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace import files
from headrace.errors import DefinitionError, listed
from headrace.sources import input_files
from headrace.sources.file_source import FileSource
from headrace.sources.source import InputSplit, Request, Survey

if TYPE_CHECKING:
    from headrace.sources.reading import Reader

FOLDER, LINES, JSONL = "folder", "lines", "jsonl"
FORMS = (FOLDER, LINES, JSONL)
_ALL, _CLASSES = "*", "*/*"
_JSON_ENDINGS = (".jsonl", ".ndjson")
_SPLITS = {"train", "test", "eval", "val", "valid", "validation", "dev"}


@dataclass(frozen=True)
class TextItem:
    """A file of texts.

    Attributes:
        path: The file.
        base: The folder that its name is relative to.
        form: One of `FORMS`.
    """

    path: str
    base: str
    form: str

    @property
    def name(self) -> str:
        """The path relative to the base; the path itself where the base is a pattern."""
        return self.path[len(self.base) :].lstrip("/") if self.path.startswith(self.base) else self.path

    @property
    def label(self) -> str:
        """The name of the file's folder."""
        return os.path.basename(os.path.dirname(self.path))


class TextSource(FileSource):
    """Files of texts. Takes the options of `headrace.components.TextExampleGen` as keyword arguments.

    An item is a `TextItem`.
    """

    def __init__(self, form: str = "", **options: Any) -> None:
        self._form = form
        self._options = options

    def survey(self, request: Request) -> Survey:
        """Find the files, and tell the form of those whose form is not given.

        Raises:
            DefinitionError: If the form cannot be told, or splits lie in folders.
            MissingFileError: If a split has no file.
        """
        is_whole = [split.pattern for split in request.splits] == [_ALL]
        if is_whole and self._is_of_classes(request.place):
            split = type(request.splits[0])()
            split.CopyFrom(request.splits[0])
            split.pattern = _CLASSES
            _check_no_deeper(request.place)
            request = Request(request.place, [split], request.range_config)
        found = super().survey(request)
        splits = tuple(
            InputSplit(split.name, split.pattern, self._items(found.place, split)) for split in found.splits
        )
        forms = sorted({item.form for split in splits for item in split.items})
        if len(forms) > 1:
            raise DefinitionError(
                f"the files are of the forms {listed(forms)}, which make different features.",
                "give form=..., or patterns that match files of one form.",
            )
        return Survey(found.place, splits, found.span, found.version)

    def _is_of_classes(self, place: str) -> bool:
        """Whether all of a folder means: a folder for each class, and a file for each text."""
        if self._form:
            return self._form == FOLDER and self._options.get("label") != "none"
        base = input_files.base_pattern(place)
        return (
            bool(place)
            and files.is_folder(place)
            and not files.matching_files(os.path.join(base, _ALL))
            and bool(files.matching_files(os.path.join(base, _CLASSES)))
        )

    def _items(self, place: str, split: InputSplit) -> tuple[TextItem, ...]:
        return tuple(
            TextItem(path, place, self._form or _form_of(path, split.pattern)) for path in split.items
        )

    def fingerprint(self, survey: Survey) -> str:
        """A line for each split, with a digest of its files' content."""
        return "\n".join(
            input_files.fingerprint(split.name, [item.path for item in split.items])
            for split in survey.splits
        )

    def reader(self, payload_format: int) -> Reader:
        """Return the reader of texts."""
        from headrace.sources.text.text_reader import TextReader

        return TextReader(payload_format, **self._options)


def _form_of(path: str, pattern: str) -> str:
    name = path
    for ending in (".gz", ".zst", ".zstd"):
        name = name.removesuffix(ending)
    if name.endswith(_JSON_ENDINGS):
        return JSONL
    above = pattern.rpartition("/")[0].rpartition("/")[2]
    return FOLDER if glob.has_magic(above) else LINES


def _check_no_deeper(place: str) -> None:
    """Refuse folders of splits in the place of classes: `train` would be a class.

    Raises:
        DefinitionError: If folders of classes hold folders.
    """
    base = input_files.base_pattern(place)
    deeper = files.matching_files(os.path.join(base, "*/*/*"))
    if not deeper:
        return
    tops = sorted({path.split("/")[-3] for path in deeper})
    named = [name for name in tops if name.lower() in _SPLITS] or tops[:2]
    splits = ", ".join(f'{{"name": "{name}", "pattern": "{name}/*/*"}}' for name in named)
    raise DefinitionError(
        f"'{place}' holds folders in folders, such as '{os.path.relpath(deeper[0], place)}': which of them are the classes "
        "cannot be told.",
        f'say which files belong to which split: input_config={{"splits": [{splits}]}}; the label is the name of the folder '
        "that holds the file.",
    )
