"""SavedModels as files: their signatures, read without loading a variable. Needs TensorFlow's protos."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from headrace.errors import ModelError, did_you_mean, listed
from headrace.files import open_file

SERVING_SIGNATURE = "serving_default"
_FILE = "saved_model.pb"


def read(path: str, where: str) -> saved_model_pb2.SavedModel:
    """Read the proto of the SavedModel in folder `path`.

    Raises:
        ModelError: If there is none, or it is damaged.
    """
    file_path = os.path.join(path, _FILE)
    if not exists(path):
        raise ModelError(
            f"{where}: there is no SavedModel in {path} (no {_FILE}).",
            "export the model with model.export(path), or with tf.saved_model.save.",
        )
    proto = saved_model_pb2.SavedModel()
    with open_file(file_path) as file:
        try:
            proto.ParseFromString(file.read())
        except DecodeError as error:
            raise ModelError(
                f"{where}: {file_path} is damaged: {error}.", "export the model again."
            ) from error
    return proto


def exists(path: str) -> bool:
    """Whether there is a SavedModel in folder `path`."""
    return os.path.isfile(os.path.join(path, _FILE))


def signatures(saved_model: saved_model_pb2.SavedModel, tags: Iterable[str] = ()) -> dict[str, Any]:
    """Return the `SignatureDef` of each signature, of graphs that have all `tags`."""
    wanted = set(tags)
    return {
        name: signature
        for graph in saved_model.meta_graphs
        if wanted <= set(graph.meta_info_def.tags)
        for name, signature in graph.signature_def.items()
        if not name.startswith("__saved_model")
    }


def attributes(saved_model: saved_model_pb2.SavedModel) -> set[str]:
    """Return names of what hangs on the saved object itself: functions and layers that are no signatures."""
    graphs = [graph.object_graph_def for graph in saved_model.meta_graphs if graph.object_graph_def.nodes]
    return {child.local_name for graph in graphs for child in graph.nodes[0].children}


def takes_serialized_examples(signature: Any) -> bool:
    """Whether a signature has one input, a vector of strings."""
    inputs = list(signature.inputs.values())
    return len(inputs) == 1 and inputs[0].dtype == types_pb2.DT_STRING


def check_signature(name: str, known: Iterable[str], where: str, field: str) -> None:
    """Check that a signature exists.

    Args:
        name: The signature.
        known: Those that the model has.
        where: Node, and role of the model, for the message.
        field: Where the user names it, such as `"signature_name in eval_config"`.

    Raises:
        ModelError: If it does not, naming those that do.
    """
    names = list(known)
    if name not in names:
        raise ModelError(
            f"{where} has no signature '{name}'. It has {listed(names)}.",
            f"{did_you_mean(name, names)}Correct {field}, or save the model with this signature.",
        )
