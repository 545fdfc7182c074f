"""What a parameter adds to the cache key: its text, and the content of the files and folders that it names.

A component says which of its parameters name input files (`headrace.authoring.Component.INPUT_FILES`); of those only
content and file name count. In the parameters of all other components, each text that is the path of an existing
file or folder, or a pattern that matches some, counts by content as well as by its text, also inside of JSON and
protos. Of addresses such as `s3://bucket/file` it is what their store says of the content, where a package for their
scheme is installed; those of the web count only where the component says so. Not so where the executor's code writes
to what the parameter names, or where the parameter's own name says so, such as `push_destination`, and the code nothing
else.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from headrace import files
from headrace.errors import HeadraceError
from headrace.files import addresses, elsewhere, marks, payloads
from headrace.usercode import configurations
from headrace.usercode.named_destinations import Destinations

# Folders up to this size count by their bytes; larger ones by names, sizes and times of the last change.
MAX_FOLDER_BYTES = 1 << 30
MAX_FOLDER_FILES = 20_000
_MAX_PATH_LENGTH = 4096
# Longer texts, such as data in JSON, are no paths; long ones are not taken apart.
_MAX_TEXT_LENGTH = 1 << 20
_MAX_SPLIT_LENGTH = 1 << 14
# An address of another machine, and one of this.
_ELSEWHERE = re.compile(r"\s*(?!file:)[a-zA-Z][\w+.-]*://(?!/|localhost/)")
_LOCAL = re.compile(r"^(file://localhost(?=/)|file://|[a-zA-Z][\w+.-]*:(//)?(?=/))")
_LIST = re.compile(r"[,;|\n]")
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")
_PIECE = re.compile(r"[\s,;|=#?'\"\[\](){}<>]+|::?(?!//)")
_NEVER_READ = frozenset({".git", "__pycache__", ".ipynb_checkpoints"})

Sources = dict[str, str]


@dataclass(frozen=True)
class Reader:
    """Reads the contents behind the parameters of one node.

    Attributes:
        input_files: Parameters that name input files, as the component says; `None` where it says nothing.
        project_path: Folder whose place does not count.
        own_folders: The store and the pipeline's root: what runs write there changes with each run.
        destinations: Which names are of what the executor writes, as far as its code, or their sound, tells.
        lists_folders: Whether that code lists folders that it does not name.
    """

    input_files: Sequence[str] | None
    project_path: str
    own_folders: Sequence[str] = ()
    destinations: Destinations = field(default_factory=Destinations)
    lists_folders: bool = False

    def read(self, name: str, value: Any) -> tuple[Any, Sources]:
        """Return what a parameter adds to the key, and the digests of the files that it names, by path."""
        plain = self._plain(value)
        if self.input_files is not None and name in self.input_files:
            texts = list(_texts(value))
            found = self._contents(texts, is_declared=True)
            if isinstance(value, str) and texts == [value]:
                return {"file": os.path.basename(value), "content": _combined(found)}, _named_files(found)
            return {"text": plain, "content": _combined(found)}, _named_files(found)
        if self.input_files is not None or self.destinations.has_variable(name):
            return plain, {}
        found = self._contents(_texts(value), is_declared=False)
        return ({"text": plain, "content": _combined(found)}, _named_files(found)) if found else (plain, {})

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Message):
            return value.SerializeToString(deterministic=True).hex()
        if isinstance(value, str):
            return self.without_place(value)
        return value if isinstance(value, (int, float, bool)) else str(value)

    def without_place(self, text: str) -> str:
        """Return a text in which the project's folder has no place."""
        if len(self.project_path) < 2:
            return text
        return re.sub(rf"{re.escape(self.project_path)}(?=$|[/\s\"',:;\])}}])", "{project}", text)

    def _contents(self, texts: Iterable[str], *, is_declared: bool) -> list[tuple[str, str, str]]:
        """Name, path and digest of each file or folder that texts name; one that is declared and missing too."""
        found: list[tuple[str, str, str]] = []
        for text in texts:
            # With three slashes it is a database's file of this machine, unless the component says otherwise.
            if _ELSEWHERE.match(text) or (is_declared and addresses.is_elsewhere(text)):
                found += _contents_elsewhere(text, is_declared=is_declared)
                continue
            paths = list(_paths(text))
            if not paths and is_declared:
                found.append((text, "", marks.MISSING))
            found += [(os.path.basename(path), path, self._digest(path)) for path in paths]
            more = sorted(configurations.named(paths, self.destinations, lists_folders=self.lists_folders))
            found += [(os.path.basename(path), path, self._digest(path)) for path in more]
        return found

    def _digest(self, path: str) -> str:
        if os.path.isfile(path):
            return payloads.readable_digest(path)
        try:
            return self._folder_digest(path)
        except OSError:
            return "unreadable"

    def _folder_digest(self, path: str) -> str:
        found = list(self._files(path))
        infos = [os.stat(full) for _, full in found]
        if len(found) > MAX_FOLDER_FILES or sum(info.st_size for info in infos) > MAX_FOLDER_BYTES:
            looks = [f"{name} {i.st_size} {i.st_mtime_ns}" for (name, _), i in zip(found, infos)]
        else:
            digests = payloads.file_digests([full for _, full in found], payloads.readable_digest)
            looks = [f"{name} {digest}" for (name, _), digest in zip(found, digests)]
        return hashlib.sha256("\n".join(looks).encode(errors="surrogateescape")).hexdigest()

    def _files(self, path: str) -> Iterator[tuple[str, str]]:
        apart = tuple(
            os.path.realpath(folder)
            for folder in self.own_folders
            if folder and not addresses.is_elsewhere(folder)
        )

        def is_apart(folder: str) -> bool:
            is_read = os.path.basename(folder) not in _NEVER_READ and payloads.is_kept(folder)
            return not is_read or os.path.realpath(folder) in apart

        for name, full in payloads.walk(path, is_apart):
            if os.path.isfile(full):
                yield name, full


