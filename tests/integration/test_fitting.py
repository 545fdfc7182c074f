"""The batches of an evaluation during training: larger where that changes no number."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from headrace.runtime.progress import Progress
from headrace.training import fitting, plans, short_form
from headrace.training.datasets import Rows
from headrace.training.parsing import LabelRange

NUM_ROWS = 100


def rows(width: int = 2) -> Rows:
    """Random rows of `width` floats, with a label of 0 and 1."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(NUM_ROWS, width)).astype("float32")
    columns = {"x": tf.constant(x), "y": tf.constant((x.sum(axis=1, keepdims=True) > 0).astype("int64"))}
    signature = {
        name: tf.TensorSpec([None, *value.shape[1:]], value.dtype) for name, value in columns.items()
    }
    return Rows(NUM_ROWS, "y", LabelRange("int64", 0, 1, is_whole=True), columns, lambda: iter(()), signature)


def settings(**values: Any) -> short_form.Settings:
    """Settings of three steps of training."""
    known: dict[str, Any] = {"train_steps": 3, "eval_steps": None, "batch_size": 10, "epochs": None}
    known |= {"patience": 5, "seed": 1, "train_splits": ("train",), "eval_splits": ("eval",)}
    return short_form.Settings(node_id="Trainer", **(known | values))


@pytest.mark.parametrize(
    ("num_steps", "is_row_wise", "expected"),
    [
        (None, True, (100, 1)),
        (4, True, (40, 1)),
        (1_000, True, (100, 1)),
        (None, False, (10, 10)),
        (4, False, (10, 4)),
    ],
)
def test_an_evaluation_takes_the_same_rows_in_one_batch(num_steps, is_row_wise, expected):
    assert plans.eval_batches(rows(), 10, num_steps, is_row_wise) == expected


@pytest.mark.parametrize(
    ("num_steps", "expected"), [(None, (70, 2)), (9, (30, 3)), (7, (70, 1)), (5, (50, 1))]
)
def test_a_batch_stays_below_a_megabyte_and_ends_where_the_last_small_one_would(num_steps, expected):
    """A row of 3,600 floats takes 14 kB: 70 of them fit."""
    assert plans.eval_batches(rows(3_600), 10, num_steps, is_row_wise=True) == expected


@pytest.mark.parametrize("eval_steps", [None, 3])
def test_losses_and_metrics_are_those_of_small_batches(eval_steps):
    data = rows()
    histories = []
    for is_row_wise in (True, False):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((2,), name="x")
        model = keras.Model({"x": inputs}, keras.layers.Dense(1, activation="sigmoid")(inputs))
        short_form.compile_if_needed(model, data.label_range, {}, "Trainer")
        outcome = fitting.fit(
            model,
            (data, data),
            settings(eval_steps=eval_steps),
            {},
            progress=Progress(),
            is_row_wise=is_row_wise,
        )
        histories.append(outcome.history)
    large, small = histories
    assert large.keys() == small.keys() == {"loss", "binary_accuracy", "val_loss", "val_binary_accuracy"}
    for name, values in large.items():
        assert values == pytest.approx(small[name], rel=1e-5)


def test_only_a_model_that_is_compiled_here_is_known_to_take_means_over_rows():
    inputs = keras.Input((2,), name="x")
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    assert short_form.compile_if_needed(model, rows().label_range, {}, "Trainer")
    assert not short_form.compile_if_needed(model, rows().label_range, {}, "Trainer")


class _Counting(keras.layers.Layer):
    """Counts how often its call is traced for training."""

    num_traced = 0

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.num_traced += bool(training)
        return inputs


def test_the_training_step_is_traced_once_and_its_numbers_are_kerass(monkeypatch: pytest.MonkeyPatch):
    data, histories, traced = rows(), [], []
    for is_ours in (True, False):
        keras.utils.set_random_seed(1)
        inputs, counting = keras.Input((2,), name="x"), _Counting()
        hidden = keras.layers.Dropout(0.5, seed=2)(keras.layers.Dense(4)(counting(inputs)))
        model = keras.Model({"x": inputs}, keras.layers.Dense(1, activation="sigmoid")(hidden))
        model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy", keras.metrics.AUC()])
        if not is_ours:
            monkeypatch.setattr(fitting, "_create_variables", lambda *_: [])
        counting.num_traced = 0
        outcome = fitting.fit(model, (data, data), settings(), {}, progress=Progress(), is_row_wise=False)
        traced.append(counting.num_traced)
        histories.append([value for name, value in sorted(outcome.history.items())])
    assert traced == [1, 2]
    assert histories[0] == histories[1]


def test_a_metric_that_takes_no_zeros_is_left_to_the_first_step():
    class Strict(keras.metrics.Mean):
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            if tf.executing_eagerly():
                raise ValueError("no row of zeros")
            super().update_state(y_pred)

    inputs, data = keras.Input((2,), name="x"), rows()
    model = keras.Model({"x": inputs}, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse", metrics=[Strict(name="strict")])
    outcome = fitting.fit(model, (data, data), settings(), {}, progress=Progress(), is_row_wise=False)
    assert set(outcome.history) == {"loss", "strict", "val_loss", "val_strict"}
