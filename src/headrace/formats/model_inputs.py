"""What the matrix of a model is made of, where it takes one: a file beside the SavedModel, which moves with it.

::

    assets.extra/headrace_inputs.json
        {"format": 1, "matrix": [{"feature": "alcohol", "columns": 1}, {"feature": "pixels", "columns": 784}]}
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from headrace.formats import json_files

_FILE = os.path.join("assets.extra", "headrace_inputs.json")
_FORMAT = 1

# Features and how many columns each gives, in the order of the columns.
Matrix = tuple[tuple[str, int], ...]


def write(model_path: str, matrix: Iterable[tuple[str, int]]) -> None:
    """Write it into the folder of a SavedModel."""
    content = {"matrix": [{"feature": name, "columns": columns} for name, columns in matrix]}
    json_files.write_numbered(os.path.join(model_path, _FILE), content, _FORMAT)


def read(model_path: str) -> Matrix:
    """Return it; empty where a model takes its features by name, or where nothing is known of it.

    Raises:
        MalformedFileError: If the file does not hold it.
    """
    path = os.path.join(model_path, _FILE)
    if not os.path.exists(path):
        return ()
    what = "the inputs of a model"
    content = json_files.read_numbered(path, what, _FORMAT)
    try:
        return tuple((str(one["feature"]), int(one["columns"])) for one in content["matrix"])
    except (LookupError, TypeError, ValueError) as error:
        raise json_files.damaged(path, what, repr(error)) from error
