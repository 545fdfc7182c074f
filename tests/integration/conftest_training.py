"""What the tests of Trainer, Tuner and BulkInferrer share: stock TFX's test data and small user modules."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf
import tfx
from executor_contexts import executor_context
from tfx.types import artifact_utils, standard_artifacts

DATA = os.path.join(os.path.dirname(tfx.__file__), "components", "testdata")

MODEL_SOURCE = '''
import keras


def build_model(features, hyperparameters):
    """A small network on all features."""
    inputs = features.only(
        name for name, feature in features.items() if feature.num_values or feature.dtype == "float32"
    ).inputs()
    parts = []
    for name, feature in features.items():
        if feature.num_values:
            parts.append(keras.layers.CategoryEncoding(feature.num_values, output_mode="one_hot")(inputs[name]))
        elif feature.dtype == "float32":
            parts.append(inputs[name])
    hidden = keras.layers.Dense(hyperparameters.get("units", 8), activation="relu")(
        keras.layers.concatenate(parts)
    )
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))


def build_raising(features, hyperparameters):
    raise KeyError("no such layer")


def build_nothing(features, hyperparameters):
    return 17


def build_foreign_input(features, hyperparameters):
    mine = keras.Input(shape=(1,), name="fare")
    return keras.Model(mine, keras.layers.Dense(1)(mine))


def build_exploding(features, hyperparameters):
    fare = features["fare_xf"].input()
    model = keras.Model(fare, keras.layers.Dense(1)(fare))
    model.compile(optimizer=keras.optimizers.SGD(float(hyperparameters.get("learning_rate", 1e30))), loss="mse")
    return model


def build_raw(features, hyperparameters):
    """On raw features: one number, one string."""
    miles, payment = features["trip_miles"].input(), features["payment_type"].input()
    lookup = keras.layers.StringLookup(vocabulary=list(features["payment_type"].vocabulary), output_mode="one_hot")
    together = keras.layers.concatenate([miles, keras.ops.cast(lookup(payment), "float32")])
    return keras.Model([miles, payment], keras.layers.Dense(1)(together))


def build_classes(features, hyperparameters):
    """For the penguins: three classes, one input of each feature, in a list."""
    inputs = [feature.input() for feature in features.values()]
    scaled = keras.layers.Rescaling(0.01)(keras.layers.concatenate(inputs))
    hidden = keras.layers.Dense(int(hyperparameters["units"]), activation="relu")(scaled)
    return keras.Model(inputs, keras.layers.Dense(3)(hidden))
'''


def artifact(kind: str, uri: str, splits: list[str] | None = None, **properties: str) -> Any:
    """Return a standard artifact at `uri`."""
    made = getattr(standard_artifacts, kind)()
    made.uri = str(uri)
    if splits:
        made.split_names = artifact_utils.encode_split_names(splits)
    for key, value in properties.items():
        made.set_string_custom_property(key, value)
    return made


def transformed_inputs() -> dict[str, list[Any]]:
    """Return the taxi data after stock TFX's Transform, with its graph."""
    return {
        "examples": [artifact("Examples", f"{DATA}/transform/transformed_examples", ["train", "eval"])],
        "transform_graph": [artifact("TransformGraph", f"{DATA}/transform/transform_graph")],
    }


def raw_inputs() -> dict[str, list[Any]]:
    """Return the taxi data as CsvExampleGen left it, with its schema."""
    return {
        "examples": [artifact("Examples", f"{DATA}/csv_example_gen", ["train", "eval"])],
        "schema": [artifact("Schema", f"{DATA}/schema_gen")],
    }


def penguin_inputs() -> dict[str, list[Any]]:
    """Return stock TFX's penguins, with their schema."""
    return {
        "examples": [artifact("Examples", f"{DATA}/penguin/data", ["train", "eval"])],
        "schema": [artifact("Schema", f"{DATA}/penguin/schema")],
    }


def training_outputs(path: Any) -> dict[str, list[Any]]:
    """Return Trainer's outputs in a folder."""
    return {
        "model": [artifact("Model", f"{path}/model")],
        "model_run": [artifact("ModelRun", f"{path}/run")],
    }


def properties(**given: Any) -> dict[str, Any]:
    """Return exec properties: train and eval arguments of a few steps, and what is given."""
    return {"train_args": '{"num_steps": 20}', "eval_args": '{"num_steps": 5}', **given}


def execute(
    executor: Callable[..., Any], inputs: Any, outputs: Any, parameters: dict[str, Any], path: Any
) -> None:
    """Run an executor as a launcher does."""
    executor(executor_context(path)).Do(inputs, outputs, parameters)


def train(
    path: Any, model_file: str, name: str, inputs: dict[str, list[Any]] | None = None, **given: Any
) -> dict[str, list[Any]]:
    """Train the model of a `build_model` function, on the transformed taxi data unless other inputs are given."""
    from headrace.components.trainer.executor import Executor

    outputs = training_outputs(path)
    parameters = properties(build_model=f"{model_file}:{name}", **{"label": "tips", **given})
    execute(Executor, inputs or transformed_inputs(), outputs, parameters, path)
    return outputs


def serving_path(outputs: dict[str, list[Any]]) -> str:
    """Return the folder of the model that is served."""
    return f"{outputs['model'][0].uri}/Format-Serving"


def records(pattern: str) -> list[bytes]:
    """Return the records of gzipped TFRecord files."""
    paths = sorted(glob.glob(pattern))
    return list(tf.data.TFRecordDataset(paths, "GZIP").as_numpy_iterator())


def read_json(path: str) -> Any:
    """Return the content of a JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def summary(made: Any) -> str:
    """Return the line that the executor left for the table."""
    return str(made.get_string_custom_property("headrace_summary"))


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A module file with `build_model` functions, and no `run_fn`."""
    path = tmp_path_factory.mktemp("modules") / "small_models.py"
    path.write_text(MODEL_SOURCE)
    return str(path)


@pytest.fixture(scope="session")
def taxi_model(model_file: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Outputs of a Trainer that was run on the transformed taxi data."""
    from headrace.components.trainer.executor import Executor

    path = tmp_path_factory.mktemp("taxi_model")
    outputs = training_outputs(path)
    parameters = properties(
        module_file=model_file, label="tips", batch_size=40, train_args='{"num_steps": 600}'
    )
    parameters["eval_args"] = "{}"
    execute(Executor, transformed_inputs(), outputs, parameters, path)
    return outputs
