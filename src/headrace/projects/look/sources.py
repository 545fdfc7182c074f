"""What a person gave as data: a file, a folder of files, of pictures or of texts, or a database."""

from __future__ import annotations

import contextlib
import fnmatch
import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, cast

from headrace.errors import DataError, EmptyDataError, MissingFileError, did_you_mean, listed
from headrace.files import (
    addresses,
    archives,
    exists,
    is_file,
    is_folder,
    names_in,
    open_file,
    size,
    sizes_of,
    trees,
)
from headrace.projects.look.csv_files import CsvForm, read_form
from headrace.projects.look.databases import Database, parse_address

Kind = Literal["csv", "parquet", "json", "images", "texts", "database"]

# Of a folder no more names are looked at.
_MOST_NAMES = 200_000
_ENDINGS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".png": "images",
    ".jpg": "images",
    ".jpeg": "images",
    ".gif": "images",
    ".bmp": "images",
    ".webp": "images",
    ".tif": "images",
    ".tiff": "images",
    ".txt": "texts",
}
# The split of a project that a folder of such a name is.
SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training", "train_set"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "valid"),
    **dict.fromkeys(("test", "testing", "test_set", "eval", "evaluation", "holdout"), "eval"),
}
_SHOWN = {
    "csv": "a CSV file",
    "parquet": "a Parquet file",
    "json": "a file of JSON",
    "images": "a folder of pictures",
    "texts": "a folder of texts",
    "database": "a database",
}


@dataclass(frozen=True)
class Source:
    """Where the data are.

    Attributes:
        kind: What they are.
        given: What the person gave.
        folder: The folder that holds them; empty for a database.
        files: Their names in it, sorted; of pictures and texts with the folder of each before.
        size_bytes: Of all files.
        form: How the first CSV file is written.
        database: Address and query.
        left_out: Files in the folder of another kind, which are not read.
        empty_folders: Folders of pictures or texts in which there is none.
        splits: The split, `train`, `valid` or `eval`, for each folder above those of the labels; empty where there are
            none, and rows are divided anew.
        archive: The zip archive that holds the files of pictures or texts, in `inside` of it; empty for a folder.
        inside: The folder in the archive that `files` are named from, with `/` at its end.
    """

    kind: Kind
    given: str
    folder: str = ""
    files: tuple[str, ...] = ()
    size_bytes: int = 0
    form: CsvForm | None = None
    database: Database | None = None
    left_out: tuple[str, ...] = ()
    empty_folders: tuple[str, ...] = ()
    splits: Mapping[str, str] = field(default_factory=dict)
    archive: str = ""
    inside: str = ""

    @contextlib.contextmanager
    def opener(self) -> Iterator[Callable[[str], AbstractContextManager[BinaryIO]]]:
        """Give what opens the files by their names."""
        if not self.archive:
            yield lambda name: open_file(_joined(self.folder, name))
            return
        with trees.open_archive(self.archive) as archive:
            yield lambda name: cast(
                "AbstractContextManager[BinaryIO]", archives.opened(archive, self.inside + name)
            )

    @property
    def is_single(self) -> bool:
        """Whether one file was given, rather than a folder."""
        return self.kind in ("csv", "parquet", "json") and is_file(self.given)

    def label_of(self, name: str) -> str:
        """Return the folder that is the label of a picture or text."""
        return name.split("/")[1 if self.splits else 0]

    @property
    def first(self) -> str:
        """Path of the first file."""
        return self.given if self.is_single else _joined(self.folder, self.files[0])

    @property
    def pattern(self) -> str:
        """The pattern of the files in a folder between which others lie, which are not to be read; else empty.

        Raises:
            DataError: If no pattern tells them apart.
        """
        others = [name for name in self.left_out if "/" not in name]
        if self.kind in ("images", "texts") or not others:
            return ""
        ending = os.path.splitext(re.sub(r"\.(gz|gzip)$", "", self.files[0], flags=re.IGNORECASE))[1]
        for pattern in (f"*{ending}", f"*{ending}.gz", f"*{ending}*"):
            is_apart = not any(fnmatch.fnmatchcase(name, pattern) for name in others)
            if is_apart and all(fnmatch.fnmatchcase(name, pattern) for name in self.files):
                return pattern
        raise DataError(
            f"in {self.given} other files lie between those of the table, such as {listed(others[:3])}.",
            "give a folder that holds the files of the table alone.",
        )

    @property
    def text(self) -> str:
        """What it is, for a sentence."""
        if self.archive:
            return f"a zip archive of {'pictures' if self.kind == 'images' else 'texts'}"
        what = _SHOWN[self.kind]
        if self.kind in ("images", "texts") or self.is_single or self.database:
            return what
        return f"a folder of {len(self.files):,} {what.split(' ', 1)[1]}s"


