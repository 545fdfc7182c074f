"""Names inside a SavedModel of TFT that depend on what it holds, and on nothing else."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import uuid

from tensorflow.core.protobuf import fingerprint_pb2

from headrace.files import create_file, open_file
from headrace.formats import saved_models, tensorflow_internals


def name_tables_by_content(model_path: str, tmp_path: str) -> None:
    """Rename the model's lookup tables after the contents of their vocabularies.

    TFT names a table after the temporary path of its vocabulary. Such a name makes equal models differ. And
    TensorFlow shares tables by name within a process: two models whose temporary paths were the same, say
    a candidate and its baseline, would both use the vocabulary that was loaded first.

    Args:
        model_path: Folder of the SavedModel, changed in place.
        tmp_path: Folder of the vocabularies.
    """
    saved = saved_models.read(model_path, "the transform graph")
    vocabulary = re.compile(re.escape(os.fsencode(tmp_path)) + rb"/([^']+)")
    for meta_graph in saved.meta_graphs:
        graph = meta_graph.graph_def
        functions = (function.node_def for function in graph.library.function)
        for node in itertools.chain(graph.node, *functions):
            if "shared_name" in node.attr:
                value = node.attr["shared_name"]
                value.s = vocabulary.sub(_content_name, value.s)
    saved_models.write(model_path, saved)
    _write_fingerprint(model_path)


def _content_name(match: re.Match[bytes]) -> bytes:
    """`{hash of the file's content}/{file name}`; a path that is no file stays as it is."""
    try:
        with open_file(os.fsdecode(match.group(0))) as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return match.group(0)
    return digest[:32].encode() + b"/" + match.group(1)


def _write_fingerprint(model_path: str) -> None:
    path = os.path.join(model_path, saved_models.FINGERPRINT_FILE)
    if not os.path.exists(path) or not tensorflow_internals.write_fingerprint(model_path):
        return
    fingerprint = fingerprint_pb2.FingerprintDef()
    with open_file(path) as file:
        fingerprint.ParseFromString(file.read())
    # Newer TensorFlow adds a random id, which nothing reads.
    if getattr(fingerprint, "uuid", ""):
        fingerprint.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, str(fingerprint.saved_model_checksum)))
        with create_file(path) as file:
            file.write(fingerprint.SerializeToString(deterministic=True))
