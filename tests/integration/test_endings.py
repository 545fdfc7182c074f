"""When training ends and with which weights, with callbacks of the user's and what they may change."""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import pytest
from checkpoint_training import rows
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headrace.errors import DefinitionError, TrainingError
from headrace.models.keras_inputs import ModelInputs
from headrace.runtime.progress import Progress
from headrace.training import fitting, losses, short_form
from headrace.training.parsing import LabelRange

PLACE = ModelInputs(("x",), lambda columns: columns["x"])


def reduce_and_stop() -> list[Any]:
    return [
        keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=10.0),
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=1, min_delta=10.0, restore_best_weights=True
        ),
    ]


def asking(model: Any, hyperparameters: Any, log_dir: str, missing: int = 3) -> list[Any]:
    assert model.name
    assert hyperparameters == {"units": 3}
    assert not log_dir
    assert missing == 3
    return []


def asking_too_much(rows: Any) -> list[Any]:
    return []


def returning_names() -> list[Any]:
    return ["ReduceLROnPlateau"]


def here(function: Any) -> str:
    return f"{os.path.abspath(__file__)}:{function.__name__}"


def fit(
    run_path: str = "", hyperparameters: dict[str, Any] | None = None, optimizer: Any = "sgd", **given: Any
) -> Any:
    """Train a small model; return it and what it came to."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")])
    model.build((None, 3))
    model.compile(optimizer, "binary_crossentropy", metrics=[keras.metrics.AUC()])
    known: dict[str, Any] = {"train_steps": None, "eval_steps": None, "batch_size": 32, "epochs": 6}
    known |= {"patience": 0, "seed": 1, "train_splits": ("train",), "eval_splits": ("eval",)}
    known |= {"given": frozenset(given) & {"patience", "monitor", "min_delta", "keep"}}
    settings = short_form.Settings("Trainer", **(known | given))
    data = rows(is_streamed=False)
    outcome = fitting.fit(
        model,
        (data, data),
        settings,
        hyperparameters or {},
        PLACE,
        progress=Progress(),
        is_row_wise=True,
        run_path=run_path,
    )
    return model, outcome


def test_the_last_weights_are_kept_where_that_is_asked_for(tmp_path):
    """With a learning rate at which every epoch is worse than the first."""
    worse = {"optimizer": keras.optimizers.SGD(30.0)}
    best, kept_best = fit(monitor="val_auc", **worse)
    worse = {"optimizer": keras.optimizers.SGD(30.0)}
    last, kept_last = fit(str(tmp_path), monitor="val_auc", keep="last", **worse)
    series = kept_best.history["val_auc"]
    assert kept_last.history == kept_best.history
    assert kept_best.best["val_auc"] == max(series) > series[-1]
    assert kept_last.best["val_auc"] == series[-1]
    assert not np.array_equal(best.get_weights()[0], last.get_weights()[0])
    data = rows(is_streamed=False).columns or {}
    for model, outcome in ((best, kept_best), (last, kept_last)):
        measured = model.evaluate(data["x"], data["y"], verbose=0, return_dict=True)
        assert measured["auc"] == pytest.approx(outcome.best["val_auc"])
    last.load_weights(tmp_path / "best.weights.h5")
    np.testing.assert_array_equal(last.get_weights()[0], best.get_weights()[0])


def test_min_delta_says_when_to_stop_and_not_which_epoch_is_best():
    _, outcome = fit(patience=2, min_delta=10.0, optimizer="adam")
    assert len(outcome.history["loss"]) == 3
    assert outcome.best["val_loss"] == min(outcome.history["val_loss"]) == outcome.history["val_loss"][2]


def test_a_users_early_stopping_stands_for_patience_and_for_keep():
    """As Keras has it: what does not get better by ten is not better, so the first epoch is the best."""
    _, outcome = fit(callbacks=here(reduce_and_stop), optimizer="adam")
    assert len(outcome.history["loss"]) == 2
    assert outcome.best["val_loss"] == outcome.history["val_loss"][0]
    assert outcome.history["learning_rate"] == pytest.approx([0.001, 0.001])
    _, other = fit(callbacks=here(reduce_and_stop), keep="last", optimizer="adam")
    assert other.best["val_loss"] == other.history["val_loss"][-1]


def test_learning_rates_change_by_callbacks_and_schedules():
    reducing = '[{"ReduceLROnPlateau": {"monitor": "loss", "factor": 0.5, "patience": 1, "min_delta": 10.0}}]'
    _, outcome = fit(callbacks=reducing, optimizer=keras.optimizers.Adam(0.01), epochs=4)
    assert outcome.history["learning_rate"] == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=5, decay_rate=0.5)
    model, _ = fit(optimizer=keras.optimizers.Adam(schedule), epochs=2)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1 * 0.5**2)


def test_a_function_is_given_what_it_asks_for():
    fit(callbacks=here(asking), hyperparameters={"units": 3}, epochs=1)
    with pytest.raises(TrainingError) as caught:
        fit(callbacks=here(asking_too_much))
    assert caught.value.problem.endswith(
        "asks for 'rows'. It can be given 'features', 'hyperparameters', 'log_dir', 'model'."
    )
    with pytest.raises(TrainingError, match=r"returned a builtins.str, which is no keras.callbacks.Callback"):
        fit(callbacks=here(returning_names))


def test_names_that_keras_does_not_have_are_told():
    with pytest.raises(DefinitionError) as caught:
        fit(callbacks='["ReduceLrOnPlateau"]')
    assert "did you mean 'ReduceLROnPlateau'?" in caught.value.fix
    with pytest.raises(DefinitionError, match="callbacks cannot make a ReduceLROnPlateau with"):
        fit(callbacks='[{"ReduceLROnPlateau": {"factor": 2.0}}]')


def test_a_monitor_that_is_not_recorded_is_told_before_the_first_step():
    with pytest.raises(TrainingError) as caught:
        fit(monitor="val_accuracy")
    assert caught.value.problem == (
        "Trainer: monitor is 'val_accuracy', and training records 'auc', 'learning_rate', 'loss', 'val_auc', 'val_loss'."
    )
    with pytest.raises(TrainingError, match="monitor is 'val_f1'"):
        fit(callbacks='[{"ReduceLROnPlateau": {"monitor": "val_f1"}}]')


def test_tensorboard_gets_what_is_asked_for_and_each_weight_its_own_histogram(tmp_path):
    """Keras calls the kernels of all dense layers alike."""
    fit(
        str(tmp_path / "full"),
        epochs=2,
        tensorboard={"histogram_freq": 1, "write_graph": True, "update_freq": "batch"},
    )
    fit(str(tmp_path / "light"), epochs=2)
    full, light = (
        EventAccumulator(str(tmp_path / name / "train")).Reload().Tags() for name in ("full", "light")
    )
    histograms = {tag for tag in full["tensors"] if tag.endswith("/histogram")}
    assert {tag.split("/", 1)[-1] for tag in histograms} >= {
        "dense/kernel/histogram",
        "dense/bias/histogram",
        "dense_1/kernel/histogram",
        "dense_1/bias/histogram",
    }
    assert "batch_loss" in full["tensors"]
    assert full["graph"] or any("keras" in tag for tag in full["tensors"])
    assert sorted(light["tensors"]) == ["epoch_auc", "epoch_learning_rate", "epoch_loss"]
    assert not light["graph"]


@pytest.mark.parametrize(
    ("width", "activation", "label", "loss", "metrics"),
    [
        (3, "sigmoid", ("int64", 0, 1, True, 3), "binary_crossentropy", ["binary_accuracy", "auc"]),
        (3, "linear", ("float32", 0, 1, True, 3), "binary_crossentropy", ["binary_accuracy", "auc"]),
        (3, "softmax", ("float32", 0, 1, True, 3), "categorical_crossentropy", ["categorical_accuracy"]),
        (3, "linear", ("float32", -1, 7, False, 3), "mean_squared_error", ["mean_absolute_error"]),
        (
            3,
            "softmax",
            ("int64", 0, 2, True, 1),
            "sparse_categorical_crossentropy",
            ["sparse_categorical_accuracy"],
        ),
        (1, "sigmoid", ("int64", 0, 1, True, 1), "binary_crossentropy", ["binary_accuracy"]),
    ],
)
def test_several_labels_of_0_and_1_are_judged_one_by_one(width, activation, label, loss, metrics):
    found, measured = losses.choose(width, activation, LabelRange(*label), "Trainer")
    assert found.name == loss
    assert [one.name for one in measured] == metrics
    if loss == "binary_crossentropy":
        assert found.get_config()["from_logits"] == (activation != "sigmoid")


def test_a_label_of_another_width_than_the_model_is_told():
    with pytest.raises(TrainingError, match="the label has 3 values in a row, and the model 4 outputs"):
        losses.choose(4, "sigmoid", LabelRange("int64", 0, 1, True, 3), "Trainer")
