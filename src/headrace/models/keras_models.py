"""What a Keras model says of itself: which features it takes and in which structure, and how it ends.

Keras itself is not imported: its models are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.errors import TrainingError, did_you_mean, listed
from headrace.models.features import Features, input_name


def input_names(model: Any, features: Features, where: str) -> list[str]:
    """Return the names of the features that the model takes, in the order of its inputs.

    A model that does not declare its inputs (a subclass of `keras.Model`) takes all of them, as a dict.

    Raises:
        TrainingError: If the model has an input that is no feature.
    """
    structure = _declared_inputs(model)
    if structure is None:
        return list(features)
    by_input = {input_name(name): name for name in features}
    tensors = [] if isinstance(structure, dict) else [tensor.name for tensor in _flat(structure)]
    names = list(structure) if isinstance(structure, dict) else [by_input.get(name, name) for name in tensors]
    for name in names:
        if name not in features:
            raise TrainingError(
                f"{where}: the model has an input '{name}', and no feature has this name. There are "
                f"{listed(features)}.",
                f"{did_you_mean(name, features)}Name each keras.Input after a feature: features['...'].input().",
            )
    return names


def arrange(model: Any, columns: Mapping[str, Any]) -> Any:
    """Return the columns in the structure in which the model takes its inputs."""
    structure = _declared_inputs(model)
    if structure is None:
        return dict(columns)
    if isinstance(structure, dict):
        return {name: columns[name] for name in structure}
    by_input = {input_name(name): column for name, column in columns.items()}
    if isinstance(structure, (list, tuple)):
        return tuple(by_input[tensor.name] for tensor in structure)
    return by_input[structure.name]


def _declared_inputs(model: Any) -> Any:
    try:
        return model.input
    except (AttributeError, ValueError):  # a subclassed model, or one that was never built
        return None


def _flat(structure: Any) -> list[Any]:
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


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
