"""The folder that a command is run in."""

from __future__ import annotations

import os

from headrace.errors import SetupError


def check() -> None:
    """Check that the working folder exists, and that its path can be recorded.

    Raises:
        SetupError: If it was removed, or its path is not UTF-8, as ML Metadata needs it.
    """
    try:
        path = os.getcwd()
    except FileNotFoundError as error:
        raise SetupError(
            "the folder in which this command runs was removed.", "go to a folder that exists: cd FOLDER"
        ) from error
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise SetupError(
            f"the path of this folder, {shown}, holds bytes that are not UTF-8, and ML Metadata records paths in "
            "UTF-8.",
            "rename the folder, or run the command in another one.",
        ) from error
