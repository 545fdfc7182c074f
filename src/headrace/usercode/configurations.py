"""The files that configuration files name: code that reads one reads these too, and no text in the code says so.

JSON, YAML, TOML and INI files are read, those that they name as well. A path is taken from the folder of the file that
names it, and from the working folder. What a key calls a destination, as in `output_path: out.csv`, is written and not
read.
"""

from __future__ import annotations

import configparser
import contextlib
import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from headrace.files import payloads
from headrace.usercode import written_files

# Longer files are data.
_MAX_BYTES = 1 << 16
_MAX_PATH_LENGTH = 4096
_MAX_FILES = 1000


def named(paths: Iterable[str]) -> set[str]:
    """Return the files that some files name, where these are configuration files, and so on; without themselves.

    A file that cannot be read, or is malformed, names none.
    """
    given = {os.path.abspath(path) for path in paths}
    found: set[str] = set()
    waiting = sorted(given)
    while waiting and len(found) < _MAX_FILES:
        path = waiting.pop()
        for other in _named_in(path):
            if other not in found and other not in given:
                found.add(other)
                waiting.append(other)
    return found


def _named_in(path: str) -> Iterator[str]:
    parse = _PARSERS.get(os.path.splitext(path)[1].lower())
    if parse is None:
        return
    # Whatever a parser raises, the user's own code meets it too, and says so.
    with contextlib.suppress(Exception):
        if os.path.getsize(path) > _MAX_BYTES:
            return
        with open(path, encoding="utf-8") as file:
            content = parse(file.read())
        for text in _texts(content):
            for folder in (os.path.dirname(path), os.getcwd()):
                other = os.path.normpath(os.path.join(folder, os.path.expanduser(text)))
                if os.path.isfile(other) and payloads.is_kept(other):
                    yield other


def _texts(content: Any) -> Iterator[str]:
    """The texts in a configuration that may be paths of files to read."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                # Names of files are keys of a table as well: {"names.txt": 3}.
                waiting.append(str(key))
                if not (isinstance(inner, (str, list)) and written_files.is_destination(str(key))):
                    waiting.append(inner)
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and 0 < len(value) <= _MAX_PATH_LENGTH and value.isprintable():
            yield value


def _yaml(text: str) -> Any:
    yaml = importlib.import_module("yaml")
    return list(yaml.safe_load_all(text))


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
