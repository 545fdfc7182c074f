"""Export with a transform graph of TensorFlow 2, as Transform writes it, and with lookup layers."""

from __future__ import annotations

import os

import apache_beam as beam
import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from headrace.models import readers
from headrace.models.exporters import export_model
from headrace.models.features import read_transformed
from headrace.runtime import beam_options

ROWS = [
    {"fare": [1.0], "tips": [0.1], "words": [b"a", b"b"], "kind": [b"x"]},
    {"fare": [3.0], "tips": [2.0], "words": [], "kind": [b"y"]},
    {"fare": [5.0], "tips": [3.0], "words": [b"b"], "kind": [b"x"]},
]
SPEC = {
    "fare": tf.io.FixedLenFeature([], tf.float32),
    "tips": tf.io.FixedLenFeature([], tf.float32),
    "words": tf.io.VarLenFeature(tf.string),
    "kind": tf.io.FixedLenFeature([1], tf.string),
}


def preprocessing_fn(inputs):
    """A number, several ids in a row, and a label that is made of two raw features."""
    return {
        "fare_xf": tft.scale_to_z_score(inputs["fare"]),
        "words_xf": tft.compute_and_apply_vocabulary(inputs["words"]),
        "kind_xf": tft.compute_and_apply_vocabulary(inputs["kind"]),
        "tips_xf": tf.cast(inputs["tips"] > inputs["fare"] * 0.2, tf.int64),
    }


def _record(row):
    example = tf.train.Example()
    for name, values in row.items():
        feature = example.features.feature[name]
        if values and isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif values:
            feature.float_list.value.extend(values)
    return example.SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def graph_path(tmp_path_factory):
    """A transform graph in TensorFlow 2's format."""
    path = tmp_path_factory.mktemp("graph")
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(SPEC))
    rows = [{**row, "fare": row["fare"][0], "tips": row["tips"][0]} for row in ROWS]
    with beam_options.make_pipeline([]) as pipeline, tft_beam.Context(temp_dir=f"{path}/tmp"):
        data = pipeline | beam.Create(rows), metadata
        _, transform_fn = data | tft_beam.AnalyzeAndTransformDataset(preprocessing_fn)
        _ = transform_fn | tft_beam.WriteTransformFn(f"{path}/graph")
        _ = metadata | tft_beam.WriteMetadata(f"{path}/graph/metadata", pipeline)
    return f"{path}/graph"


def _model(features):
    inputs = features.only(["fare_xf", "words_xf"]).inputs()
    fare, words = inputs["fare_xf"], keras.layers.Embedding(5, 2)(inputs["words_xf"])
    together = keras.layers.concatenate([fare, keras.layers.GlobalAveragePooling1D()(words)])
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(together))


def _session_outputs(path, signature, records):
    """Answer as a server does: TensorFlow 1's loader restores the variables that the graph names."""
    session = tf.compat.v1.Session(graph=tf.Graph())
    graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], path)
    definition = graph.signature_def[signature]
    fetches = {name: info.name for name, info in definition.outputs.items()}
    return session.run(fetches, {definition.inputs["examples"].name: records})


def test_features_of_the_graph(graph_path):
    """Several values in a row have no fixed width; ids know how many there are."""
    features = read_transformed(graph_path)
    assert {name: (feature.dtype, feature.shape) for name, feature in features.items()} == {
        "fare_xf": ("float32", (1,)),
        "kind_xf": ("int64", (1,)),
        "tips_xf": ("int64", (1,)),
        "words_xf": ("int64", (None,)),
    }


def test_only_needed_raw_features_are_read(graph_path):
    """The label's raw feature is not needed for the others."""
    reader = readers.TransformReader(graph_path)
    assert reader.raw_names(["fare_xf"]) == ["fare"]
    assert reader.raw_names(["kind_xf", "words_xf"]) == ["kind", "words"]
    assert reader.raw_names(["tips_xf"]) == ["fare", "tips"]


def test_export_answers_as_the_model_does(graph_path, tmp_path):
    """In this process, and restored by a server; without the label, whose raw feature is required otherwise."""
    model = _model(read_transformed(graph_path))
    path = str(tmp_path / "model")
    export_model(model, path, transform_graph_path=graph_path)
    unlabelled = [_record({name: row[name] for name in ("fare", "words")}) for row in ROWS]
    transformed = {
        "fare_xf": np.array([[-1.2247448], [0.0], [1.2247448]], np.float32),
        "words_xf": np.array([[1, 0], [0, 0], [0, 0]]),
    }
    wanted = model(transformed).numpy()
    loaded = tf.saved_model.load(path).signatures["serving_default"](examples=tf.constant(unlabelled))
    np.testing.assert_allclose(loaded["probabilities"], wanted, rtol=1e-5)
    served = _session_outputs(path, "serving_default", unlabelled)
    np.testing.assert_allclose(served["probabilities"], wanted, rtol=1e-5)


def test_transform_features_include_the_label(graph_path, tmp_path):
    """All transformed features; those with several values dense."""
    path = str(tmp_path / "model")
    export_model(_model(read_transformed(graph_path)), path, transform_graph_path=graph_path)
    found = _session_outputs(path, "transform_features", [_record(row) for row in ROWS])
    assert found["tips_xf"].tolist() == [0, 1, 1]
    assert found["words_xf"].tolist() == [[1, 0], [0, 0], [0, 0]]
    assert found["kind_xf"].tolist() == [[0], [1], [0]]


def test_the_graph_folder_is_not_needed_later(graph_path, tmp_path):
    """Vocabularies travel with the model."""
    path = str(tmp_path / "model")
    export_model(_model(read_transformed(graph_path)), path, transform_graph_path=graph_path)
    assert len(os.listdir(f"{path}/assets")) == 2


def test_lookup_layers_are_restored_by_a_server(tmp_path):
    """A table inside the Keras model is saved with it."""
    schema = schema_utils.schema_from_feature_spec(SPEC)
    schema.feature.sort(key=lambda feature: feature.name)
    kind = keras.Input((1,), dtype="string", name="kind")
    lookup = keras.layers.StringLookup(vocabulary=["x", "y"])
    ids = keras.ops.cast(lookup(kind), "float32")
    model = keras.Model(kind, keras.layers.Dense(1, kernel_initializer="ones", use_bias=True)(ids))
    path = str(tmp_path / "model")
    export_model(model, path, schema=schema_pb2.Schema.FromString(schema.SerializeToString()))
    served = _session_outputs(path, "serving_default", [_record({"kind": row["kind"]}) for row in ROWS])
    assert served["predictions"].tolist() == [[1.0], [2.0], [1.0]]
