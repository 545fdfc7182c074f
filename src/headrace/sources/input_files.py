"""The input files of an ExampleGen: found by pattern, and known by a fingerprint of their content."""

from __future__ import annotations

import glob
import hashlib
import os

from headrace.errors import DefinitionError, MissingFileError, listed
from headrace.files import digests

_MAX_LISTED = 10


def find(input_base: str, pattern: str) -> list[str]:
    """Return the files under `input_base` that match `pattern`, sorted; hidden files and folders are left out.

    Raises:
        DefinitionError: If `input_base` is empty.
        MissingFileError: If the folder does not exist, or nothing in it matches.
    """
    if not input_base:
        raise DefinitionError("input_base is not given.", "give the folder that holds the input files.")
    full = os.path.join(base_pattern(input_base), pattern)
    found = sorted(path for path in glob.glob(full) if os.path.isfile(path))
    if found:
        return found
    if not glob.has_magic(input_base) and not os.path.isdir(input_base):
        if os.path.isfile(input_base):
            raise MissingFileError(
                f"input_base '{input_base}' is a file, where a folder is needed.",
                f"give '{os.path.dirname(input_base) or '.'}', and name the file in the split's pattern.",
            )
        raise MissingFileError(
            f"input_base '{input_base}' does not exist (looked in {os.getcwd()}).",
            "correct the path; a relative path starts at the folder where the command runs.",
        )
    raise MissingFileError(
        f"no file matches '{pattern}' in '{input_base}'. {_holds(input_base, pattern)}",
        "correct input_base or the pattern of the split in input_config.",
    )


def base_pattern(input_base: str) -> str:
    """Return `input_base` as the beginning of a file pattern.

    It may hold a pattern itself; where a folder of that very name exists, it is that folder.
    """
    return glob.escape(input_base) if os.path.isdir(input_base) else input_base


def _holds(input_base: str, pattern: str) -> str:
    """Say what the deepest existing folder on the way to `pattern` holds."""
    folder = input_base
    for part in pattern.split(os.sep)[:-1]:
        if not os.path.isdir(os.path.join(folder, part)):
            break
        folder = os.path.join(folder, part)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    shown = listed(names[:_MAX_LISTED]) + (
        f" and {len(names) - _MAX_LISTED} more" if names[_MAX_LISTED:] else ""
    )
    place = "It" if folder == input_base else f"'{folder}'"
    return f"{place} holds {shown}." if names else f"{place} is empty."


def fingerprint(split: str, paths: list[str]) -> str:
    """Return a line that names the content of a split's files, in the form of TFX's with a digest in it.

    TFX's has sums of the files' times instead: there a fresh checkout of the same data looks new, and an
    edit within the same second that keeps the size looks old.
    """
    total = sum(os.path.getsize(path) for path in paths)
    content = hashlib.sha256("\n".join(digests.file_digests(paths)).encode())
    return f"split:{split},num_files:{len(paths)},total_bytes:{total},sha256:{content.hexdigest()}"
