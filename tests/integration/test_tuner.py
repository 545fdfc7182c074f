"""Tuner in both forms, on stock TFX's penguins."""

from __future__ import annotations

import json
import os

import keras
import keras_tuner
import pytest
from conftest_training import (
    artifact,
    execute,
    penguin_inputs,
    properties,
    read_json,
    summary,
    transformed_inputs,
)
from tfx.components.tuner.component import TunerFnResult

from headrace.components.tuner.executor import Executor
from headrace.errors import DefinitionError, TrainingError, UnsupportedFeatureError

pytest_plugins = ("conftest_training",)


def tuner_fn(fn_args):
    """TFX's form: a tuner of KerasTuner, on data made from nothing."""
    assert fn_args.train_steps == 20
    assert fn_args.schema_path.endswith("schema.pbtxt")

    def build(hp):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(hp.get("units"))])
        model.compile("sgd", "mse")
        return model

    hp = keras_tuner.HyperParameters()
    hp.Choice("units", [1, 2])
    tuner = keras_tuner.RandomSearch(
        build, objective="val_loss", max_trials=2, hyperparameters=hp, directory=fn_args.working_dir
    )
    data = keras.ops.ones((4, 1)), keras.ops.ones((4, 1))
    return TunerFnResult(
        tuner=tuner, fit_kwargs={"x": data[0], "y": data[1], "validation_data": data, "verbose": 0}
    )


def tuner_fn_without_result(fn_args):
    """A tuner_fn that returns something else."""
    return 3


def _tune(path, inputs, **given):
    outputs = {
        "best_hyperparameters": [artifact("HyperParameters", f"{path}/best")],
        "tuner_results": [artifact("TunerResults", f"{path}/results")],
    }
    execute(Executor, inputs, outputs, properties(**given), path)
    return outputs


def _short(path, model_file, name, space, inputs=None, **given):
    return _tune(
        path,
        inputs or penguin_inputs(),
        build_model=f"{model_file}:{name}",
        search_space=json.dumps(space),
        **given,
    )


def test_tuner_fn(tmp_path):
    """TFX's form, TFX's files, which KerasTuner and stock Trainer read."""
    outputs = _tune(tmp_path, penguin_inputs(), tuner_fn="test_tuner.tuner_fn")
    assert os.listdir(tmp_path / "best") == ["best_hyperparameters.txt"]
    assert os.listdir(tmp_path / "results") == ["tuner_results.json"]
    best = keras_tuner.HyperParameters.from_config(read_json(f"{tmp_path}/best/best_hyperparameters.txt"))
    assert best.get("units") in (1, 2)
    results = read_json(f"{tmp_path}/results/tuner_results.json")
    assert [sorted(row) for row in results] == [["score", "trial_id", "units"]] * 2
    assert summary(outputs["tuner_results"][0]) == "2 trials"


def test_tuner_fn_without_result(tmp_path):
    """The reader sees what was returned."""
    with pytest.raises(DefinitionError, match="tuner: tuner_fn returned a int, not a TunerFnResult"):
        _tune(tmp_path, penguin_inputs(), tuner_fn="test_tuner:tuner_fn_without_result")


def test_short_form_tries_the_whole_grid(tmp_path, model_file):
    """All combinations where there are few; the best has the lowest loss."""
    space = {"units": [1, 16], "learning_rate": [0.01], "momentum": [0, 0.5]}
    outputs = _short(tmp_path, model_file, "build_classes", space, label="species", batch_size=32)
    results = read_json(f"{tmp_path}/results/tuner_results.json")
    assert sorted((row["units"], row["momentum"]) for row in results) == [
        (1, 0),
        (1, 0.5),
        (16, 0),
        (16, 0.5),
    ]
    assert results[0]["score"] <= results[1]["score"]
    best = read_json(f"{tmp_path}/best/best_hyperparameters.txt")
    units, momentum = results[0]["units"], results[0]["momentum"]
    assert best["values"] == {"units": units, "learning_rate": 0.01, "momentum": momentum}
    line = f"learning_rate=0.01, momentum={momentum}, units={units}"
    assert summary(outputs["best_hyperparameters"][0]) == line


def test_short_form_samples_a_range(tmp_path, model_file):
    """Ranges are sampled, by the seed; the objective may be a metric."""
    space = {"units": {"min": 2, "max": 8}, "learning_rate": {"min": 1e-4, "max": 1e-2, "sampling": "log"}}
    given = {"label": "species", "max_trials": 2, "objective": "val_sparse_categorical_accuracy"}
    for name in ("a", "b"):
        _short(tmp_path / name, model_file, "build_classes", space, **given)
    first, second = (read_json(f"{tmp_path}/{name}/results/tuner_results.json") for name in ("a", "b"))
    assert len(first) == 2
    assert first == second
    assert first[0]["score"] >= first[1]["score"]


def test_what_build_model_raises_passes_through(tmp_path, model_file):
    """Where it does so with all values; KerasTuner would show a text."""
    with pytest.raises(KeyError, match="no such layer"):
        _short(tmp_path, model_file, "build_raising", {"units": [1, 2]}, label="species")


def test_a_nan_loss_ends_one_trial(tmp_path, model_file):
    """The other trial wins."""
    _short(
        tmp_path,
        model_file,
        "build_exploding",
        {"learning_rate": [1e30, 1e-3]},
        transformed_inputs(),
        label="tips",
    )
    assert read_json(f"{tmp_path}/best/best_hyperparameters.txt")["values"] == {"learning_rate": 1e-3}


def test_an_objective_that_is_not_there_ends_the_search(tmp_path, model_file):
    """After the first epoch, not after all of them; and the names that there are stand in it."""
    given = {"label": "tips", "objective": "val_los", "epochs": 100_000, "train_args": "{}"}
    with pytest.raises(
        DefinitionError, match=r"the objective 'val_los' is none of the metrics. There are .*'val_loss'"
    ):
        _short(
            tmp_path,
            model_file,
            "build_exploding",
            {"learning_rate": [1e-3, 1e-4]},
            transformed_inputs(),
            **given,
        )


def test_all_trials_failed(tmp_path, model_file):
    """The reader sees how many, what the last said, and what to do."""
    space = {"learning_rate": [1e30, 1e31]}
    with pytest.raises(
        TrainingError, match=r"none of 2 trials gave a usable model. The last said: .*infinite"
    ):
        _short(tmp_path, model_file, "build_exploding", space, transformed_inputs(), label="tips")


def test_parallel_trials_are_refused(tmp_path):
    """As by TFX's own Tuner."""
    with pytest.raises(UnsupportedFeatureError, match="tune_args asks for parallel trials"):
        _tune(
            tmp_path,
            penguin_inputs(),
            tuner_fn="test_tuner:tuner_fn",
            tune_args='{"num_parallel_trials": 3}',
        )
