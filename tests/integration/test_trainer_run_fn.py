"""Trainer with a run_fn: what it gets, as from stock TFX, and what it must leave."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from conftest_training import (
    DATA,
    artifact,
    execute,
    properties,
    raw_inputs,
    records,
    serving_path,
    training_outputs,
    transformed_inputs,
)
from tfx.components.trainer import executor as stock

from headrace.components.trainer.executor import Executor
from headrace.errors import TrainingError
from headrace.testing import make_examples

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
            Executor, transformed_inputs(), outputs, properties(run_fn=f"{__name__}.run_nothing"), tmp_path
        )
    assert str(caught.value) == (
        f"trainer: run_fn returned and left no model at {serving_path(outputs)}.\n"
        "  Fix: save it there: tf.saved_model.save(model, fn_args.serving_model_dir, signatures=...), or "
        "headrace.models.exporters.export_model."
    )


def test_run_fn_with_nan_weights_fails(tmp_path):
    """A run_fn that trained through a NaN loss does not pass for a success."""
    with pytest.raises(TrainingError, match=r"the trained model has NaN in its weights \(weight\)"):
        execute(
            Executor,
            transformed_inputs(),
            training_outputs(tmp_path),
            properties(run_fn=f"{__name__}.run_nan"),
            tmp_path,
        )


def test_run_fn_gets_patterns_that_find_their_files_in_any_folder(tmp_path):
    """[ ] * ? in the path of a project are part of its name."""
    [record, *_] = records(f"{DATA}/csv_example_gen/Split-eval/*")
    inputs = {
        **raw_inputs(),
        "examples": [make_examples(tmp_path / "proj [v1]*?", {"train": [record], "eval": [record]})],
    }
    CAPTURED.clear()

    execute(
        Executor, inputs, training_outputs(tmp_path), properties(run_fn=f"{__name__}.run_capture"), tmp_path
    )

    [arguments] = CAPTURED
    for pattern in (*arguments.train_files, *arguments.eval_files):
        [path] = tf.io.gfile.glob(pattern)
        assert list(tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator()) == [record]
