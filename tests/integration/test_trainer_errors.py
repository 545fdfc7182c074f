"""What Trainer's short form says of models, labels and data that do not fit."""

from __future__ import annotations

import keras
import pytest
from conftest_training import (
    DATA,
    artifact,
    execute,
    penguin_inputs,
    properties,
    raw_inputs,
    records,
    train,
    training_outputs,
    transformed_inputs,
)

from headrace.components.trainer.executor import Executor
from headrace.errors import DataError, DefinitionError, TrainingError, UnknownSplitError, UserFunctionError
from headrace.testing import make_examples

pytest_plugins = ("conftest_training",)


def test_nan_loss_names_the_step(tmp_path, model_file):
    """The loss explodes after the first update: the step is named, and what to do."""
    with pytest.raises(TrainingError) as caught:
        train(tmp_path, model_file, "build_exploding")
    assert str(caught.value) == (
        "trainer: the loss is infinite at step 2 (epoch 1, step 2).\n"
        "  Fix: look for NaN, infinite or very large inputs in the statistics, scale them in preprocessing_fn, or "
        "lower the learning rate."
    )


def test_what_build_model_raises_passes_through(tmp_path, model_file):
    """The user's own exception, unwrapped."""
    with pytest.raises(KeyError, match="no such layer") as caught:
        train(tmp_path, model_file, "build_raising")
    assert caught.traceback[-1].path.name == "small_models.py"


def test_not_a_model(tmp_path, model_file):
    """The reader sees what was returned."""
    with pytest.raises(
        TrainingError, match=r"^trainer: build_model returned builtins.int, not a keras.Model."
    ):
        train(tmp_path, model_file, "build_nothing")


def test_input_that_is_no_feature(tmp_path, model_file):
    """The reader sees the features there are, and the likely one."""
    with pytest.raises(TrainingError) as caught:
        train(tmp_path, model_file, "build_foreign_input")
    assert str(caught.value).startswith(
        "trainer: the model has an input 'fare', and no feature has this name."
    )
    assert "did you mean 'fare_xf'? Name each keras.Input after a feature" in str(caught.value)


def test_function_missing_in_the_file(tmp_path, model_file):
    """The reader sees the functions there are."""
    with pytest.raises(UserFunctionError, match=r"has no function 'build_mode'. It has 'build_classes',"):
        train(tmp_path, model_file, "build_mode")


def test_no_label(tmp_path, model_file):
    """Without a label there is nothing to predict."""
    parameters = properties(build_model=f"{model_file}:build_model")
    with pytest.raises(TrainingError) as caught:
        execute(Executor, penguin_inputs(), training_outputs(tmp_path), parameters, tmp_path)
    assert str(caught.value) == (
        "trainer: no label is named, and no feature is called 'label', 'label_xf'. The data has 'body_mass_g', "
        "'culmen_depth_mm', 'culmen_length_mm', 'flipper_length_mm', 'species'.\n"
        "  Fix: name the feature to predict: label='...'."
    )


def test_unknown_label(tmp_path, model_file):
    """The reader sees the likely typo."""
    parameters = properties(build_model=f"{model_file}:build_model", label="specis")
    with pytest.raises(
        TrainingError, match=r"there is no feature 'specis' to use as the label.*\n.*'species'"
    ):
        execute(Executor, penguin_inputs(), training_outputs(tmp_path), parameters, tmp_path)


def test_neither_graph_nor_schema(tmp_path, model_file):
    """The short form must know the features."""
    inputs = {"examples": transformed_inputs()["examples"]}
    with pytest.raises(DefinitionError, match="neither transform_graph nor schema is connected"):
        train(tmp_path, model_file, "build_model", inputs)


def test_unknown_split(tmp_path, model_file):
    """The reader sees the splits there are."""
    with pytest.raises(UnknownSplitError, match=r"there is no split 'trian'.*has splits 'eval', 'train'"):
        train(tmp_path, model_file, "build_model", train_args='{"splits": ["trian"]}')
    with pytest.raises(UnknownSplitError) as caught:
        train(tmp_path, model_file, "build_model", eval_args='{"splits": ["evl"]}')
    assert caught.value.fix.startswith("did you mean 'eval'? Correct eval_split, or add an output split")


def test_label_missing_in_the_data(tmp_path, model_file):
    """Rows without a label are counted, not taken for zeros."""
    inputs = raw_inputs()
    unlabelled = records(f"{DATA}/csv_example_gen/unlabelled/*")[:7]
    labelled = records(f"{DATA}/csv_example_gen/Split-eval/*")[:93]
    inputs["examples"] = [
        make_examples(
            tmp_path / "mixed", {"train": [*unlabelled, *labelled], "eval": [*unlabelled, *labelled]}
        )
    ]
    with pytest.raises(DataError) as caught:
        train(tmp_path, model_file, "build_raw", inputs)
    assert str(caught.value) == (
        "trainer: split 'train': the label 'tips' is missing in 7 of 100 rows.\n"
        "  Fix: drop these rows before ExampleGen, or fill the label in preprocessing_fn."
    )


def test_base_model_of_another_kind(tmp_path, model_file):
    """Weights that do not fit are refused, not skipped."""
    inputs = {**transformed_inputs(), "base_model": [artifact("Model", f"{DATA}/trainer/previous")]}
    with pytest.raises(
        TrainingError, match=r"has weights of shapes .*, and what build_model returned has \[\["
    ):
        train(tmp_path, model_file, "build_model", inputs)


def test_keras_2_model_is_named(tmp_path):
    """A model of tf.keras under TensorFlow Transform is one of Keras 2."""
    import tf_keras

    from headrace.models.features import Features
    from headrace.training import short_form

    settings = short_form.Settings("Trainer", ("train",), ("eval",), None, None, 8, None, 5, 1)
    source = short_form.Source(None, Features([]), "label", None, None)

    def build_model(features, hyperparameters):
        return tf_keras.Sequential([tf_keras.layers.Dense(1)])

    with pytest.raises(
        TrainingError, match=r"this is a model of Keras 2 \(tf.keras\); build it with Keras 3"
    ):
        short_form.build(build_model, source, {}, settings)
    assert issubclass(keras.Model, object)
