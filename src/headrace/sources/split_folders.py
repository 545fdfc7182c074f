"""Splits that are folders: `train/` and `test/` below `input_base`. Light."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from typing import Any

from headrace import files
from headrace.errors import DataError, DefinitionError, MissingFileError, did_you_mean, listed
from headrace.formats import split_names
from headrace.splits.shares import Shares
from headrace.splits.ways import SplitBy, check_number

_MAX_LISTED = 20


def resolve(input_base: str, pattern: str, way: SplitBy, shares: Shares) -> list[tuple[str, str]]:
    """Return the name and the file pattern of each split.

    Args:
        input_base: The folder that holds the splits' folders, or its address.
        pattern: The pattern of the one input split, which holds in each folder.
        way: `folders`, with the splits' names where they differ from the folders'.
        shares: The names that are expected; none where each folder is a split.

    Raises:
        MissingFileError: If there is no folder, or one that is expected is not there.
        DefinitionError: If a folder's name cannot be that of a split.
        DataError: If two folders are to be one split, or there are too many.
    """
    names = way.option("names") or {}
    there = _folders(input_base)
    unknown = [folder for folder in names if folder not in there]
    if unknown:
        raise _missing(input_base, unknown[0], there, "names")
    splits = {folder: names.get(folder, folder) for folder in there}
    if shares.names:
        for name in shares.names:
            if name not in splits.values():
                raise _missing(input_base, name, there, "splits")
        ordered = [next(folder for folder in there if splits[folder] == name) for name in shares.names]
        extra = [folder for folder in there if splits[folder] in shares.names and folder not in ordered]
    else:
        ordered = [folder for folder in there if _holds(input_base, folder, pattern)]
        extra = []
        if not ordered:
            raise MissingFileError(
                f"{way}: no folder in '{input_base}' holds a file that matches '{pattern}'. It has the folders "
                f"{listed(there[:_MAX_LISTED])}.",
                "put the files of each split into a folder of its name, or correct the pattern in input_config.",
            )
        if not names:
            shown = listed(ordered[:_MAX_LISTED])
            check_number(len(ordered), way, f"'{input_base}' has the folders {shown} and others")
    _check_names(ordered, extra, splits, way)
    return [(splits[folder], f"{glob.escape(folder)}/{pattern}") for folder in ordered]


def _check_names(
    ordered: Sequence[str], extra: Sequence[str], splits: Mapping[str, str], way: SplitBy
) -> None:
    """Check that each folder makes a split of its own."""
    for folder in ordered:
        if not split_names.is_good(splits[folder]):
            raise DefinitionError(
                f"{way}: the folder '{folder}' cannot give its name to a split.",
                f"name the split: folders(names={{{folder!r}: 'train'}}).",
            )
    of_each = [splits[folder] for folder in ordered]
    twice = [*extra, *(ordered[at] for at, name in enumerate(of_each) if name in of_each[:at])]
    if twice:
        raise DataError(
            f"{way}: split '{splits[twice[0]]}' is that of two folders, one of them '{twice[0]}'.",
            "put their files into one folder, or give each its own split.",
        )


def beside(input_base: str, input_splits: Sequence[Any]) -> str:
    """Return what is to be said of files beside the folders, which no split reads; empty where there are none.

    Args:
        input_base: The folder.
        input_splits: The splits' protos, with the patterns of `resolve`.
    """
    _, _, pattern = input_splits[0].pattern.partition("/")
    found = files.matching_files(os.path.join(glob.escape(input_base), pattern)) if pattern else []
    if not found:
        return ""
    verb = "file lies" if len(found) == 1 else "files lie"
    return (
        f"{len(found):,} {verb} beside the folders of the splits and is read into none, such as {found[0]!r}"
    )


def _folders(input_base: str) -> list[str]:
    if not input_base:
        raise DefinitionError("input_base is not given.", "give the folder that holds those of the splits.")
    if not files.is_folder(input_base):
        raise MissingFileError(
            f"input_base '{input_base}' is no folder.", "give the folder that holds those of the splits."
        )
    names = [name for name in files.names_in(input_base) if not name.startswith((".", "_"))]
    found = [name for name in names if files.is_folder(os.path.join(input_base, name))]
    if not found:
        raise MissingFileError(
            f"there is no folder in '{input_base}' that could be a split.",
            "make one for each split, such as train and test, or divide the rows in another way.",
        )
    return found


def _holds(input_base: str, folder: str, pattern: str) -> bool:
    """Whether files of a folder match; a pattern with a span in it, or of all files, is left to the source."""
    path = os.path.join(input_base, folder)
    if "{" in pattern or pattern == "*":
        return bool(files.files_below(path))
    return bool(files.matching_files(os.path.join(glob.escape(path), pattern)))


def _missing(input_base: str, name: str, there: Sequence[str], where: str) -> MissingFileError:
    return MissingFileError(
        f"{where} has '{name}', and there is no such folder in '{input_base}'. It has {listed(there[:_MAX_LISTED])}.",
        f"{did_you_mean(name, there)}Correct {where}, or make the folder.",
    )
