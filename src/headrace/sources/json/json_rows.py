"""JSON objects as rows, by Python's own parser: its opinion counts where a faster one's may differ."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from headrace.files import json_arrays
from headrace.sources import line_blocks
from headrace.sources.source import Unreadable

# A feature's keys, from the outermost object inwards.
Path = tuple[str, ...]
_SPACE = " \t\r\n"
_MAX_DEPTH = 100


@dataclass(frozen=True)
class Parsed:
    """An object, flat.

    Attributes:
        values: The value at each path: a scalar or a list of such; `None` where there is none.
        source: The file.
        where: Says where in there; asked only where it is needed.
    """

    values: Mapping[Path, Any]
    source: str
    where: Callable[[], str]


def named(path: Path, rename: Mapping[str, str]) -> str:
    """Return the name of the feature at a path."""
    name = ".".join(path)
    return rename.get(name, name)


class _Twice(Exception):
    """An object names a key twice."""


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)


def parse(text: bytes, source: str, where: Callable[[], str]) -> Parsed | Unreadable:
    """Return the object that a line holds."""
    bad = line_blocks.bad_byte(text)
    if bad is not None:
        return Unreadable(
            source, f"is not utf-8: byte 0x{bad[0]:02x} at character {bad[1]}", where(), "say its encoding"
        )
    try:
        return flat(_DECODER.decode(text.decode().strip(_SPACE)), source, where)
    except _Twice as error:
        return _twice(str(error), source, where)
    except RecursionError:
        return _deep(source, where)
    except ValueError as error:
        return Unreadable(
            source,
            f"is no JSON: {_reason(error)}",
            where(),
            "write an object in each line, or all in one array [...]",
        )


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return str(error)


def _twice(name: str, source: str, where: Callable[[], str]) -> Unreadable:
    return Unreadable(source, f"names a key twice: '{name}'", where(), "give each value its own key")


def _deep(source: str, where: Callable[[], str]) -> Unreadable:
    return Unreadable(source, "is nested too deeply", where(), "make it flat")


def flat(value: Any, source: str, where: Callable[[], str]) -> Parsed | Unreadable:
    """Return an object without objects in it."""
    if not isinstance(value, dict):
        return Unreadable(
            source, f"is no object: {_shown(value)}", where(), 'write objects, as in {"feature": 1.5}'
        )
    values: dict[Path, Any] = {}
    todo: list[tuple[Path, Any]] = [((), value)]
    while todo:
        path, one = todo.pop()
        if len(path) > _MAX_DEPTH:
            return _deep(source, where)
        if isinstance(one, dict):
            todo += [((*path, name), each) for name, each in reversed(one.items())]
        else:
            values[path] = one
    names = [".".join(path) for path in values]
    if len(set(names)) < len(names):
        return _twice(next(name for name in names if names.count(name) > 1), source, where)
    return Parsed(values, source, where)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def of_array(
    file: BinaryIO, source: str, max_bytes: int = line_blocks.MAX_LINE_BYTES
) -> Iterator[Parsed | Unreadable]:
    """Yield the objects of a file that is one array, without holding more than one and a chunk.

    What follows a fault in the array's syntax is not read, which its message says.
    """
    number = 0
    try:
        for value in json_arrays.elements(file, max_bytes, _DECODER):
            number += 1
            yield flat(value, source, functools.partial("element {}".format, number))
    except _Twice as error:
        yield _stopped(source, number + 1, f"names a key twice: '{error}'")
    except RecursionError:
        yield _stopped(source, number + 1, "is nested too deeply")
    except UnicodeDecodeError as error:
        yield _stopped(source, number + 1, f"is not utf-8: {error.reason}")
    except json_arrays.OutsideError as error:
        yield _stopped(source, number, f"is no JSON: {error}")
    except ValueError as error:
        # Where in what was held when it failed says nothing to a person.
        yield _stopped(source, number + 1, f"is no JSON: {getattr(error, 'msg', error)}")


def _stopped(source: str, number: int, reason: str) -> Unreadable:
    return Unreadable(
        source, f"{reason}; the array is not read from here on", f"element {number}", "correct it"
    )
