"""Names and places of new projects."""

from __future__ import annotations

import os
from dataclasses import dataclass

from headrace.errors import DefinitionError
from headrace.files import addresses, names_in
from headrace.files.names import MAX_LENGTH, is_plain, shown, slug


@dataclass(frozen=True)
class Place:
    """Where a project goes.

    Attributes:
        name: The project's and its pipeline's.
        path: Its folder, as it was given.
    """

    name: str
    path: str


def check_place(given: str) -> Place:
    """Check that a project of this name can be made.

    Args:
        given: A name, or a path whose last part is the name.

    Raises:
        DefinitionError: If no project can have the name, or something is there.
    """
    path = os.path.normpath(addresses.local_path(given, "the project")) if given else ""
    name = os.path.basename(path)
    if not is_plain(name) or name.startswith("-"):
        near = slug(name)
        hint = f"for example: {near if near != 'unnamed' else 'my_project'}"
        raise DefinitionError(
            f"{shown(given)} cannot be the name of a project.",
            f"use letters, digits, '-', '_' and '.', neither '.' nor '-' at the start, at most {MAX_LENGTH} bytes; {hint}",
        )
    above = os.path.dirname(os.path.abspath(path))
    if os.path.lexists(path) and not (os.path.isdir(path) and not names_in(path)):
        what = "a folder that is not empty" if os.path.isdir(path) else "a file"
        raise DefinitionError(
            f"'{path}' exists already, {what}. Nothing was written: a project never overwrites.",
            f"choose another name, or move {path} away.",
        )
    parent = above
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        what = "is not writable" if os.path.isdir(parent) else "is a file"
        raise DefinitionError(f"'{parent}' {what}, so no project can be made in it.", "choose another place.")
    return Place(name, path)
