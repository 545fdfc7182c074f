"""Headrace's taxi run beside TFX's own, on all 15,002 rows with the same steps and batch size."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import stock_taxi
import stored
import tensorflow as tf
from google.protobuf import json_format
from ml_metadata.proto import metadata_store_pb2
from stores import assert_intact, open_store
from tensorflow_metadata.proto.v0 import statistics_pb2
from tensorflow_serving.apis import prediction_log_pb2

from headrace.formats import protos

SPLITS = ("train", "eval")


@pytest.fixture(scope="module")
def made(ours):
    """Where each output of Headrace's run lies, by node id and key."""
    result = stored.read_run(str(ours / ".headrace"))
    return {(node.node_id, output.key): output.uri for node in result.nodes for output in node.outputs}


@pytest.fixture(scope="module")
def pushed(ours, tmp_path_factory):
    """The version that was pushed, elsewhere: TensorFlow loads no model from a path with signs of patterns in it."""
    [version] = (ours / "serving" / "taxi").iterdir()
    return shutil.copytree(version, str(tmp_path_factory.mktemp("pushed") / version.name))


def test_taxi_runs_to_a_pushed_model(ours, pushed):
    """The main job: every node runs, the model is blessed and pushed, and the store knows the run."""
    result = stored.read_run(str(ours / ".headrace"))

    assert [node.state.value for node in result.nodes] == ["done"] * 11
    assert "BLESSED" in (ours / "printed").read_text().replace("NOT BLESSED", "")
    assert Path(pushed, "saved_model.pb").is_file()


def records(folder, split=""):
    """Return the records of an artifact's split, in the order of their bytes: shards have no order."""
    paths = sorted(map(str, Path(folder, f"Split-{split}" if split else "").glob("*.gz")))
    return sorted(tf.data.TFRecordDataset(paths, "GZIP").as_numpy_iterator())


def parsed(example):
    """Return an example's features as plain values."""
    features = tf.train.Example.FromString(example).features.feature
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value) if feature.WhichOneof("kind") else []
        for name, feature in sorted(features.items())
    }


@pytest.mark.parametrize("split", SPLITS)
def test_the_splits_hold_the_same_rows(stock, made, split):
    """Each row is hashed into the same bucket."""
    ours = [parsed(record) for record in records(made["CsvExampleGen", "examples"], split)]
    theirs = [
        parsed(record) for record in records(stock_taxi.payload(stock, "CsvExampleGen", "examples"), split)
    ]

    assert sorted(ours, key=str) == sorted(theirs, key=str)


@pytest.mark.parametrize("split", SPLITS)
def test_statistics_are_equal(stock, made, split):
    """Every number, feature by feature."""

    def read(folder):
        path = os.path.join(folder, f"Split-{split}", protos.STATISTICS_FILE)
        statistics = protos.read_binary(path, statistics_pb2.DatasetFeatureStatisticsList)
        [dataset] = json_format.MessageToDict(statistics)["datasets"]
        by_feature = {tuple(feature["path"]["step"]): feature for feature in dataset.pop("features")}
        return dataset, by_feature

    (ours, our_features) = read(made["StatisticsGen", "statistics"])
    (theirs, their_features) = read(stock_taxi.payload(stock, "StatisticsGen", "statistics"))
    assert ours == theirs
    assert our_features.keys() == their_features.keys()
    for name, feature in our_features.items():
        assert_close(feature, their_features[name], name)


def assert_close(ours, theirs, where):
    """Same structure and text; numbers within the rounding of sums in another order."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in ours.items():
            assert_close(value, theirs[key], (*where, key))
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for index, (one, other) in enumerate(zip(ours, theirs)):
            assert_close(one, other, (*where, index))
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-9), where
    else:
        assert ours == theirs, where


def test_the_schema_is_equal(stock, made):
    """Byte by byte."""
    ours = Path(made["SchemaGen", "schema"], "schema.pbtxt").read_text()

    assert ours == Path(stock_taxi.payload(stock, "SchemaGen", "schema"), "schema.pbtxt").read_text()


@pytest.mark.parametrize("split", SPLITS)
def test_transformed_values_are_equal(stock, made, split):
    """Within float rounding; the vocabularies number the same words alike."""
    ours, theirs = (
        sorted((parsed(record) for record in records(folder, split)), key=_rounded)
        for folder in (
            made["Transform", "transformed_examples"],
            stock_taxi.payload(stock, "Transform", "transformed_examples"),
        )
    )
    assert len(ours) == len(theirs) > 0
    assert ours[0].keys() == theirs[0].keys()
    for name in ours[0]:
        np.testing.assert_allclose(
            [row[name] for row in ours], [row[name] for row in theirs], rtol=1e-5, atol=1e-5, err_msg=name
        )


def _rounded(row):
    """A sort key that rounding does not change."""
    return [[round(float(value), 3) for value in row[name]] for name in sorted(row)]


def accuracy(folder, examples):
    """Return the binary accuracy of a model's answers, against the label that it makes itself."""
    model = tf.saved_model.load(folder)
    [scores] = model.signatures["serving_default"](examples=tf.constant(examples)).values()
    labels = model.signatures["transform_features"](examples=tf.constant(examples))["tips_xf"]
    return float(np.mean((scores.numpy().ravel() > 0.5) == (labels.numpy().ravel() == 1)))


