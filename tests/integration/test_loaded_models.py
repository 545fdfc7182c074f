"""`headrace.load` of a model, beside Keras and TensorFlow on the same rows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import report_artifacts
import tensorflow as tf
from google.protobuf import text_format
from rich.console import Console
from tensorflow_metadata.proto.v0 import schema_pb2

import headrace
from headrace import testing
from headrace.authoring import standard_artifacts
from headrace.errors import DefinitionError, ModelError, ModelInputError
from headrace.formats.checkpoints import Checkpoint
from headrace.models.exporters import export_model
from headrace.reports.artifacts import model_differences, models
from headrace.reports.blocks.blocks import Report
from headrace.reports.blocks.texts import print_report

SCHEMA = "".join(
    f'feature {{ name: "{name}" type: FLOAT presence {{ min_fraction: 1 }} shape {{ {shape} }} }}'
    for name, shape in {"x1": "dim { size: 1 }", "pair": "dim { size: 2 }", "x2": "dim { size: 1 }"}.items()
)
WEIGHTS = [[2.0], [-3.0], [0.5], [1.0]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A linear model of four numbers, exported; with what Keras itself computes."""
    inputs = {name: keras.Input((size,), name=name) for name, size in {"x1": 1, "pair": 2, "x2": 1}.items()}
    normal = keras.layers.Normalization(mean=0.0, variance=1.0, axis=None)(inputs["x2"])
    joined = keras.layers.concatenate([inputs["x1"], inputs["pair"], normal])
    trained = keras.Model(inputs, keras.layers.Dense(1, name="line")(joined))
    trained.get_layer("line").set_weights([np.array(WEIGHTS), np.array([5.0])])
    folder = tmp_path_factory.mktemp("model")
    schema = text_format.Parse(SCHEMA, schema_pb2.Schema())
    made = testing.make_artifact(folder, standard_artifacts.Model)
    export_model(trained, str(folder / "Format-Serving"), schema=schema)
    found = headrace.load(made)
    found.keras = trained
    return found


ROWS = pd.DataFrame({"x1": [1.0, 2.0], "pair": [[1.0, 0.0], [0.0, 2.0]], "x2": [0.5, -1.0]}, index=["a", "b"])


def test_weights_are_those_of_keras_under_their_names(model: Any) -> None:
    assert list(model.weights) == ["line/kernel", "line/bias"]
    assert model.weights["line/kernel"].tolist() == WEIGHTS
    assert model.weights["line/bias"].tolist() == [5.0]
    assert model.weight_features == {"line/kernel": ("x1", "pair[0]", "pair[1]", "x2")}


def test_the_checkpoint_is_read_as_tensorflow_reads_it(model: Any) -> None:
    theirs = tf.train.load_checkpoint(f"{model.saved_model_path}/variables/variables")
    ours = Checkpoint(model.saved_model_path)

    keys = {key for key in theirs.get_variable_to_shape_map() if not key.startswith("_")}
    assert {one.key for one in ours.tensors} == keys
    for tensor in ours.tensors:
        np.testing.assert_array_equal(ours.read(tensor), theirs.get_tensor(tensor.key))
        assert tensor.type_name == theirs.get_variable_to_dtype_map()[tensor.key].name


def test_predictions_are_those_of_keras(model: Any) -> None:
    """A frame keeps its index; columns of no use, and whole numbers for numbers, make no difference."""
    given = {name: np.array(ROWS[name].tolist()).reshape(2, -1) for name in ROWS}
    wanted = model.keras.predict(given, verbose=0)

    found = model.predict(ROWS.assign(label=["x", "y"]))
    assert list(found.columns) == ["predictions"]
    assert list(found.index) == ["a", "b"]
    np.testing.assert_array_equal(found["predictions"].to_numpy(), wanted[:, 0])
    assert model.predict({"x1": 1, "pair": [1, 0], "x2": 0})["predictions"].tolist() == [4.0]
    np.testing.assert_array_equal(model.predict_arrays(ROWS.to_dict("records"))["predictions"], wanted)


def test_examples_are_predicted_split_by_split(model: Any, tmp_path: Path) -> None:
    rows = ROWS.to_dict("records")
    examples = headrace.load(testing.make_examples(tmp_path / "rows", {"train": rows * 3, "eval": rows}))

    wanted = model.predict(ROWS)["predictions"].tolist()
    assert model.predict(examples, split="eval")["predictions"].tolist() == wanted
    assert len(model.predict(examples)) == 8
    assert len(model.predict(examples, limit=3)) == 3
    assert model.predict(next(examples.serialized("eval")))["predictions"].tolist() == wanted


def test_transformed_features_have_a_column_for_each_value(model: Any) -> None:
    found = model.predict(ROWS, signature="transform_features")

    assert list(found.columns) == ["pair_0", "pair_1", "x1", "x2"]


def test_what_is_missing_is_named_before_tensorflow_is_asked(model: Any) -> None:
    with pytest.raises(ModelInputError, match="the rows have no feature 'x2', which the model reads"):
        model.predict(ROWS.drop(columns="x2"))
    with pytest.raises(ModelInputError, match=r"'pair' has 1 values in row 0"):
        model.predict({"x1": [1], "pair": [[1.0]], "x2": [1]})
    with pytest.raises(ModelError, match="no signature 'serving'"):
        model.predict(ROWS, signature="serving")
    with pytest.raises(DefinitionError, match="split and limit choose rows of an Examples artifact"):
        model.predict(ROWS, limit=1)


def shown(blocks: Any) -> list[list[str]]:
    """The words of each line of a page's text."""
    console = Console(file=io.StringIO(), width=200)
    print_report(console, Report("", "", blocks))
    return [line.split() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_the_page_has_small_weights_by_the_features_they_are_for(model: Any) -> None:
    lines = shown(models.render(report_artifacts.subject(model.artifact)))

    for words in (["x1", "2"], ["pair[0]", "-3"], ["pair[1]", "0.5"], ["x2", "1"]):
        assert ["line/kernel", *words] in lines
    assert ["line/bias", "–", "5"] in lines


def test_two_models_are_told_apart_by_their_weights(model: Any) -> None:
    subject = report_artifacts.subject(model.artifact)

    lines = shown(model_differences.render(subject, subject))
    assert ["line/kernel", "4", "×", "1", "4", "×", "1", "equal", "–"] in lines
