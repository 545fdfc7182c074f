"""SavedModels as files, read without loading a variable, and without TensorFlow. What is in one: `headrace.models`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from headrace.errors import ModelError
from headrace.files import files_below, open_file, whole_files
from headrace.formats.bare_protos import proto_class

MODEL_FILE = "saved_model.pb"
FINGERPRINT_FILE = "fingerprint.pb"
EXTRA_FOLDER = "assets.extra"
"""What is kept beside a model and servers pass over, but for requests to warm it up."""


def read(path: str, where: str) -> Any:
    """Read the `SavedModel` proto of the one in folder `path`.

    Raises:
        ModelError: If there is none, or it is damaged.
    """
    file_path = os.path.join(path, MODEL_FILE)
    if not exists(path):
        raise ModelError(
            f"{where}: there is no SavedModel in {path} (no {MODEL_FILE}).",
            "export the model with model.export(path), or with tf.saved_model.save.",
        )
    proto = proto_class("SavedModel")()
    with open_file(file_path) as file:
        try:
            proto.ParseFromString(file.read())
        except DecodeError as error:
            raise ModelError(
                f"{where}: {file_path} is damaged: {error}.", "export the model again."
            ) from error
    if not proto.meta_graphs:
        # What was cut off to nothing is a valid proto.
        raise ModelError(
            f"{where}: {file_path} is damaged: there is no graph in it.", "export the model again."
        )
    return proto


def write(path: str, saved_model: Any) -> None:
    """Write the proto of the SavedModel in folder `path`, byte-identical for equal content."""
    with whole_files.written(os.path.join(path, MODEL_FILE)) as file:
        file.write(saved_model.SerializeToString(deterministic=True))


def folders(root: str) -> Iterator[str]:
    """Yield the folders below `root`, and that itself, that hold a SavedModel, by name."""
    for name in files_below(root):
        if os.path.basename(name) == MODEL_FILE:
            yield os.path.dirname(os.path.join(root, name))


def exists(path: str) -> bool:
    """Whether there is a SavedModel in folder `path`."""
    return os.path.isfile(os.path.join(path, MODEL_FILE))
