"""The penguin model: a small dense network over the four measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from headrace.pipelines.penguin import features as penguin


def build_model(features: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> keras.Model:
    """Build the model; Trainer and Tuner compile it.

    Args:
        features: The transformed features, as Trainer gives them.
        hyperparameters: `units` (8) of each of `layers` (2) layers.

    Returns:
        A model of one probability for each species.
    """
    names = [penguin.transformed(name) for name in penguin.MEASUREMENTS]
    inputs = {name: features[name].input() for name in names}
    hidden = keras.layers.concatenate(list(inputs.values()))
    for _ in range(int(hyperparameters.get("layers", 2))):
        hidden = keras.layers.Dense(int(hyperparameters.get("units", 8)), activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(penguin.NUM_SPECIES, activation="softmax")(hidden))
