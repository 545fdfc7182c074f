"""From serialized examples to the dense batches that a model takes, in one TensorFlow graph.

The same readers feed training and go into the exported model, so that both see the same values. AutoGraph
is kept out of them: to rewrite the source of what they call, tf.Transform's loader and all, took half the
time of an export.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils

from headrace.errors import UnsupportedFeatureError
from headrace.files import open_file
from headrace.formats import protos, tensorflow_paths
from headrace.training.features import Features, densify, from_schema, read_transformed
from headrace.training.tft_internals import TransformLoader

tensorflow_paths.accept_any_folder()

_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


class ExampleReader(tf.Module):
    """Reads features that the examples hold as they are: raw ones, or transformed ones from Transform.

    Attributes:
        features: All that it can read.
    """

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.features = features

    @tf.autograph.experimental.do_not_convert
    def parse(self, records: tf.Tensor, names: Iterable[str]) -> dict[str, Any]:
        """Return the named features of serialized examples as `tf.io.parse_example` does."""
        return tf.io.parse_example(records, {name: self.features[name].spec for name in names})

    @tf.autograph.experimental.do_not_convert
    def read(self, records: tf.Tensor, names: Iterable[str]) -> dict[str, tf.Tensor]:
        """Return the named features of serialized examples, dense."""
        return densified(self.parse(records, names), self.features)


class TransformReader(tf.Module):
    """Reads raw examples and applies a transform graph.

    The Keras layer of tf.Transform cannot be used: it is one of Keras 2.

    Args:
        transform_graph_path: Folder of a TransformGraph artifact.

    Attributes:
        features: The transformed features.
    """

    def __init__(self, transform_graph_path: str) -> None:
        super().__init__()
        self.features = read_transformed(transform_graph_path)
        output = tft.TFTransformOutput(transform_graph_path)
        self._raw_specs = _raw_specs(transform_graph_path)
        _check_servable(output.transform_savedmodel_dir)
        self._loader = TransformLoader(output.transform_savedmodel_dir)
        # Tables, vocabulary files and variables of the graph are saved with whatever holds this attribute.
        self.transform = self._loader.imported

    @tf.autograph.experimental.do_not_convert
    def parse(self, records: tf.Tensor, names: Iterable[str]) -> dict[str, Any]:
        """Return the named transformed features of serialized raw examples, as the graph makes them.

        Only the raw features on which these depend are read: a label that no other feature is made of may
        be missing.
        """
        names = list(names)
        raw = tf.io.parse_example(records, {name: self._raw_specs[name] for name in self.raw_names(names)})
        transformed = self._loader.transform(raw)
        return {name: transformed[name] for name in names}

    @tf.autograph.experimental.do_not_convert
    def read(self, records: tf.Tensor, names: Iterable[str]) -> dict[str, tf.Tensor]:
        """Return the named transformed features of serialized raw examples, dense."""
        return densified(self.parse(records, names), self.features)

    def raw_names(self, names: Iterable[str]) -> list[str]:
        """Return the raw features of which the transformed features `names` are made."""
        sources: set[int] = set()
        for name in names:
            sources.update(id(tensor) for tensor in self._loader.sources[name])
        inputs = self._loader.inputs
        needed = [name for name in self._raw_specs if sources & _component_ids(self._loader, inputs[name])]
        # A graph of constants still needs the number of rows.
        return needed or list(self._raw_specs)[:1]


def _raw_specs(transform_graph_path: str) -> dict[str, Any]:
    path = os.path.join(transform_graph_path, "metadata", protos.SCHEMA_FILE)
    schema = protos.read_text(path, schema_pb2.Schema)
    return dict(sorted(schema_utils.schema_as_feature_spec(schema).feature_spec.items()))


def _check_servable(model_path: str) -> None:
    """Check that a transform graph calls no Python function: these live in the process that traced it.

    Raises:
        UnsupportedFeatureError: If it does.
    """
    saved = saved_model_pb2.SavedModel()
    path = os.path.join(model_path, "saved_model.pb")
    if not os.path.exists(path):
        return
    with open_file(path) as file:
        saved.ParseFromString(file.read())
    for meta_graph in saved.meta_graphs:
        graph = meta_graph.graph_def
        functions = (function.node_def for function in graph.library.function)
        for node in itertools.chain(graph.node, *functions):
            if node.op in _PYTHON:
                raise UnsupportedFeatureError(
                    f"the transform graph in {model_path} calls a Python function ({node.name}), which no SavedModel "
                    "carries, so no model with it can be exported for serving.",
                    "write it in TensorFlow operations in preprocessing_fn; or train with run_fn on the transformed "
                    "examples, and export a model that takes transformed features.",
                )


def _component_ids(loader: TransformLoader, tensor: Any) -> set[int]:
    """Identities of the graph tensors that carry one raw feature."""
    if isinstance(tensor, meta_graph_pb2.TensorInfo):  # a graph in TensorFlow 1's format
        coo = tensor.coo_sparse
        names = {
            "name": [tensor.name],
            "coo_sparse": [coo.values_tensor_name, coo.indices_tensor_name, coo.dense_shape_tensor_name],
            "composite_tensor": [part.name for part in tensor.composite_tensor.components],
        }[tensor.WhichOneof("encoding")]
        return {id(loader.tensor(name)) for name in names}
    return {id(part) for part in tf.nest.flatten(tensor, expand_composites=True)}


def densified(parsed: Mapping[str, Any], features: Features) -> dict[str, tf.Tensor]:
    """Return parsed features as dense batches; see `features.densify`."""
    return {name: densify(value, features[name]) for name, value in parsed.items()}


def make(
    transform_graph_path: str | None, schema: schema_pb2.Schema | None
) -> ExampleReader | TransformReader:
    """Return the reader of raw examples for a model that is exported with this graph or schema."""
    if transform_graph_path:
        return TransformReader(transform_graph_path)
    if schema is None:
        raise ValueError("either a transform graph or a schema is needed to read examples.")
    return ExampleReader(from_schema(schema))