def _contents_elsewhere(text: str, *, is_declared: bool) -> Iterator[tuple[str, str, str]]:
    """Name, no path, and the content of each address in a list; what nobody can tell is unknown."""
    pieces = [text] if is_declared else _LIST.split(text)
    for address in (piece.strip() for piece in pieces):
        if not is_declared and not elsewhere.is_storage(addresses.scheme(address)):
            continue
        try:
            content = marks.content(address)
        except HeadraceError:
            # The executor tells what is wrong.
            content = payloads.unknown_digest()
        if is_declared or content != marks.MISSING:
            yield os.path.basename(address), "", content


def _named_files(found: list[tuple[str, str, str]]) -> Sources:
    return {path: digest for _, path, digest in found if path}


def _combined(found: list[tuple[str, str, str]]) -> str:
    """One digest of the contents, under their names; unknown where one of them is."""
    unknown = [digest for _, _, digest in found if payloads.is_unknown(digest)]
    if unknown:
        return unknown[0]
    if len(found) == 1 and ":" in found[0][2]:
        # By what a store knows it, for the reader.
        return found[0][2]
    lines = sorted(f"{name} {digest}" for name, _, digest in found)
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _texts(value: Any) -> Iterator[str]:
    """The texts in a parameter: itself, or those in the JSON or proto that it holds."""
    if isinstance(value, Message):
        yield from _texts_in(json_format.MessageToDict(value))
    elif isinstance(value, str):
        if value[:1] in '{["':
            try:
                yield from _texts_in(json.loads(value))
                return
            except ValueError:
                pass
        yield value


def _texts_in(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        # JSON in JSON, as TFX writes custom_config of custom_config.
        yield from _texts(data) if data[:1] in ("{", "[") else [data]
    elif isinstance(data, dict):
        for name, value in data.items():
            yield str(name)
            yield from _texts_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts_in(value)


def _paths(text: str) -> Iterator[str]:
    """The files and folders that exist and that a text names.

    It may be a path, a pattern, the beginning of the names of some files, such as a checkpoint's, or a text that
    holds some of these: a list with any separators, a command line, an address of a local file.
    """
    if len(text) > _MAX_TEXT_LENGTH or "\0" in text or _ELSEWHERE.match(text):
        return
    found = list(_named(text))
    if not found:
        listed = [piece.strip() for piece in _LIST.split(text)]
        found = [path for piece in listed if piece != text for path in _named(piece)]
        finer = dict.fromkeys(_finer(text)) if len(text) <= _MAX_SPLIT_LENGTH else {}
        # A single word is more likely a word than a folder.
        found += [
            path
            for piece in finer
            if piece not in (text, *listed)
            for path in _named(piece)
            if os.sep in path or os.path.isfile(path)
        ]
    yield from dict.fromkeys(found)


def _finer(text: str) -> Iterator[str]:
    """What a text holds between quotes, and what stands between separators of any kind."""
    yield from (one or other for one, other in _QUOTED.findall(text))
    yield from _PIECE.split(text)


def _named(text: str) -> Iterator[str]:
    """The files and folders that one path, pattern, or beginning of file names stands for."""
    if not text.strip() or len(text) > _MAX_PATH_LENGTH or _ELSEWHERE.match(text):
        return
    if os.path.exists(text) and payloads.is_kept(text):
        # As it is written: a name may hold whatever else would be taken for a sign.
        yield from [text] if os.path.isfile(text) or os.path.isdir(text) else []
        return
    if "\n" in text:
        return
    local = _LOCAL.sub("", text)
    shapes = [local]
    if local != text:
        # As databases write it, `sqlite:///table.db` is relative.
        shapes += [urllib.parse.unquote(local), local.lstrip(os.sep)]
    for shape in dict.fromkeys(shapes):
        path = os.path.expanduser(os.path.expandvars(shape))
        if not payloads.is_kept(path):
            continue
        if os.path.isfile(path) or os.path.isdir(path):
            yield path
        elif glob.has_magic(path) and (os.sep in path or os.path.splitext(path)[1]):
            yield from files.matching(path, is_deep=True)
        elif os.sep in path and os.path.basename(path):
            yield from files.matching_files(f"{glob.escape(path)}.*")
