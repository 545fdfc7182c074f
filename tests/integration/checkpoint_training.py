"""A training with everything that a checkpoint holds, for the test that kills it; run as a script, it kills itself."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from headrace.models.keras_inputs import ModelInputs
from headrace.runtime.progress import Progress
from headrace.training import checkpoints, fitting, short_form
from headrace.training.datasets import Rows
from headrace.training.parsing import LabelRange

EPOCHS = 9
KILLED_IN = 5


def rows(is_streamed: bool) -> Rows:
    """130 rows of 3 floats, two classes, one of them rare; in memory or in blocks."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(130, 3)).astype("float32")
    y = (x[:, :1] + 0.3 * rng.normal(size=(130, 1)) > 0.8).astype("int64")
    columns = {"x": tf.constant(x), "y": tf.constant(y)}
    signature = {name: tf.TensorSpec([None, *one.shape[1:]], one.dtype) for name, one in columns.items()}

    def blocks() -> Any:
        for start in range(0, 130, 50):
            yield {name: one[start : start + 50] for name, one in columns.items()}

    label = LabelRange("int64", 0, 1, is_whole=True)
    return Rows(130, "y", label, None if is_streamed else columns, blocks, signature)


class Noise(keras.layers.Layer):
    """Draws from Keras' generator for layers that have none of their own."""

    def call(self, x: Any, training: bool = False) -> Any:
        return x + keras.random.normal(keras.ops.shape(x), stddev=0.1) if training else x


class Counting(keras.callbacks.Callback):
    """A callback of the user's, with a count that decides: it changes a bias, by Python's random numbers too."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.seen = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(float(logs["loss"]))
        bias = self.model.layers[-1].bias
        bias.assign(bias + 0.01 * len(self.seen) + 0.01 * np.random.rand())


class Killing(keras.callbacks.Callback):
    """Kills its process in the middle of an epoch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.armed and self.epoch == KILLED_IN and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        self.begun.append(epoch)

    armed = False
    begun: ClassVar[list[int]] = []


def callbacks() -> list[keras.callbacks.Callback]:
    """The user's function."""
    return [
        keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=0.05),
        Counting(),
        Killing(),
    ]


def train(path: str, run_path: str, is_streamed: bool) -> tuple[Any, fitting.Outcome]:
    """Train; return the model and what it came to."""
    checkpoints.SECONDS_BETWEEN = 0.0
    checkpoints._SHARE = 1e9
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(8, "relu")(Noise()(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Dropout(0.3)(hidden)))
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC()])
    settings = short_form.Settings(
        "Trainer",
        ("train",),
        ("eval",),
        None,
        None,
        32,
        EPOCHS,
        4,
        1,
        class_balance="resample",
        callbacks=f"{os.path.abspath(__file__)}:callbacks",
        monitor="val_auc",
    )
    data = rows(is_streamed)
    place = ModelInputs(("x",), lambda columns: columns["x"])
    outcome = fitting.fit(
        model,
        (data, data),
        settings,
        {},
        place,
        progress=Progress(),
        is_row_wise=False,
        run_path=run_path,
        checkpoint_path=path,
    )
    return model, outcome


if __name__ == "__main__":
    from headrace.usercode import functions

    # The function is loaded by its path, as a module of another name.
    functions.load_module(os.path.abspath(__file__)).Killing.armed = True
    train(sys.argv[1], sys.argv[2], sys.argv[3] == "streamed")
