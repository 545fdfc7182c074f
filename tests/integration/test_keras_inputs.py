"""How models are fed that do not name their inputs after features: as tutorials write them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest_training import penguin_inputs, serving_path, summary, train
from keras.layers import Dense

from headrace.components.trainer.executor import Executor  # noqa: F401 - its libraries, once
from headrace.errors import TrainingError
from headrace.formats import model_inputs
from headrace.models import weights
from headrace.models.features import Feature, Features
from headrace.models.keras_inputs import resolve

pytest_plugins = ("conftest_training",)


def features(**shapes: Any) -> Features:
    """Features of these shapes: floats, and texts and whole numbers by the beginning of their names."""
    kinds = {"text": "string", "int": "int64"}
    return Features(
        Feature(name, kinds.get(name.split("_")[0], "float32"), shape, None, (), None)
        for name, shape in shapes.items()
    )


def batch(known: Features, rows: int = 2) -> dict[str, tf.Tensor]:
    """Columns whose values tell where they come from: 100, 101... of the first feature, 200... of the second."""
    columns = {}
    for number, name in enumerate(known.order, 1):
        size = int(np.prod([one or 3 for one in known[name].shape]))
        values = 100.0 * number + np.arange(size) + 10_000 * np.arange(rows)[:, None]
        shape = [rows, *[one or 3 for one in known[name].shape]]
        is_text = known[name].dtype == "string"
        kind = str if is_text else known[name].dtype
        columns[name] = tf.constant(values.reshape(shape).astype(kind))
    return columns


def functional(*shape: int | None, **options: Any) -> keras.Model:
    x = keras.Input(shape, **options)
    return keras.Model(x, keras.layers.Flatten()(x))


NUMBERS = {"z": (1,), "int_b": (1,), "text_c": (1,), "a": (2,)}


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential([Dense(3, input_shape=[4])]),
        lambda: keras.Sequential([Dense(3, input_dim=4)]),
        lambda: keras.Sequential([keras.Input((4,)), Dense(3)]),
        lambda: keras.Sequential([Dense(3)]),
        lambda: functional(4),
        lambda: functional(None),
        lambda: functional(4, name="measurements"),
        lambda: keras.Sequential([keras.layers.Normalization(), Dense(1)]),
        lambda: keras.Sequential([keras.layers.Normalization(mean=1.0, variance=2.0), Dense(1)]),
    ],
)
def test_one_input_takes_the_numbers_side_by_side_in_the_stated_order(make):
    """Not in the order of their names; texts are left out, whole numbers become floats."""
    known, model = features(**NUMBERS), make()
    found = resolve(model, known, "Trainer")
    assert found.matrix == (("z", 1), ("int_b", 1), ("a", 2))
    assert found.names == ("z", "int_b", "a")
    matrix = found.arrange(batch(known))
    np.testing.assert_array_equal(matrix, [[100, 200, 400, 401], [10100, 10200, 10400, 10401]])
    assert matrix.dtype == tf.float32
    model(matrix)


def test_a_matrix_of_another_width_is_told_with_both_numbers():
    with pytest.raises(TrainingError) as caught:
        resolve(functional(5), features(**NUMBERS), "Trainer")
    assert str(caught.value) == (
        "Trainer: the model takes 5 numbers in a row, and the features give 4: z, int_b, a (2). "
        "Left out: text_c (text).\n"
        "  Fix: give the model keras.Input((4,)), or choose the features: features=[...]."
    )


def test_chosen_features_decide_what_and_in_which_order():
    known = features(**NUMBERS)
    chosen = known.choose(["a", "z"], "Trainer")
    found = resolve(functional(3), chosen, "Trainer")
    assert found.matrix == (("a", 2), ("z", 1))
    with pytest.raises(TrainingError, match="features names 'text_c', which cannot be a column"):
        resolve(functional(3), known.choose(["a", "text_c"], "Trainer"), "Trainer")
    with pytest.raises(TrainingError) as caught:
        known.choose(["aa"], "Trainer")
    assert "features names 'aa', and there is no such feature" in caught.value.problem


def test_an_input_that_is_named_after_a_feature_takes_this_one():
    assert resolve(functional(2, name="a"), features(**NUMBERS), "Trainer").names == ("a",)
    with pytest.raises(TrainingError, match="the model has an input 'aa', and no feature has this name"):
        resolve(functional(7, name="aa"), features(**NUMBERS), "Trainer")


@pytest.mark.parametrize("given", [(28, 28, 1), (28, 28)])
@pytest.mark.parametrize("wanted", [(28, 28, 1), (28, 28), (None, None, 1)])
def test_a_picture_is_the_one_feature_of_its_shape(given, wanted):
    known = features(image=given, other=(1,), text_name=(1,))
    model = (
        keras.Model(x := keras.Input(wanted), keras.layers.GlobalMaxPooling2D()(x))
        if len(wanted) == 3
        else functional(*wanted)
    )
    found = resolve(model, known, "Trainer")
    assert (found.names, found.matrix) == (("image",), ())
    assert found.arrange(batch(known)).shape == (2, *[size or 28 for size in wanted])


def test_two_pictures_or_none_are_told():
    with pytest.raises(TrainingError, match=r"shape \(8, 8, 3\), and 2 features have this shape"):
        resolve(functional(8, 8, 3), features(left=(8, 8, 3), right=(8, 8, 3)), "Trainer")
    with pytest.raises(TrainingError) as caught:
        resolve(functional(8, 8, 3), features(left=(8, 9, 3), z=(1,)), "Trainer")
    assert caught.value.problem == (
        "Trainer: the model takes one input of shape (8, 8, 3), and no feature has this shape. There are: "
        "'left' (8, 9, 3), 'z' (1)."
    )


def test_a_sequential_without_input_takes_the_one_feature_in_its_own_shape():
    model = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.Flatten(), Dense(1)])
    known = features(image=(8, 8, 3))
    assert resolve(model, known, "Trainer").names == ("image",)
    assert model.built


def test_inputs_in_a_list_without_names_take_one_feature_each():
    inputs = [keras.Input((1,)), keras.Input((2,))]
    model = keras.Model(inputs, keras.layers.concatenate(inputs))
    known = features(a=(2,), z=(1,))
    with pytest.raises(
        TrainingError, match=r"'a' \(\(2\), float32\) does not fit its input \(\(1\), float32\)"
    ):
        resolve(model, known, "Trainer")
    found = resolve(model, known.choose(["z", "a"], "Trainer"), "Trainer")
    assert [one.shape[1] for one in found.arrange(batch(known))] == [1, 2]
    with pytest.raises(TrainingError, match="2 inputs without names, and there are 3 features"):
        resolve(model, features(a=(2,), z=(1,), y=(1,)), "Trainer")


def test_a_subclassed_model_takes_a_dict_as_before():
    class Own(keras.Model):
        def call(self, x: Any) -> Any:
            return x["z"]

    assert resolve(Own(), features(**NUMBERS), "Trainer").names == tuple(sorted(NUMBERS))


MODELS = '''
import keras

def build_matrix(features, hyperparameters):
    """As a tutorial has it."""
    return keras.Sequential([keras.layers.Normalization(), keras.layers.Dense(3, activation="softmax")])
'''


def test_the_exported_model_puts_the_features_side_by_side_itself(tmp_path):
    """Two features of the penguins in an order of their own; the layer was adapted to the rows to train on."""
    path = tmp_path / "matrix_models.py"
    path.write_text(MODELS)
    inputs, order = penguin_inputs(), ["flipper_length_mm", "culmen_depth_mm"]
    given = {"label": "species", "features": '["flipper_length_mm", "culmen_depth_mm"]', "epochs": 3}
    outputs = train(tmp_path, str(path), "build_matrix", inputs, keep="last", **given)
    folder = serving_path(outputs)
    assert model_inputs.read(folder) == tuple((name, 1) for name in order)
    assert "val_loss" in summary(outputs["model"][0])

    loaded = tf.saved_model.load(folder)
    examples = [_penguin(0.3 + 0.1 * row, 0.9 - 0.2 * row) for row in range(4)]
    served = loaded.signatures["serving_default"](examples=tf.constant(examples))["probabilities"]
    kept = weights.read(folder)
    values = [kept.get_tensor(f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE") for number in range(5)]
    mean, variance, kernel, bias = (one for one in values if one.ndim)
    assert np.all(mean != 0)
    x = np.array([[0.3 + 0.1 * row, 0.9 - 0.2 * row] for row in range(4)])
    scores = (x - mean) / np.sqrt(variance) @ kernel + bias
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(served, expected, rtol=1e-4)


def _penguin(flipper: float, culmen: float) -> bytes:
    example = tf.train.Example()
    for name, value in (("flipper_length_mm", flipper), ("culmen_depth_mm", culmen)):
        example.features.feature[name].float_list.value.append(value)
    return example.SerializeToString()
