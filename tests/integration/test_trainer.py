"""Trainer against stock TFX's test data."""

from __future__ import annotations

import json
import os
from typing import Any

import keras
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from conftest_training import (
    DATA,
    artifact,
    execute,
    penguin_inputs,
    properties,
    raw_inputs,
    read_json,
    records,
    summary,
    training_outputs,
    transformed_inputs,
)
from tfx.components.trainer import executor as stock
from tfx_bsl.coders import example_coder

from headrace.components.trainer import datasets
from headrace.components.trainer.executor import Executor
from headrace.errors import DataError, DefinitionError, TrainingError, UnknownSplitError, UserFunctionError

pytest_plugins = ("conftest_training",)
CAPTURED: list[Any] = []


def run_capture(fn_args):
    """A run_fn that keeps its arguments and saves a trivial model."""
    CAPTURED.append(fn_args)
    tf.saved_model.save(tf.Module(), fn_args.serving_model_dir)


def run_nothing(fn_args):
    """A run_fn that forgets to save."""


def run_nan(fn_args):
    """A run_fn whose model met a NaN loss."""
    module = tf.Module()
    module.weight = tf.Variable([1.0, float("nan")])
    tf.saved_model.save(module, fn_args.serving_model_dir)


def _model_path(outputs):
    return f"{outputs['model'][0].uri}/Format-Serving"


def test_short_form_leaves_model_and_history(taxi_model):
    """The layout is TFX's; model_run has what TensorBoard and a spreadsheet read."""
    run = taxi_model["model_run"][0].uri
    assert sorted(os.listdir(run)) == [
        "best.weights.h5",
        "history.csv",
        "history.json",
        "train",
        "validation",
    ]
    history = read_json(f"{run}/history.json")
    assert sorted(history) == ["binary_accuracy", "loss", "val_binary_accuracy", "val_loss"]
    assert len(history["loss"]) == 3
    line = summary(taxi_model["model"][0])
    assert line.startswith("600 steps, val_binary_accuracy 0.8")
    assert history["val_binary_accuracy"][2] > 0.8


def test_serving_needs_no_label(taxi_model):
    """Requests without the label get the same probabilities as the Keras model gives on the transformed rows."""
    loaded = tf.saved_model.load(_model_path(taxi_model))
    assert sorted(loaded.signatures) == ["serving_default", "transform_features"]
    unlabelled = records(f"{DATA}/csv_example_gen/unlabelled/*")[:50]
    assert b"tips" not in unlabelled[0]
    served = loaded.signatures["serving_default"](examples=tf.constant(unlabelled))
    assert list(served) == ["probabilities"]
    assert served["probabilities"].shape == (50, 1)
    assert 0 < float(tf.reduce_min(served["probabilities"])) < 1


def test_transform_features_equals_transform(taxi_model):
    """The signature returns what tf.Transform's own layer returns, the label among it."""
    loaded = tf.saved_model.load(_model_path(taxi_model))
    raw = tf.constant(records(f"{DATA}/csv_example_gen/Split-eval/*")[:200])
    found = loaded.signatures["transform_features"](examples=raw)
    output = tft.TFTransformOutput(f"{DATA}/transform/transform_graph")
    wanted = output.transform_features_layer()(tf.io.parse_example(raw, output.raw_feature_spec()))
    assert sorted(found) == sorted(wanted)
    assert "tips_xf" in found
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


