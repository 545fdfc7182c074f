"""The files that code names in pieces: a folder here, a name there.

A function may get a file's name as an argument, from a list, or by putting it together, and its folder from a module
of its own. So each text in the code that counts is looked up in each folder that this code names, in those of its
own files, and in the working folder. What it writes itself does not count.
"""

from __future__ import annotations

import fnmatch
import glob
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Set
from typing import Any

from headrace.files import payloads
from headrace.usercode import outside

_MAX_NAME_LENGTH = 255
_MAX_FOLDERS = 64
_MAX_FOUND = 1000
# A pattern is taken for one of file names where it ends in a suffix.
_HAS_SUFFIX = re.compile(r"[\w*?\])-]\.\w{1,8}$")
_NO_NAME = re.compile(r"[\n\0]|://|^\s*$|^[/.*]+$")
# Lists of names in one text; longer texts are data.
_SEPARATOR = re.compile(r"[\s,;|]+")
_MAX_LIST_LENGTH = 1 << 14
_NAMES_A_FILE = re.compile(r"/|\w\.\w{1,8}$")
# As SQLite takes it: file:table.db?mode=ro.
_ADDRESS = re.compile(r"^file:(?://(?=/))?(.+?)(?:(?:\?|\[\?\]).*)?$")


def find(
    texts: Iterable[str],
    places: Iterable[str],
    folders: Iterable[str],
    written: Set[str],
    *,
    lists_folders: bool = False,
) -> set[str]:
    """Return the files that some texts name in some folders.

    Args:
        texts: Names, relative paths, and patterns of these.
        places: Where they may lie: the working folder, and those of the code.
        folders: Those that the code names; folders in all of these that texts name are added.
        written: Paths and names that are left out.
        lists_folders: Whether all files in the folders that texts name are meant.
    """
    given_texts = [name for text in texts for name in (text, *_listed(text))]
    names = sorted(
        {text for text in given_texts if 0 < len(text) <= _MAX_NAME_LENGTH and not _NO_NAME.search(text)}
    )
    plain = [name for name in names if not glob.has_magic(name)]
    patterns = [name for name in names if glob.has_magic(name) and _HAS_SUFFIX.search(name)]
    found: set[str] = set()
    given = {os.path.abspath(place) for place in places}
    for folder in _with_named([*given, *folders], plain):
        if lists_folders and folder not in given and not _is_everybodys(folder):
            found.update(outside.files_below(folder))
        found.update(path for name in plain if os.path.isfile(path := os.path.join(folder, name)))
        found.update(_matching(folder, patterns))
    kept = {os.path.normpath(path) for path in found if payloads.is_kept(path)}
    return {path for path in kept if path not in written and os.path.basename(path) not in written}


def _is_everybodys(folder: str) -> bool:
    """Whether a folder holds the working folder, or all temporary files: a text that names it speaks of no data."""
    inside = (os.path.realpath(os.getcwd()), os.path.realpath(tempfile.gettempdir()), os.path.expanduser("~"))
    real = os.path.realpath(folder)
    return any(os.path.commonpath([real, path]) == real for path in inside)


def _listed(text: str) -> Iterator[str]:
    """The names in a text that is nothing but a list of them, or JSON with some in it, or the address of a file."""
    if len(text) > _MAX_LIST_LENGTH:
        return
    if text[:1] in '{["' or text[:3] == "[[]":
        yield from _in_json(text.replace("[[]", "["))
        return
    if (address := _ADDRESS.match(text)) is not None:
        yield address.group(1)
    pieces = [piece for piece in _SEPARATOR.split(text) if piece]
    if len(pieces) > 1 and all(map(_NAMES_A_FILE.search, pieces)):
        yield from pieces


def _in_json(text: str) -> Iterator[str]:
    try:
        waiting: list[Any] = [json.loads(text)]
    except ValueError:
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield glob.escape(value)
        elif isinstance(value, (list, dict)):
            waiting += value.values() if isinstance(value, dict) else value


def _with_named(folders: Iterable[str], names: Iterable[str]) -> list[str]:
    """The folders, and those below them that a name, or two names after each other, lead to."""
    found = sorted(set(folders))
    steps = {step for name in names if name[0].isalnum() for step in (name, name.replace(".", os.sep))}
    last = found
    for _ in range(2):
        last = [
            os.path.normpath(os.path.join(folder, step))
            for folder in last
            for step in sorted(steps)
            if os.path.isdir(os.path.join(folder, step))
        ]
        found += last
    return list(dict.fromkeys(found))[:_MAX_FOLDERS]


def _matching(folder: str, patterns: Iterable[str]) -> Iterator[str]:
    """The files that fit a pattern, a limited number of each."""
    entries: list[str] | None = None
    for pattern in patterns:
        if os.sep in pattern:
            paths = glob.iglob(os.path.join(glob.escape(folder), pattern))
        else:
            if entries is None:
                entries = sorted(os.listdir(folder)) if os.access(folder, os.R_OK) else []
            paths = iter([os.path.join(folder, name) for name in fnmatch.filter(entries, pattern)])
        for _, path in zip(range(_MAX_FOUND), paths):
            if os.path.isfile(path):
                yield path
