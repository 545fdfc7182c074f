"""Models that go wrong, each in its own way; the tests know the lines by their comments."""

from __future__ import annotations

import keras


def build_raising(features, hyperparameters):
    """An ordinary mistake."""
    return keras.layers.Dense(hyperparameters["units"])  # no such key


def build_mismatched(features, hyperparameters):
    """A mistake that Keras finds."""
    fare = features["fare_xf"].input()
    return keras.Model(fare, keras.layers.Conv2D(3, 3)(fare))  # wrong rank


def build_exploding(features, hyperparameters):
    """A loss that becomes NaN."""
    fare = features["fare_xf"].input()
    model = keras.Model(fare, keras.layers.Dense(1)(fare))
    model.compile(loss=lambda label, output: keras.ops.mean(output) * float("nan"))
    return model


def build_model(features, hyperparameters):
    """A good one."""
    fare = features["fare_xf"].input()
    return keras.Model(fare, keras.layers.Dense(1, activation="sigmoid")(fare))