def find_source(given: str, query: str | None = None) -> Source:
    """Find out what was given as data.

    Args:
        given: A path, an address of files, or the address of a database, with its query after a `?` perhaps.
        query: The query on a database, where it is not in the address.

    Raises:
        MissingFileError: If there is nothing.
        DataError: If it is nothing that is known.
    """
    database = parse_address(given, query)
    if database is not None:
        return Source("database", given, database=database)
    if query:
        raise DataError(
            "--query is given, and --data is no database.", "give --data sqlite:///FILE or leave out --query."
        )
    if is_folder(given):
        return _folder(given)
    if not is_file(given) and exists(given):
        raise DataError(
            f"'{given}' is neither a file nor a folder.", "give a file that can be read again and again."
        )
    if not is_file(given):
        folder = os.path.dirname(given) or "."
        near = names_in(folder) if not addresses.is_elsewhere(folder) and is_folder(folder) else []
        paths = [os.path.join(os.path.dirname(given), name) for name in near]
        raise MissingFileError(
            f"there is no file or folder '{given}'.",
            f"{did_you_mean(given, paths)}Correct --data; a relative path starts at the folder of this command.",
        )
    return _file(given)


def _file(path: str) -> Source:
    kind = kind_of(path)
    if kind == "texts":
        kind = "csv"
    if kind == "images":
        raise DataError(
            f"{path} is one picture.", "give a folder that has a folder of pictures for each label."
        )
    num_bytes = size(path)
    if not num_bytes:
        raise EmptyDataError(f"{path} is empty.", "give a file with rows.")
    folder, name = os.path.split(path)
    # Whatever it is named: content says whether it is a table.
    found: Kind = kind or "csv"
    form = read_form(path) if found == "csv" else None
    return Source(found, path, folder or ".", (name,), num_bytes, form)


def kind_of(name: str) -> Kind | None:
    """Return what a file's name says it is."""
    stem = re.sub(r"\.(gz|gzip)$", "", name.lower())
    return _ENDINGS.get(os.path.splitext(stem)[1])


def _folder(path: str) -> Source:
    names = list(itertools.islice(_names_below(path), _MOST_NAMES))
    kinds = Counter(kind for name in names if (kind := kind_of(name)) is not None)
    if not kinds:
        what = f"has {len(names):,} files, of none of which the kind is known" if names else "is empty"
        raise EmptyDataError(
            f"the folder {path} {what}.",
            "give a folder of CSV, Parquet or JSON lines files, or one with a folder of pictures or texts for each label.",
        )
    kind = kinds.most_common(1)[0][0]
    files = tuple(name for name in names if kind_of(name) == kind)
    left_out = tuple(name for name in names if kind_of(name) != kind)
    if kind in ("images", "texts"):
        return _labelled_folders(path, kind, files, left_out)
    top = tuple(name for name in files if "/" not in name)
    if not top:
        raise DataError(
            f"the files of {path} lie in folders: {files[0]} ...",
            "give the folder in which they lie themselves, or write input_config with a pattern.",
        )
    sizes = sizes_of([_joined(path, name) for name in top])
    form = read_form(_joined(path, top[0])) if kind == "csv" else None
    left_out = (*left_out, *(name for name in files if "/" in name))
    source = Source(kind, path, path, top, sum(sizes), form, left_out=left_out)
    _check_alike(source)
    return source


