"""Objects in JSON files, one in each line or all in one array, as JsonExampleGen reads them: flat, as `user.age`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from headrace.errors import MalformedFileError
from headrace.files import json_arrays, packed_files

_MARK = b"\xef\xbb\xbf"
_MAX_OBJECT_BYTES = 64 << 20


def objects(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file, flat, each with how many bytes were read so far.

    Raises:
        MalformedFileError: If it is no JSON, or holds something else than objects.
    """
    is_array = _is_array(path)
    with packed_files.open_binary(path) as file:
        yield from _of_array(path, file) if is_array else _of_lines(path, file)


def _is_array(path: str) -> bool:
    with packed_files.open_binary(path) as file:
        while data := file.read(1 << 16):
            data = data.removeprefix(_MARK).lstrip()
            if data:
                return data[:1] == b"["
    return False


def _of_lines(path: str, file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    num_bytes = 0
    for number, line in enumerate(file, 1):
        num_bytes += len(line)
        if line.strip():
            yield num_bytes, _flat(_object(path, number, line.removeprefix(_MARK) if number == 1 else line))


def _of_array(path: str, file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    try:
        for found in json_arrays.elements(file, _MAX_OBJECT_BYTES):
            number += 1
            if not isinstance(found, dict):
                break
            yield file.tell(), _flat(found)
        else:
            return
    except (ValueError, RecursionError) as error:
        raise MalformedFileError(
            f"{path}: the array is no JSON after element {number:,}: {getattr(error, 'msg', error)}.",
            "correct it, or write one JSON object in each line.",
        ) from error
    raise MalformedFileError(
        f"{path}: element {number:,} of the array is {type(found).__name__}, not an object with names.",
        'write rows such as {"height": 1.7, "label": "a"}.',
    )


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    """Return an object without objects in it."""
    if not any(isinstance(value, dict) for value in found.values()):
        return found
    flat: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": one for inner, one in _flat(value).items()})
        else:
            flat[name] = value
    return flat


def _object(path: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedFileError(
            f"{path}:{number}: not a line of JSON: {error}.", "write one JSON object in each line."
        ) from error
    if not isinstance(found, dict):
        raise MalformedFileError(
            f"{path}:{number}: the line holds {type(found).__name__}, not an object with names.",
            'write rows such as {"height": 1.7, "label": "a"}.',
        )
    return found
