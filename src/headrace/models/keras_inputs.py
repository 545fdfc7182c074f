"""How a Keras model is fed: which features each of its inputs is made of.

Inputs that are named after features take these. A model as tutorials write it, whose one input has no name, takes the
features that fit: one of width n all numbers of a row side by side, in the stated order; one of two dimensions or more,
such as a picture, the one feature of this shape.

Keras itself is not imported: its models are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from headrace.errors import TrainingError, did_you_mean, listed
from headrace.models import matrices
from headrace.models.features import Feature, Features, input_name

# What Keras calls an input that was given no name.
_NO_NAME = re.compile(r"^(keras_tensor|input_layer|input)(_\d+)?$")


@dataclass(frozen=True)
class ModelInputs:
    """How a model is fed.

    Attributes:
        names: The features that it takes; of a matrix in the order of its columns.
        arrange: Puts dense batches of these, by name, in the structure in which the model takes its inputs.
        matrix: Where the model takes one matrix: its features and how many columns each gives, in order. Else empty.
    """

    names: tuple[str, ...]
    arrange: Callable[[Mapping[str, Any]], Any]
    matrix: tuple[tuple[str, int], ...] = ()


def resolve(model: Any, features: Features, where: str) -> ModelInputs:
    """Return how a model is fed; a `Sequential` that does not know its input's shape yet is built.

    A model that does not declare its inputs (a subclass of `keras.Model`) takes all features, as a dict.

    Args:
        model: Of Keras.
        features: Those that it may take, in the order of `features.order`.
        where: For messages.

    Raises:
        TrainingError: If an input is no feature, or none fits it.
    """
    if _is_unbuilt_sequential(model):
        model.build((None, *_natural_shape(model, features, where)))
    structure = _declared_inputs(model)
    if structure is None:
        return ModelInputs(tuple(features), dict)
    if isinstance(structure, Mapping):
        return _by_name({name: name for name in structure}, features, where, dict)
    if isinstance(structure, (list, tuple)):
        return _in_a_list(structure, features, where)
    return _one(structure, features, where)


def _declared_inputs(model: Any) -> Any:
    if _is_sequential(model):
        # A Sequential has `input` only once it was called.
        inputs = getattr(model, "inputs", None) or []
        return inputs[0] if len(inputs) == 1 else None
    try:
        return model.input
    except (AttributeError, ValueError):  # a subclassed model, or one that was never built
        return None


def _is_sequential(model: Any) -> bool:
    return any(
        kind.__name__ == "Sequential" and kind.__module__.startswith("keras.") for kind in type(model).__mro__
    )


def _is_unbuilt_sequential(model: Any) -> bool:
    return _is_sequential(model) and not model.built


def _by_name(
    wanted: Mapping[str, str], features: Features, where: str, collect: Callable[[Mapping[str, Any]], Any]
) -> ModelInputs:
    """Inputs that are named after features.

    Args:
        wanted: For each input, by its name, the feature.
        features: Those that there are.
        where: For messages.
        collect: Makes the structure of the inputs' columns, which are in the inputs' order.
    """
    for name in wanted.values():
        if name not in features:
            raise TrainingError(
                f"{where}: the model has an input '{name}', and no feature has this name. There are {listed(features)}.",
                f"{did_you_mean(name, features)}Name each keras.Input after a feature: features['...'].input().",
            )

    def arrange(columns: Mapping[str, Any]) -> Any:
        return collect({key: columns[name] for key, name in wanted.items()})

    return ModelInputs(tuple(wanted.values()), arrange)


def _in_a_list(tensors: Sequence[Any], features: Features, where: str) -> ModelInputs:
    """Inputs in a list: by name, or, where none was given one, the features in their order."""
    by_input = {input_name(name): name for name in features}
    if all(_NO_NAME.match(tensor.name) and tensor.name not in by_input for tensor in tensors):
        if len(tensors) != len(features):
            raise TrainingError(
                f"{where}: the model has {len(tensors)} inputs without names, and there are {len(features)} features: "
                f"{matrices.told(features.order)}.",
                "name each keras.Input after a feature, features['...'].input(); or choose as many features, in the order "
                "of the inputs: features=[...].",
            )
        pairs = list(zip(features.order, tensors))
        for name, tensor in pairs:
            if not _fits(features[name], tensor):
                raise TrainingError(
                    f"{where}: the model's inputs have no names, so they take the features in their order, and "
                    f"'{name}' ({_shape_text(features[name].shape)}, {features[name].dtype}) does not fit its input "
                    f"({_shape_text(_shape(tensor))}, {tensor.dtype}).",
                    "give the features in the order of the inputs, features=[...]; or name each keras.Input after one.",
                )
        by_place = dict(pairs)
        return ModelInputs(
            tuple(by_place),
            lambda columns: tuple(_fitted(columns[name], tensor) for name, tensor in by_place.items()),
        )
    wanted = {str(place): by_input.get(one.name, one.name) for place, one in enumerate(tensors)}
    return _by_name(wanted, features, where, lambda columns: tuple(columns.values()))


def _one(tensor: Any, features: Features, where: str) -> ModelInputs:
    named = {input_name(name): name for name in features}.get(tensor.name)
    if named is not None:
        return _by_name({"": named}, features, where, lambda columns: columns[""])
    shape = _shape(tensor)
    parts = matrices.parts(features, tensor.dtype, where)
    width = sum(part.size for part in parts)
    if len(shape) == 1 and parts and shape[0] in (None, width):
        return _matrix(parts, tensor)
    fitting = [feature for feature in features.values() if _fits(feature, tensor)]
    if len(fitting) == 1 and shape != (1,):
        name = fitting[0].name
        return ModelInputs((name,), lambda columns: _fitted(columns[name], tensor))
    if not _NO_NAME.match(tensor.name):
        return _by_name({"": tensor.name}, features, where, lambda columns: columns[""])
    if len(shape) == 1:
        raise matrices.mismatch(shape[0], parts, features, tensor.dtype, where)
    shapes = ", ".join(f"'{name}' {_shape_text(features[name].shape)}" for name in features.order)
    found = f"{len(fitting)} features have" if fitting else "no feature has"
    raise TrainingError(
        f"{where}: the model takes one input of shape {_shape_text(shape)}, and {found} this shape. There are: {shapes}.",
        "choose the feature, features=['...']; or name the input after it: features['...'].input().",
    )


def _matrix(parts: Sequence[matrices.Part], tensor: Any) -> ModelInputs:
    names = tuple(part.feature.name for part in parts)
    matrix = tuple((part.feature.name, part.size) for part in parts)
    dtype = tensor.dtype

    def arrange(given: Mapping[str, Any]) -> Any:
        flat = [tf.reshape(_cast(given[part.feature.name], dtype), [-1, part.size]) for part in parts]
        return tf.concat(flat, axis=1) if len(flat) > 1 else flat[0]

    return ModelInputs(names, arrange, matrix)


def _natural_shape(model: Any, features: Features, where: str) -> tuple[int | None, ...]:
    """The shape of one row for a model that says nothing of it: that of the one feature, or the numbers side by side."""
    if len(features) == 1:
        return next(iter(features.values())).shape
    first = model.layers[0] if getattr(model, "layers", None) else None
    parts = matrices.parts(features, str(getattr(first, "compute_dtype", "float32")), where)
    if not parts:
        raise matrices.mismatch(None, parts, features, "float32", where)
    return (sum(part.size for part in parts),)


def _fits(feature: Feature, tensor: Any) -> bool:
    """Whether a feature has the shape of an input; dimensions of 1 at the end, such as one channel, do not matter."""
    if (feature.dtype == "string") != (tensor.dtype == "string"):
        return False
    given, wanted = _without_ones(feature.shape), _without_ones(_shape(tensor))
    return len(given) == len(wanted) and all(b is None or a == b for a, b in zip(given, wanted))


def _without_ones(shape: Iterable[int | None]) -> tuple[int | None, ...]:
    sizes = list(shape)
    while sizes and sizes[-1] == 1:
        sizes.pop()
    return tuple(sizes)


def _fitted(value: Any, tensor: Any) -> Any:
    """Give a feature the shape and type of the input that it fits."""
    value, shape = _cast(value, tensor.dtype), _shape(tensor)
    while value.shape.rank < len(shape) + 1:
        value = tf.expand_dims(value, -1)
    while value.shape.rank > len(shape) + 1:
        value = tf.squeeze(value, -1)
    return value


def _cast(value: Any, dtype: str) -> Any:
    return value if dtype == "string" or value.dtype == dtype else tf.cast(value, dtype)


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return tuple(tensor.shape[1:])


def _shape_text(shape: Iterable[int | None]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"
