"""The files that configuration files name: code that reads one reads these too, and no text in the code says so.

JSON, YAML, TOML and INI files are read, those that they name as well. A path is taken from the folder of the file that
names it, and from the working folder. What a key calls a destination, as in `output_path: out.csv`, is written and not
read, unless the code that reads the file takes it for something else.
"""

from __future__ import annotations

import configparser
import contextlib
import glob
import importlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from headrace.usercode import named_files
from headrace.usercode.named_destinations import Destinations, sounds_so

# Longer files are data.
_MAX_BYTES = 1 << 16
_MAX_PATH_LENGTH = 4096
_MAX_FILES = 1000
_UNKNOWN = Destinations()
# What a key of a table calls the place of whatever the table is about: `output: {path: out.csv}`.
_PLACE = re.compile(r"^(path|file|file_?(name|path)|dir|directory|folder|location|ur[il])$", re.IGNORECASE)


def named(
    paths: Iterable[str], destinations: Destinations = _UNKNOWN, *, lists_folders: bool = False
) -> set[str]:
    """Return the files that some files name, where these are configuration files, and so on; without themselves.

    A file that cannot be read, or is malformed, names none.

    Args:
        paths: The files.
        destinations: The keys behind which the code that reads them writes.
        lists_folders: Whether that code lists folders: then all files in those that are named count.
    """
    given = {os.path.abspath(path) for path in paths}
    found: set[str] = set()
    waiting = sorted(given)
    while waiting and len(found) < _MAX_FILES:
        path = waiting.pop()
        for other in _named_in(path, destinations, lists_folders):
            if other not in found and other not in given:
                found.add(other)
                waiting.append(other)
    return found


def _named_in(path: str, destinations: Destinations, lists_folders: bool) -> Iterator[str]:
    parse = _PARSERS.get(os.path.splitext(path)[1].lower())
    if parse is None:
        return
    # Whatever a parser raises, the user's own code meets it too, and says so.
    with contextlib.suppress(Exception):
        if os.path.getsize(path) > _MAX_BYTES:
            return
        with open(path, encoding="utf-8-sig") as file:
            content = parse(file.read())
        texts = list(
            dict.fromkeys(
                os.path.expandvars(os.path.expanduser(text)) for text in _texts(content, destinations)
            )
        )
        # A folder may stand apart from the names in it.
        escaped = [glob.escape(text) for text in texts]
        yield from named_files.find(
            [*escaped, *texts],
            {os.path.dirname(path), os.getcwd()},
            (),
            frozenset(),
            lists_folders=lists_folders,
        )


def _texts(content: Any, destinations: Destinations) -> Iterator[str]:
    """The texts in a configuration that may be paths of files to read."""
    waiting = [(content, False)]
    # One that is written once may stand in many places, and in itself.
    seen: set[int] = set()
    while waiting:
        value, is_output = waiting.pop()
        if isinstance(value, (dict, list)):
            if id(value) in seen:
                continue
            seen.add(id(value))
        if isinstance(value, dict):
            for key, inner in ((str(key), inner) for key, inner in value.items()):
                # Names of files are keys of a table as well: {"names.txt": 3}.
                waiting.append((key, False))
                is_place = bool(_PLACE.match(key))
                if isinstance(inner, dict):
                    waiting.append((inner, is_output or (sounds_so(key) and destinations.has_key(key))))
                # Keys that say nothing but that there is a place may be of what is read as well.
                elif not (is_output if is_place else destinations.has_key(key)):
                    waiting.append((inner, is_output))
        elif isinstance(value, list):
            waiting += [(one, is_output) for one in value]
        elif isinstance(value, str) and 0 < len(value) <= _MAX_PATH_LENGTH and value.isprintable():
            yield value


def _yaml(text: str) -> Any:
    yaml = importlib.import_module("yaml")
    made: dict[int, Any] = {}
    # As it is written, whatever the tags: `!include other.yaml` is nothing to a loader.
    nodes = yaml.compose_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [_plain(node, made) for node in nodes]


def _plain(node: Any, made: dict[int, Any]) -> Any:
    """A node of YAML as dicts, lists and texts; what has an anchor stays one object."""
    if isinstance(node.value, str):
        return node.value
    if id(node) not in made:
        found: Any = []
        made[id(node)] = found
        for one in node.value:
            # Of a mapping pairs, whose keys may be there twice, such as `<<`.
            found.append(
                {str(_plain(one[0], made)): _plain(one[1], made)}
                if isinstance(one, tuple)
                else _plain(one, made)
            )
    return made[id(node)]


def _toml(text: str) -> Any:
    # Of the standard library from Python 3.11 on.
    for name in ("tomllib", "tomli"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name).loads(text)
    return {}


def _ini(text: str) -> Any:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.read_string(text)
    return {name: dict(section) for name, section in parser.items()}


_PARSERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".toml": _toml,
    ".ini": _ini,
    ".cfg": _ini,
    ".conf": _ini,
}
