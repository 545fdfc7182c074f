"""Write a model that is in TensorFlow operations as the SavedModel that Evaluator, InfraValidator and servers expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.formats import model_inputs, protos
from headrace.models import missing, readers, signatures
from headrace.models.exporters.servable import Servable

_EXAMPLES = [tf.TensorSpec(shape=[None], dtype=tf.string, name="examples")]


def make_reader(
    transform_graph_path: str | None, schema: schema_pb2.Schema | None, schema_path: str | None
) -> readers.ExampleReader | readers.TransformReader:
    """Return the reader of raw examples that becomes a part of the model; arguments as of `export_model`."""
    if schema is None and schema_path and not transform_graph_path:
        schema = protos.read_text(schema_path, schema_pb2.Schema)
    return readers.make(transform_graph_path, schema)


def save(servable: Servable, reader: Any, path: str) -> None:
    """Save a model with the signatures `serving_default` and `transform_features`, which take serialized Examples.

    Args:
        servable: The model.
        reader: Of the examples.
        path: The folder to write.
    """
    module = tf.Module(name="serving")
    # What a signature uses is saved only if an attribute of the saved object leads to it.
    for name, part in servable.parts.items():
        setattr(module, name, part)
    module.reader = reader
    tf.saved_model.save(
        module,
        path,
        signatures={
            signatures.SERVING: _serve(servable, reader),
            signatures.TRANSFORM: _transform(reader, list(reader.features)),
        },
    )
    if servable.matrix:
        model_inputs.write(path, servable.matrix)


def _serve(servable: Servable, reader: Any) -> Callable[..., Any]:
    # With AutoGraph, which a user's own layers may need; the rest does without, being slower to rewrite.
    @tf.function(input_signature=_EXAMPLES)
    def serve(examples: tf.Tensor) -> Mapping[str, tf.Tensor]:
        return servable.call(read(examples))

    reading = missing.KeepingMissing(reader) if servable.keeps_missing else reader

    @tf.autograph.experimental.do_not_convert
    def read(examples: tf.Tensor) -> Any:
        return reading.read(examples, servable.names)

    return serve


def _transform(reader: Any, names: Iterable[str]) -> Callable[..., Any]:
    @tf.function(input_signature=_EXAMPLES, autograph=False)
    def transform(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = reader.parse(examples, names)
        dense = readers.densified(parsed, reader.features)
        return {
            name: value if isinstance(value, tf.Tensor) else dense[name] for name, value in parsed.items()
        }

    return transform
