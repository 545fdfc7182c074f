"""Payloads in JSON: written whole, and read with a word on what is wrong with them.

Those whose form is Headrace's own carry its number, `format`, as records of runs do: a key may be added, and the number
is raised where one goes or means something else. What 0.1.0 wrote has none and is read as 0, whose keys are those of 1.
"""

from __future__ import annotations

import json
import os
from typing import Any

from headrace.errors import MalformedFileError, MissingFileError
from headrace.files import open_text, whole_files

_FORMAT = "format"
MAKE_AGAIN = "run the node that makes it again."


def write(path: str, content: Any, *, indent: int | None = None) -> None:
    """Write a file whole, with a newline at its end where lines are indented; its folder is made where it is missing."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with whole_files.written(path) as file:
        file.write(json.dumps(content, indent=indent).encode() + (b"\n" if indent else b""))


def read(path: str, what: str) -> Any:
    """Read a file.

    Args:
        path: The file.
        what: What it should hold, for the message, such as `"a list of trials"`.

    Raises:
        MissingFileError: If there is no such file.
        MalformedFileError: If it is no JSON.
    """
    try:
        with open_text(path) as file:
            return json.load(file)
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {path}.", MAKE_AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, what, error) from error


def read_object(path: str, what: str) -> dict[str, Any]:
    """Read a file that holds a JSON object.

    Raises:
        MissingFileError: If there is no such file.
        MalformedFileError: If it holds something else.
    """
    content = read(path, what)
    if not isinstance(content, dict):
        raise damaged(path, what, f"it is a {type(content).__name__}")
    return content


def write_numbered(path: str, content: dict[str, Any], number: int) -> None:
    """Write an object of Headrace's own form, with the form's number."""
    write(path, {_FORMAT: number, **content}, indent=2)


def read_numbered(path: str, what: str, newest: int) -> dict[str, Any]:
    """Read an object of Headrace's own form, in any number up to `newest`.

    Raises:
        MissingFileError: If there is no such file.
        MalformedFileError: If it holds something else, or a newer Headrace wrote it in another form.
    """
    content = read_object(path, what)
    number = content.pop(_FORMAT, 0)
    if not isinstance(number, int):
        raise damaged(path, what, f"its format is {number!r}")
    if number > newest:
        raise MalformedFileError(
            f"{path} holds {what} in format {number}, which a newer Headrace wrote; this one knows {newest}.",
            "read it with that version, or upgrade this one: pip install --upgrade headrace",
        )
    return content


def damaged(path: str, what: str, why: object) -> MalformedFileError:
    """Return the error on a file that does not hold what it should."""
    return MalformedFileError(f"{path} is not {what}: {str(why).rstrip('.')}.", MAKE_AGAIN)
