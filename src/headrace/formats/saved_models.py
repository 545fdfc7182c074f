"""SavedModels as files: their signatures, read without loading a variable, and without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError

from headrace.errors import ModelError, did_you_mean, listed
from headrace.files import whole_files
from headrace.formats.bare_protos import proto_class

SERVING_SIGNATURE = "serving_default"
MODEL_FILE = "saved_model.pb"
FINGERPRINT_FILE = "fingerprint.pb"


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
    with open(file_path, "rb") as file:
        try:
            proto.ParseFromString(file.read())
        except DecodeError as error:
            raise ModelError(
                f"{where}: {file_path} is damaged: {error}.", "export the model again."
            ) from error
    return proto


def write(path: str, saved_model: Any) -> None:
    """Write the proto of the SavedModel in folder `path`, byte-identical for equal content."""
    with whole_files.written(os.path.join(path, MODEL_FILE)) as file:
        file.write(saved_model.SerializeToString(deterministic=True))


def folders(root: str) -> Iterator[str]:
    """Yield the folders below `root`, and that itself, that hold a SavedModel, by name."""
    for folder, names, files in os.walk(root):
        names.sort()
        if MODEL_FILE in files:
            yield folder


def exists(path: str) -> bool:
    """Whether there is a SavedModel in folder `path`."""
    return os.path.isfile(os.path.join(path, MODEL_FILE))


def signatures(saved_model: Any, tags: Iterable[str] = ()) -> dict[str, Any]:
    """Return the `SignatureDef` of each signature, of graphs that have all `tags`."""
    wanted = set(tags)
    return {
        name: signature
        for graph in saved_model.meta_graphs
        if wanted <= set(graph.meta_info_def.tags)
        for name, signature in graph.signature_def.items()
        if not name.startswith("__saved_model")
    }


def attributes(saved_model: Any) -> set[str]:
    """Return names of what hangs on the saved object itself: functions and layers that are no signatures."""
    graphs = [graph.object_graph_def for graph in saved_model.meta_graphs if graph.object_graph_def.nodes]
    return {child.local_name for graph in graphs for child in graph.nodes[0].children}


def takes_serialized_examples(signature: Any) -> bool:
    """Whether a signature has one input, a vector of strings."""
    inputs = list(signature.inputs.values())
    return len(inputs) == 1 and inputs[0].dtype == proto_class("DataType").Value("DT_STRING")


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
