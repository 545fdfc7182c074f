"""The input files of an ExampleGen: found by pattern, and known by a fingerprint of their content."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os

from headrace import files
from headrace.errors import DefinitionError, MissingFileError, listed
from headrace.files import addresses, elsewhere, marks, payloads
from headrace.sources.source import Request

_MAX_LISTED = 10


def in_folder(request: Request) -> Request:
    """Return a request for one file as that for its folder, with the file's name as the pattern.

    Raises:
        MissingFileError: If the pattern of a split is not that of the file.
    """
    path = request.place
    # What ends with a slash is no file, and an empty place is refused where files are found.
    if not os.path.basename(path) or not files.is_file(path):
        return request
    folder, name = os.path.split(path)
    splits = []
    for split in request.splits:
        if not fnmatch.fnmatchcase(name, split.pattern):
            raise MissingFileError(
                f"input_base '{path}' is a file, and the pattern '{split.pattern}' of split '{split.name}' is not that "
                "of its name.",
                f"leave the pattern out to read that file, or give the folder '{folder or os.curdir}'.",
            )
        # A brace would begin a placeholder.
        of_file = {"name": split.name, "pattern": glob.escape(name).replace("{", "[{]")}
        splits.append(type(split)(**of_file))
    return Request(folder or os.curdir, splits, request.range_config)


def find(input_base: str, pattern: str) -> list[str]:
    """Return the files under `input_base` that match `pattern`, sorted; hidden files and folders are left out.

    Args:
        input_base: A folder of this machine, or its address elsewhere, such as `s3://bucket/data`.
        pattern: A file pattern below it.

    Raises:
        DefinitionError: If `input_base` is empty.
        MissingFileError: If the folder does not exist, or nothing in it matches.
        UnreachableError: If an address cannot be reached.
    """
    if not input_base:
        raise DefinitionError("input_base is not given.", "give the folder that holds the input files.")
    found = files.matching_files(os.path.join(base_pattern(input_base), pattern))
    if found:
        return found
    if not glob.has_magic(input_base) and not files.is_folder(input_base):
        if addresses.is_elsewhere(input_base):
            raise MissingFileError(
                f"there is nothing at input_base '{input_base}'.",
                "correct the address, or put the files there.",
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
    is_plain = not glob.has_magic(input_base)
    return input_base if is_plain or not files.is_folder(input_base) else glob.escape(input_base)


def _holds(input_base: str, pattern: str) -> str:
    """Say what the deepest existing folder on the way to `pattern` holds."""
    folder = input_base
    for part in pattern.split(os.sep)[:-1]:
        if not files.is_folder(os.path.join(folder, part)):
            break
        folder = os.path.join(folder, part)
    names = files.names_in(folder) if files.is_folder(folder) else []
    shown = listed(names[:_MAX_LISTED]) + (
        f" and {len(names) - _MAX_LISTED} more" if names[_MAX_LISTED:] else ""
    )
    place = "It" if folder == input_base else f"'{folder}'"
    return f"{place} holds {shown}." if names else f"{place} is empty."


def fingerprint(split: str, paths: list[str]) -> str:
    """Return a line that names the content of a split's files, in the form of TFX's with a digest in it.

    TFX's has sums of the files' times instead: there a fresh checkout of the same data looks new, and an
    edit within the same second that keeps the size looks old. Of files elsewhere the line says by what they are
    known instead, such as their etags.
    """
    if any(map(addresses.is_elsewhere, paths)):
        infos = elsewhere.infos(paths)
        total = sum(int(info["size"] or 0) for info in infos)
        known = marks.combined([("", info) for info in infos])
        return f"split:{split},num_files:{len(paths)},total_bytes:{total},{known}"
    total = sum(files.sizes_of(paths))
    content = hashlib.sha256("\n".join(payloads.file_digests(paths)).encode())
    return f"split:{split},num_files:{len(paths)},total_bytes:{total},sha256:{content.hexdigest()}"
