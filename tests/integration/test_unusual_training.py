"""Trainer and Tuner on names, values and parameters to trip over."""

from __future__ import annotations

import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest_training import artifact, execute, properties, raw_inputs, read_json, summary, training_outputs
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.trainer.executor import Executor
from headrace.errors import DefinitionError, TrainingError
from headrace.formats import protos
from headrace.models import keras_inputs
from headrace.training import short_form

NAMES = ["class", "lambda", "<script>alert(1)</script>", "é x", "a/b", "a:b", "1st"]
SOURCE = '''
import keras


def build_dict(features, hyperparameters):
    """Inputs by name."""
    inputs = features.inputs()
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.concatenate(list(inputs.values()))))


def build_list(features, hyperparameters):
    """Inputs in a list, which Keras knows by their own names."""
    inputs = [feature.input() for feature in features.values()]
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.concatenate(inputs)))


def build_one(features, hyperparameters):
    fare = features["fare"].input()
    return keras.Model(fare, keras.layers.Dense(1)(fare))
'''


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "unusual_models.py"
    path.write_text(SOURCE)
    return str(path)


def examples(path, columns):
    """Rows of numbers, the same for training and evaluation, with their schema."""
    schema = schema_pb2.Schema()
    for name in columns:
        text = f'name: "{name}" type: FLOAT presence {{ min_fraction: 1 }} shape {{ dim {{ size: 1 }} }}'
        schema.feature.append(text_format.Parse(text, schema_pb2.Feature()))
    protos.write_text(str(path / "schema" / protos.SCHEMA_FILE), schema)
    for split in ("train", "eval"):
        (path / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(f"{path}/Split-{split}/data_tfrecord-00000-of-00001.gz", "GZIP") as writer:
            for row in zip(*columns.values()):
                example = tf.train.Example()
                for name, value in zip(columns, row):
                    example.features.feature[name].float_list.value.append(value)
                writer.write(example.SerializeToString())
    return {
        "examples": [artifact("Examples", path, ["train", "eval"])],
        "schema": [artifact("Schema", path / "schema")],
    }


def train(path, model_file, name, inputs, **given):
    outputs = training_outputs(path)
    execute(Executor, inputs, outputs, properties(build_model=f"{model_file}:{name}", **given), path)
    return outputs


# Keras says so of names that no tensor of TensorFlow can have.
@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
@pytest.mark.parametrize("name", ["build_dict", "build_list"])
def test_features_of_any_name_are_trained_on_and_served(tmp_path, models, name):
    """Python's words, signs that Keras refuses, and what a page would run."""
    inputs = examples(tmp_path / "data", {key: np.arange(8.0) for key in [*NAMES, "label"]})

    outputs = train(tmp_path, models, name, inputs, batch_size=4)

    served = tf.saved_model.load(os.path.join(outputs["model"][0].uri, "Format-Serving")).signatures
    record = tf.train.Example()
    for key in NAMES:
        record.features.feature[key].float_list.value.append(1.0)
    answer = served["serving_default"](examples=tf.constant([record.SerializeToString()]))
    assert answer["predictions"].shape == (1, 1)
    record.features.feature["label"].float_list.value.append(1.0)
    raw = served["transform_features"](examples=tf.constant([record.SerializeToString()]))
    assert set(raw) == {*NAMES, "label"}


def test_an_input_of_no_feature_is_named_as_it_is_in_the_model(tmp_path, models):
    inputs = examples(tmp_path / "data", {"a/b": np.arange(8.0), "label": np.arange(8.0)})

    with pytest.raises(TrainingError) as caught:
        keras_inputs.resolve(_model_of("a|c"), short_form.from_schema(_schema(inputs)), "trainer")

    assert caught.value.problem == (
        "trainer: the model has an input 'a|c', and no feature has this name. There are 'a/b', 'label'."
    )


def _schema(inputs):
    return protos.read_schema(inputs["schema"][0])


def _model_of(name):
    given = keras.Input((1,), name=name)
    return keras.Model(given, keras.layers.Dense(1)(given))


@pytest.mark.parametrize(
    ("hyperparameters", "problem"),
    [
        ({"batch_size": 0}, "hyperparameter 'batch_size' is 0"),
        ({"batch_size": -4}, "hyperparameter 'batch_size' is -4"),
        ({"epochs": 0}, "hyperparameter 'epochs' is 0"),
        ({"epochs": "many"}, "hyperparameter 'epochs' is 'many'"),
    ],
)
def test_sizes_below_one_are_refused(tmp_path, models, hyperparameters, problem):
    """Be they a Tuner's or the user's own; an epoch of nothing is no default."""
    with pytest.raises(TrainingError) as caught:
        train(
            tmp_path,
            models,
            "build_one",
            raw_inputs(),
            label="tips",
            custom_config=json.dumps(hyperparameters),
        )

    assert str(caught.value) == (
        f"trainer: {problem}, and a whole number from 1 is needed.\n"
        "  Fix: correct it in custom_config, or in the Tuner's search_space."
    )


@pytest.mark.parametrize("key", ["train_args", "eval_args"])
def test_negative_steps_are_refused(tmp_path, models, key):
    with pytest.raises(DefinitionError) as caught:
        train(tmp_path, models, "build_one", raw_inputs(), label="tips", **{key: '{"num_steps": -5}'})

    assert str(caught.value) == (
        f"trainer: num_steps of {key} is -5.\n  Fix: give the number of batches, or leave it out for no bound."
    )


def test_an_evaluation_that_is_never_a_number_is_no_success(tmp_path, models):
    """The weights of the best epoch would be those of the first."""
    columns = {"fare": np.arange(8.0), "label": np.arange(8.0)}
    inputs = examples(tmp_path / "data", columns)
    broken = examples(tmp_path / "broken", {**columns, "fare": np.full(8, np.nan)})
    os.replace(tmp_path / "broken" / "Split-eval", tmp_path / "data" / "Split-eval2")
    inputs["examples"][0].split_names = '["train", "eval", "eval2"]'
    del broken

    with pytest.raises(TrainingError) as caught:
        train(tmp_path, models, "build_one", inputs, eval_args='{"splits": ["eval2"]}', epochs=2)

    assert caught.value.problem == "trainer: the loss in evaluation is NaN in each of 2 epochs."


def test_the_best_epoch_is_one_with_a_loss(tmp_path, models, monkeypatch):
    """A first evaluation that is NaN is not the smallest."""
    inputs = examples(tmp_path / "data", {"fare": np.arange(8.0), "label": np.arange(8.0)})
    original = keras.Model.evaluate
    calls = []

    def evaluate(self, *args, **given):
        calls.append(1)
        result = original(self, *args, **given)
        return {**result, "loss": float("nan")} if len(calls) == 1 else result

    monkeypatch.setattr(keras.Model, "evaluate", evaluate)
    outputs = train(tmp_path, models, "build_one", inputs, epochs=3, batch_size=4, train_args="{}")

    assert np.isnan(read_json(f"{outputs['model_run'][0].uri}/history.json")["val_loss"][0])
    assert "val_loss nan" not in summary(outputs["model"][0])
