"""What a Keras model says of itself: how it ends. How it begins: `keras_inputs`.

Keras itself is not imported: its models are asked.
"""

from __future__ import annotations

from typing import Any


def last_activation(model: Any) -> str | None:
    """Return the name of the activation with which a model ends; `None` where it is not known."""
    for layer in reversed(getattr(model, "layers", None) or []):
        activation = getattr(layer, "activation", None)
        if activation is not None:
            return str(getattr(activation, "__name__", type(activation).__name__)).lower()
        if type(layer).__name__ in ("Softmax", "Sigmoid"):
            return type(layer).__name__.lower()
        if type(layer).__name__ not in ("Reshape", "Flatten"):
            return None
    return None
