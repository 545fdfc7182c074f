"""Trainer's short form: what it leaves, on which rows it trains, and from where it goes on."""

from __future__ import annotations

import json
import os

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
    serving_path,
    summary,
    train,
    training_outputs,
    transformed_inputs,
)
from tfx_bsl.coders import example_coder

from headrace.components.trainer.executor import Executor
from headrace.testing import make_examples
from headrace.training import datasets

pytest_plugins = ("conftest_training",)


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
    loaded = tf.saved_model.load(serving_path(taxi_model))
    assert sorted(loaded.signatures) == ["serving_default", "transform_features"]
    unlabelled = records(f"{DATA}/csv_example_gen/unlabelled/*")[:50]
    assert b"tips" not in unlabelled[0]
    served = loaded.signatures["serving_default"](examples=tf.constant(unlabelled))
    assert list(served) == ["probabilities"]
    assert served["probabilities"].shape == (50, 1)
    assert 0 < float(tf.reduce_min(served["probabilities"])) < 1


def test_transform_features_equals_transform(taxi_model):
    """The signature returns what tf.Transform's own layer returns, the label among it."""
    loaded = tf.saved_model.load(serving_path(taxi_model))
    raw = tf.constant(records(f"{DATA}/csv_example_gen/Split-eval/*")[:200])
    found = loaded.signatures["transform_features"](examples=raw)
    output = tft.TFTransformOutput(f"{DATA}/transform/transform_graph")
    wanted = output.transform_features_layer()(tf.io.parse_example(raw, output.raw_feature_spec()))
    assert sorted(found) == sorted(wanted)
    assert "tips_xf" in found
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


def test_raw_examples_and_parquet_train_alike(tmp_path, model_file):
    """Without Transform the model reads raw features; Parquet and tf.Example give the same weights by one seed."""
    rows = records(f"{DATA}/csv_example_gen/Split-eval/*")[:400]
    inputs = raw_inputs()
    inputs["examples"] = [make_examples(tmp_path / "records", {"train": rows, "eval": rows})]
    first = train(tmp_path / "a", model_file, "build_raw", inputs, batch_size=50)

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
    second = train(tmp_path / "b", model_file, "build_raw", inputs, batch_size=50)
    other = train(tmp_path / "c", model_file, "build_raw", inputs, batch_size=50, seed=7)
    lines = [summary(outputs["model"][0]) for outputs in (first, second, other)]
    assert lines[0] == lines[1] != lines[2]

    loaded = tf.saved_model.load(serving_path(first))
    unlabelled = records(f"{DATA}/csv_example_gen/unlabelled/*")[:5]
    served = loaded.signatures["serving_default"](examples=tf.constant(unlabelled))
    assert list(served) == ["predictions"]
    transformed = loaded.signatures["transform_features"](examples=tf.constant(rows[:5]))
    assert transformed["tips"].shape == (5, 1)


def test_raw_examples_with_a_graph_equal_transformed_ones(tmp_path, model_file):
    """`materialize=False`: the graph is applied on the way; the serving answer does not change."""
    rows = records(f"{DATA}/csv_example_gen/Split-eval/*")[:200]
    inputs = transformed_inputs()
    inputs["examples"] = [make_examples(tmp_path / "raw", {"train": rows, "eval": rows})]
    outputs = train(tmp_path, model_file, "build_model", inputs)
    assert summary(outputs["model"][0]).startswith("20 steps, ")


def test_streamed_rows_are_the_same_rows(tmp_path, model_file, monkeypatch):
    """Rows beyond the memory bound are read from their files; the evaluation sees each once."""
    monkeypatch.setattr(datasets, "MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(datasets, "BLOCK_ROWS", 1000)
    streamed = train(
        tmp_path / "b", model_file, "build_model", batch_size=64, train_args='{"num_steps": 200}'
    )
    assert len(read_json(f"{streamed['model_run'][0].uri}/history.json")["loss"]) == 2


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
    weights = tf.train.load_checkpoint(f"{serving_path(first)}/variables/variables")
    shapes = weights.get_variable_to_shape_map().values()
    assert [6, 3] in shapes

    second = training_outputs(tmp_path / "second")
    execute(Executor, {**inputs, "base_model": first["model"]}, second, parameters, tmp_path)
    again = read_json(f"{second['model_run'][0].uri}/history.json")
    assert again["loss"][0] < history["loss"][0]
    assert again["loss"][0] == pytest.approx(history["loss"][-1], rel=0.2)
    served = tf.saved_model.load(serving_path(second)).signatures["serving_default"]
    assert list(served.structured_outputs) == ["logits"]