def test_run_fn_gets_what_stock_gives(tmp_path):
    """Every field of FnArgs equals the one that TFX's GenericExecutor passes."""
    hyperparameters = tmp_path / "hp"
    hyperparameters.mkdir()
    (hyperparameters / "best_hyperparameters.txt").write_text('{"units": 3}')
    inputs = {
        **transformed_inputs(),
        "schema": raw_inputs()["schema"],
        "hyperparameters": [artifact("HyperParameters", str(hyperparameters))],
        "base_model": [artifact("Model", f"{DATA}/trainer/previous")],
    }
    parameters = properties(run_fn=f"{__name__}.run_capture", custom_config='{"a": [1, 2]}')
    outputs = training_outputs(tmp_path)
    CAPTURED.clear()
    stock.GenericExecutor().Do(inputs, outputs, parameters)
    execute(Executor, inputs, outputs, parameters, tmp_path)
    theirs, ours = (vars(arguments) for arguments in CAPTURED)
    accessors = theirs.pop("data_accessor"), ours.pop("data_accessor")
    assert ours == theirs
    assert type(accessors[0]) is type(accessors[1])
    assert ours["train_steps"] == 20
    assert ours["hyperparameters"] == {"units": 3}


def test_run_fn_gets_the_rows_of_each_split_in_statistics(tmp_path):
    """As under TFX 1.21, which has this input; TFX 1.16 does not."""
    inputs = {
        **transformed_inputs(),
        "statistics": [artifact("ExampleStatistics", f"{DATA}/statistics_gen", ["train", "eval"])],
    }
    CAPTURED.clear()

    execute(
        Executor, inputs, training_outputs(tmp_path), properties(run_fn=f"{__name__}.run_capture"), tmp_path
    )

    [arguments] = CAPTURED
    assert arguments.num_examples == {"train": 10036, "eval": 4966}


def test_run_fn_without_model_fails(tmp_path):
    """The reader sees where the model was expected."""
    outputs = training_outputs(tmp_path)
    with pytest.raises(TrainingError) as caught:
        execute(
            Executor, transformed_inputs(), outputs, properties(run_fn="test_trainer:run_nothing"), tmp_path
        )
    assert str(caught.value) == (
        f"trainer: run_fn returned and left no model at {_model_path(outputs)}.\n"
        "  Fix: save it there: tf.saved_model.save(model, fn_args.serving_model_dir, signatures=...), or "
        "headrace.components.trainer.export.export_model."
    )


def test_run_fn_with_nan_weights_fails(tmp_path):
    """A run_fn that trained through a NaN loss does not pass for a success."""
    with pytest.raises(TrainingError, match=r"the trained model has NaN in its weights \(weight\)"):
        execute(
            Executor,
            transformed_inputs(),
            training_outputs(tmp_path),
            properties(run_fn="test_trainer:run_nan"),
            tmp_path,
        )


def _short(path, model_file, name, inputs=None, **given):
    parameters = properties(build_model=f"{model_file}:{name}", label="tips", **given)
    outputs = training_outputs(path)
    execute(Executor, inputs or transformed_inputs(), outputs, parameters, path)
    return outputs


def test_nan_loss_names_the_step(tmp_path, model_file):
    """The loss explodes after the first update: the step is named, and what to do."""
    with pytest.raises(TrainingError) as caught:
        _short(tmp_path, model_file, "build_exploding")
    assert str(caught.value) == (
        "trainer: the loss is infinite at step 2 (epoch 1, step 2).\n"
        "  Fix: look for NaN, infinite or very large inputs in the statistics, scale them in preprocessing_fn, or "
        "lower the learning rate."
    )


def test_what_build_model_raises_passes_through(tmp_path, model_file):
    """The user's own exception, unwrapped."""
    with pytest.raises(KeyError, match="no such layer") as caught:
        _short(tmp_path, model_file, "build_raising")
    assert caught.traceback[-1].path.name == "small_models.py"


def test_not_a_model(tmp_path, model_file):
    """The reader sees what was returned."""
    with pytest.raises(
        TrainingError, match=r"^trainer: build_model returned builtins.int, not a keras.Model."
    ):
        _short(tmp_path, model_file, "build_nothing")


def test_input_that_is_no_feature(tmp_path, model_file):
    """The reader sees the features there are, and the likely one."""
    with pytest.raises(TrainingError) as caught:
        _short(tmp_path, model_file, "build_foreign_input")
    assert str(caught.value).startswith(
        "trainer: the model has an input 'fare', and no feature has this name."
    )
    assert "did you mean 'fare_xf'? Name each keras.Input after a feature" in str(caught.value)


