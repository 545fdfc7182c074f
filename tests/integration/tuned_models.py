"""A `build_model` for the tests of Tuner's processes: with some values it cannot be built."""

from __future__ import annotations

import os
import signal
from typing import Any

import keras


def build_model(features: Any, hyperparameters: Any) -> keras.Model:
    """A line on `x`; its process is killed, it raises, or its loss is NaN, as `how` has it."""
    if hyperparameters["how"] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if hyperparameters["how"] == "raises":
        raise ValueError("no such model")
    scale = float("nan") if hyperparameters["how"] == "nan" else 1.0
    x = features["x"].input()
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Rescaling(scale)(x)))