def test_the_pushed_model_is_as_accurate_as_stocks(stock, made, pushed):
    """On the eval split, within a hundredth."""
    examples = records(made["CsvExampleGen", "examples"], "eval")
    stock_model = os.path.join(stock_taxi.payload(stock, "Trainer", "model"), "Format-Serving")

    ours, theirs = accuracy(pushed, examples), accuracy(stock_model, examples)

    assert ours == pytest.approx(theirs, abs=0.01)
    assert ours > 0.85


def test_the_pushed_model_answers_as_bulk_inferrer_did(made, pushed):
    """Loaded as Python does, and in a TF 1 session as TensorFlow Serving does."""
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log
        for record in records(made["BulkInferrer", "inference_result"])
    ]
    examples = [value for log in logs for value in log.request.inputs["examples"].string_val]
    [key] = logs[0].response.outputs
    expected = np.concatenate([tf.make_ndarray(log.response.outputs[key]) for log in logs])
    assert sorted(examples) == records(made["CsvExampleGen", "examples"], "eval")

    signature = tf.saved_model.load(pushed).signatures["serving_default"]
    np.testing.assert_allclose(signature(examples=tf.constant(examples))[key], expected, rtol=1e-5, atol=1e-6)

    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], pushed)
        definition = loaded.signature_def["serving_default"]
        feed = {definition.inputs["examples"].name: examples}
        answer = session.run(definition.outputs[key].name, feed)
    np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-6)


# What Headrace's own parameters and the two ways to name user code add or leave out.
_OWN_PARAMETERS = {
    "ExampleValidator": {"fail_on"},
    "Trainer": {"build_model", "label", "batch_size", "module_path"},
    "Transform": {"preprocessing_fn", "module_path"},
}


def recorded(path):
    """Return what a store says of each execution, its contexts, its events and their artifacts, but no values."""
    store = open_store(path)
    types = {t.name: t for t in [*store.get_execution_types(), *store.get_artifact_types()]}
    found = {}
    for execution in store.get_executions():
        name = execution.type.rpartition(".")[2]
        own = _OWN_PARAMETERS.get(name, set())
        events = []
        for event in store.get_events_by_execution_ids([execution.id]):
            [artifact] = store.get_artifacts_by_id([event.artifact_id])
            steps = [(step.key or step.index) for step in event.path.steps]
            events.append((event.type, steps, _signature(types[artifact.type]), *_artifact(artifact)))
        found[name] = {
            "type": _signature(types[execution.type]),
            "state": execution.last_known_state,
            "properties": _kinds(execution.properties),
            "parameters": {k: v for k, v in _kinds(execution.custom_properties).items() if k not in own},
            "contexts": sorted(context.type for context in store.get_contexts_by_execution(execution.id)),
            "events": sorted(events, key=str),
        }
    return found


def _artifact(artifact):
    """Types of properties; those of an artifact are Headrace's where their names say so."""
    return artifact.state, artifact.name, _kinds(artifact.properties), _kinds(artifact.custom_properties)


def _signature(type_):
    return type_.name, type_.base_type, dict(type_.properties)


def _kinds(properties):
    return {k: v.WhichOneof("value") for k, v in sorted(properties.items()) if not k.startswith("headrace_")}


def test_the_store_says_what_stocks_says(stock, ours):
    """Types with their properties and base types, executions, contexts, events, artifacts and their properties."""
    theirs = recorded(stock / "metadata.db")
    mine = recorded(ours / ".headrace" / "metadata.db")

    assert {name: mine[name] for name in theirs} == theirs
    assert {entry["state"] for entry in mine.values()} == {metadata_store_pb2.Execution.COMPLETE}


def test_the_store_is_intact(ours):
    """Nothing is left running or half-made."""
    assert_intact(ours / ".headrace")