def test_function_missing_in_the_file(tmp_path, model_file):
    """The reader sees the functions there are."""
    with pytest.raises(UserFunctionError, match=r"has no function 'build_mode'. It has 'build_classes',"):
        _short(tmp_path, model_file, "build_mode")


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
        _short(tmp_path, model_file, "build_model", inputs)


def test_unknown_split(tmp_path, model_file):
    """The reader sees the splits there are."""
    with pytest.raises(UnknownSplitError, match=r"there is no split 'trian'.*has splits 'eval', 'train'"):
        _short(tmp_path, model_file, "build_model", train_args='{"splits": ["trian"]}')


def test_label_missing_in_the_data(tmp_path, model_file):
    """Rows without a label are counted, not taken for zeros."""
    inputs = raw_inputs()
    unlabelled = records(f"{DATA}/csv_example_gen/unlabelled/*")[:7]
    labelled = records(f"{DATA}/csv_example_gen/Split-eval/*")[:93]
    inputs["examples"] = [_examples(tmp_path / "mixed", [*unlabelled, *labelled])]
    with pytest.raises(DataError) as caught:
        _short(tmp_path, model_file, "build_raw", inputs)
    assert str(caught.value) == (
        "trainer: split 'train': the label 'tips' is missing in 7 of 100 rows.\n"
        "  Fix: drop these rows before ExampleGen, or fill the label in preprocessing_fn."
    )


