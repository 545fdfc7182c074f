"""Folders of partitioned Parquet, as Hive and Spark write them: `year=2024/month=1/part-0.parquet`. Light.

A pattern that matches such folders means all files below them, and what their names say is a column of each row. Folders
that a pattern names, such as `year=2024/*`, are places and no columns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from headrace import files
from headrace.errors import MalformedFileError, MissingFileError, listed
from headrace.sources import input_files

_PARTITION = re.compile(r"(?P<key>[^=/]+)=(?P<value>[^/]*)")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NULL = "__HIVE_DEFAULT_PARTITION__"
# What Spark, Hive and Arrow write beside the data.
_MARKS = re.compile(r"_(?:SUCCESS|metadata|common_metadata|started\w*|committed\w*)")


class PartitionedPath(str):
    """The path of a file below folders of partitions.

    Attributes:
        values: What the folders' names say, by key: integers, where all files of the split have one; else texts; `None`
            for Hive's word for null.
    """

    values: Mapping[str, Any]

    def __new__(cls, path: str, values: Mapping[str, Any]) -> PartitionedPath:
        """Make one."""
        made = super().__new__(cls, path)
        made.values = values
        return made

    def __getnewargs__(self) -> tuple[str, Mapping[str, Any]]:  # type: ignore[override]
        """What it is pickled as."""
        return str(self), self.values


def values_of(path: str) -> Mapping[str, Any]:
    """Return the values of a path's partitions; none for other paths."""
    return path.values if isinstance(path, PartitionedPath) else {}


def find(place: str, pattern: str) -> list[str]:
    """Return the files that match a pattern, and those below folders of partitions that do, sorted.

    Marks such as `_SUCCESS`, and below such folders all that is hidden or begins with `_`, are left out.

    Raises:
        MissingFileError: If there is none.
        MalformedFileError: If files have different partitions.
    """
    matched = files.matching(os.path.join(input_files.base_pattern(place), pattern)) if place else []
    folders = [path for path in matched if _PARTITION.fullmatch(_name(path)) and files.is_folder(path)]
    if not folders:
        found = input_files.find(place, pattern)
        return [path for path in found if not _MARKS.fullmatch(_name(path))] or found
    plain = [path for path in matched if path not in folders and files.is_file(path)]
    below = [
        (os.path.join(folder, name), f"{_name(folder)}/{name}")
        for folder in folders
        for name in files.files_below(folder)
        if not any(part.startswith(("_", ".")) for part in name.split("/"))
    ]
    if not below:
        raise MissingFileError(
            f"the folders that match '{pattern}' in '{place}' hold no files: {listed(map(_name, folders))}.",
            "put Parquet files there, or correct the pattern.",
        )
    outside = [path for path in plain if not _MARKS.fullmatch(_name(path))]
    if outside:
        raise MalformedFileError(
            f"'{outside[0]}' lies beside '{folders[0]}', whose name says a column that this file does not have.",
            "move it into a folder of its own, or give a pattern that matches one of both.",
        )
    return [*_typed([(path, _texts(name)) for path, name in below])]


def _name(path: str) -> str:
    return os.path.basename(path.rstrip("/"))


def _texts(name: str) -> dict[str, str]:
    parts = [_PARTITION.fullmatch(part) for part in name.split("/")[:-1]]
    return {unquote(found["key"]): unquote(found["value"]) for found in parts if found}


def _typed(found: Sequence[tuple[str, Mapping[str, str]]]) -> list[PartitionedPath]:
    first, keys = found[0][0], list(found[0][1])
    for path, texts in found:
        if list(texts) != keys:
            raise MalformedFileError(
                f"{path} has the partitions {listed(texts)}, and {first} has {listed(keys)}.",
                "give the files the same folders, or read them as splits of their own.",
            )
    integers = {
        key
        for key in keys
        if all(texts[key] == _NULL or _INTEGER.fullmatch(texts[key]) for _, texts in found)
    }
    return sorted(
        PartitionedPath(
            path,
            {
                key: None if text == _NULL else int(text) if key in integers else text
                for key, text in texts.items()
            },
        )
        for path, texts in found
    )
