"""TransformGraph: the SavedModel that transforms, its vocabularies, and the schemas of what goes in and comes out.

::

    transform_fn/saved_model.pb, transform_fn/assets/{vocabulary}
    metadata/schema.pbtxt                what goes in
    transformed_metadata/schema.pbtxt    what comes out
    TakenFor.json                        what `default_preprocessing` took each feature for; Headrace's own

The names are TFT's (`tensorflow_transform.TFTransformOutput`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.files import is_folder, names_in, open_file
from headrace.formats import json_files, protos

# What transforms is called in the SavedModel as its folder is.
FUNCTION = _MODEL_FOLDER = "transform_fn"
_RAW_FOLDER = "metadata"
_TRANSFORMED_FOLDER = "transformed_metadata"
CHOICES_FILE = "TakenFor.json"
_CHOICES_FORMAT = 1
_CHOICES = "what features were taken for"


def model_path(root: str) -> str:
    """Return the folder of the SavedModel."""
    return os.path.join(root, _MODEL_FOLDER)


def assets_path(root: str) -> str:
    """Return the folder of the vocabularies."""
    return os.path.join(model_path(root), "assets")


def raw_metadata_path(root: str) -> str:
    """Return the folder of the schema of what goes in."""
    return os.path.join(root, _RAW_FOLDER)


def transformed_metadata_path(root: str) -> str:
    """Return the folder of the schema of what comes out."""
    return os.path.join(root, _TRANSFORMED_FOLDER)


def read_raw_schema(root: str) -> schema_pb2.Schema:
    """Return the schema of what goes in.

    Raises:
        MissingFileError: If there is none.
        MalformedFileError: If it does not parse.
    """
    return protos.read_schema_in(raw_metadata_path(root))


def read_transformed_schema(root: str) -> schema_pb2.Schema:
    """Return the schema of what comes out.

    Raises:
        MissingFileError: If there is none.
        MalformedFileError: If it does not parse.
    """
    return protos.read_schema_in(transformed_metadata_path(root))


def read_vocabularies(root: str) -> dict[str, list[str]]:
    """Return the terms of each vocabulary, by the name of its file."""
    path = assets_path(root)
    found = {}
    for name in names_in(path) if is_folder(path) else []:
        try:
            with open_file(os.path.join(path, name)) as file:
                # By newlines alone: a term may hold what `splitlines` takes for the end of a line too.
                lines = file.read().removesuffix(b"\n").split(b"\n")
        except OSError:
            continue
        found[name] = [line.decode("utf-8", "replace") for line in lines] if lines != [b""] else []
    return found


def write_choices(root: str, choices: Sequence[tuple[str, str, str]]) -> None:
    """Write what each feature was taken for, and why; no file where nothing was decided."""
    if choices:
        rows = [{"feature": feature, "taken_for": role, "why": why} for feature, role, why in choices]
        json_files.write_numbered(os.path.join(root, CHOICES_FILE), {"features": rows}, _CHOICES_FORMAT)


def read_choices(root: str) -> list[tuple[str, str, str]]:
    """Return what each feature was taken for, and why; empty where a function of the user's decided.

    Raises:
        MalformedFileError: If the file holds something else.
    """
    path = os.path.join(root, CHOICES_FILE)
    if not os.path.exists(path):
        return []
    content = json_files.read_numbered(path, _CHOICES, _CHOICES_FORMAT)
    try:
        return [(str(one["feature"]), str(one["taken_for"]), str(one["why"])) for one in content["features"]]
    except (KeyError, TypeError) as error:
        raise json_files.damaged(path, _CHOICES, error) from error