def _examples(path, rows):
    for split in ("train", "eval"):
        (path / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(f"{path}/Split-{split}/data_tfrecord-00000-of-00001.gz", "GZIP") as writer:
            for row in rows:
                writer.write(row)
    return artifact("Examples", path, ["train", "eval"])


def test_raw_examples_and_parquet_train_alike(tmp_path, model_file):
    """Without Transform the model reads raw features; Parquet and tf.Example give the same weights."""
    rows = records(f"{DATA}/csv_example_gen/Split-eval/*")[:400]
    inputs = raw_inputs()
    inputs["examples"] = [_examples(tmp_path / "records", rows)]
    first = _short(tmp_path / "a", model_file, "build_raw", inputs, batch_size=50)

    table = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(rows)
    for split in ("train", "eval"):
        (tmp_path / "parquet" / f"Split-{split}").mkdir(parents=True)
        with pq.ParquetWriter(f"{tmp_path}/parquet/Split-{split}/data.parquet", table.schema) as writer:
            writer.write_batch(table)
    inputs["examples"] = [
        artifact(
            "Examples",
            str(tmp_path / "parquet"),
            ["train", "eval"],
            file_format="parquet",
            payload_format="FORMAT_PARQUET",
        )
    ]
    second = _short(tmp_path / "b", model_file, "build_raw", inputs, batch_size=50)
    assert summary(first["model"][0]) == summary(second["model"][0])

    loaded = tf.saved_model.load(_model_path(first))
    unlabelled = records(f"{DATA}/csv_example_gen/unlabelled/*")[:5]
    served = loaded.signatures["serving_default"](examples=tf.constant(unlabelled))
    assert list(served) == ["predictions"]
    transformed = loaded.signatures["transform_features"](examples=tf.constant(rows[:5]))
    assert transformed["tips"].shape == (5, 1)


def test_raw_examples_with_a_graph_equal_transformed_ones(tmp_path, model_file):
    """`materialize=False`: the graph is applied on the way; the serving answer does not change."""
    rows = records(f"{DATA}/csv_example_gen/Split-eval/*")[:200]
    inputs = transformed_inputs()
    inputs["examples"] = [_examples(tmp_path / "raw", rows)]
    outputs = _short(tmp_path, model_file, "build_model", inputs)
    assert summary(outputs["model"][0]).startswith("20 steps, ")


def test_streamed_rows_are_the_same_rows(tmp_path, model_file, monkeypatch):
    """Rows beyond the memory bound are read from their files; the evaluation sees each once."""
    monkeypatch.setattr(datasets, "MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(datasets, "BLOCK_ROWS", 1000)
    streamed = _short(
        tmp_path / "b", model_file, "build_model", batch_size=64, train_args='{"num_steps": 200}'
    )
    assert len(read_json(f"{streamed['model_run'][0].uri}/history.json")["loss"]) == 2


def test_same_seed_same_model(tmp_path, model_file):
    """Two runs with one seed end with the same metrics; another seed does not."""
    given = {"label": "species", "custom_config": '{"units": 2}'}
    parameters = [
        properties(build_model=f"{model_file}:build_classes", seed=seed, **given) for seed in (3, 3, 4)
    ]
    lines = []
    for number, one in enumerate(parameters):
        outputs = training_outputs(tmp_path / str(number))
        execute(Executor, penguin_inputs(), outputs, one, tmp_path)
        lines.append(summary(outputs["model"][0]))
    assert lines[0] == lines[1] != lines[2]


def test_classes_hyperparameters_and_warm_start(tmp_path, model_file):
    """The tuned values reach build_model; a second training goes on from the first one's weights."""
    folder = tmp_path / "hp"
    folder.mkdir()
    (folder / "best_hyperparameters.txt").write_text(
        json.dumps({"space": [], "values": {"units": 6, "epochs": 3, "batch_size": 32}})
    )
    inputs = {**penguin_inputs(), "hyperparameters": [artifact("HyperParameters", str(folder))]}
    parameters = properties(
        build_model=f"{model_file}:build_classes", label="species", custom_config='{"units": 2}'
    )
    parameters["train_args"] = "{}"
    first = training_outputs(tmp_path / "first")
    execute(Executor, inputs, first, parameters, tmp_path)
    history = read_json(f"{first['model_run'][0].uri}/history.json")
    assert len(history["val_sparse_categorical_accuracy"]) == 3
    weights = tf.train.load_checkpoint(f"{_model_path(first)}/variables/variables")
    shapes = weights.get_variable_to_shape_map().values()
    assert [6, 3] in shapes

    second = training_outputs(tmp_path / "second")
    execute(Executor, {**inputs, "base_model": first["model"]}, second, parameters, tmp_path)
    again = read_json(f"{second['model_run'][0].uri}/history.json")
    assert again["loss"][0] < history["loss"][0]
    assert again["loss"][0] == pytest.approx(history["loss"][-1], rel=0.2)
    served = tf.saved_model.load(_model_path(second)).signatures["serving_default"]
    assert list(served.structured_outputs) == ["logits"]


def test_base_model_of_another_kind(tmp_path, model_file):
    """Weights that do not fit are refused, not skipped."""
    inputs = {**transformed_inputs(), "base_model": [artifact("Model", f"{DATA}/trainer/previous")]}
    with pytest.raises(
        TrainingError, match=r"has weights of shapes .*, and what build_model returned has \[\["
    ):
        _short(tmp_path, model_file, "build_model", inputs)


def test_keras_2_model_is_named(tmp_path):
    """A model of tf.keras under TensorFlow Transform is one of Keras 2."""
    import tf_keras

    from headrace.components.trainer import short_form
    from headrace.components.trainer.features import Features

    settings = short_form.Settings("Trainer", ("train",), ("eval",), None, None, 8, None, 5, 1)
    source = short_form.Source(None, Features([]), "label", None, None)

    def build_model(features, hyperparameters):
        return tf_keras.Sequential([tf_keras.layers.Dense(1)])

    with pytest.raises(
        TrainingError, match=r"this is a model of Keras 2 \(tf.keras\); build it with Keras 3"
    ):
        short_form.build(build_model, source, {}, settings)
    assert issubclass(keras.Model, object)