def _check_alike(source: Source) -> None:
    """Check that CSV files of a folder have the same columns in the same form."""
    if source.form is None:
        return
    for name in source.files[1:20]:
        other = read_form(_joined(source.folder, name), 1 << 18)
        if other.names != source.form.names or other.delimiter != source.form.delimiter:
            only = sorted(set(other.names) ^ set(source.form.names))
            raise DataError(
                f"{name} and {source.files[0]} in {source.folder} are not parts of one table: "
                + (
                    f"only one has {listed(only[:5])}."
                    if only
                    else "their columns have another order or form."
                ),
                "give one of them as --data, or a folder of files with the same header.",
            )


def _labelled_folders(path: str, kind: Kind, files: Sequence[str], left_out: Sequence[str]) -> Source:
    inside = tuple(name for name in files if "/" in name)
    tops = sorted({name.split("/", 1)[0] for name in inside})
    what = "pictures" if kind == "images" else "texts"
    if not tops:
        raise DataError(
            f"the {len(files):,} {what} in {path} lie in no folder that is their label.",
            f"put them into a folder for each label: {path}/LABEL/{os.path.basename(files[0])}",
        )
    splits: dict[str, str] = {}
    if len(tops) > 1 and all(name.lower() in SPLIT_FOLDERS for name in tops):
        splits = _splits(path, tops, what)
        inside = tuple(name for name in inside if name.count("/") > 1)
        if {name.split("/", 1)[0] for name in inside} != set(tops):
            raise DataError(
                f"the folders in {path} are splits, {listed(tops)}, and the {what} of one lie in no folder that is "
                "their label.",
                f"put them into a folder for each label: {path}/{tops[0]}/LABEL",
            )
    parents = [f"{top}/{name}" for top in tops for name in names_in(_joined(path, top))] if splits else []
    held = {name.rsplit("/", name.count("/") - bool(splits))[0] for name in inside}
    empty = tuple(
        name
        for name in (parents or names_in(path))
        if is_folder(_joined(path, name)) and name not in held and os.path.basename(name)[0] != "."
    )
    sizes = sizes_of([_joined(path, name) for name in inside[:1000]])
    num_bytes = int(sum(sizes) / len(sizes) * len(inside))
    kept = set(inside)
    loose = tuple(name for name in files if name not in kept)
    return Source(
        kind, path, path, inside, num_bytes, left_out=(*left_out, *loose), empty_folders=empty, splits=splits
    )


def _splits(path: str, names: Sequence[str], what: str) -> dict[str, str]:
    """Return the split that each folder is, of `train`, `eval` and perhaps `valid`.

    Raises:
        DataError: If there is nothing to learn from or to judge by, or two folders are one split.
    """
    splits = {name: SPLIT_FOLDERS[name.lower()] for name in names}
    found = list(splits.values())
    if "eval" not in found:
        splits = {name: "eval" if split == "valid" else split for name, split in splits.items()}
        found = list(splits.values())
    if len(set(found)) < len(found) or not {"train", "eval"} <= set(found):
        raise DataError(
            f"the folders in {path} are splits, {listed(names)}, and not labels; which is for training and which for "
            "evaluation is not clear.",
            f"name them train, valid and test, of which valid may be missing; or put the {what} of all into one folder for "
            "each label, which is divided anew.",
        )
    return splits


def _names_below(folder: str, above: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the names of files in a folder and three levels below it, but hidden ones, in order."""
    for name in names_in(_joined(folder, above) if above else folder):
        if name.startswith("."):
            continue
        inner = f"{above}/{name}" if above else name
        if not is_folder(_joined(folder, inner)):
            yield inner
        elif depth < 3:
            yield from _names_below(folder, inner, depth + 1)


def _joined(folder: str, name: str) -> str:
    return os.path.join(folder, name) if folder else name
