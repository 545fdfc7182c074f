"""The weights of a SavedModel by the names of its layers, read from its files without TensorFlow."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from headrace.errors import HeadraceError
from headrace.formats.checkpoints import Checkpoint, Tensor
from headrace.models import row_features
from headrace.models.saved_model import SavedModel


@dataclass(frozen=True)
class Weight:
    """A weight as pages tell it.

    Attributes:
        name: Such as `"dense/kernel"`.
        type_name: Such as `"float32"`.
        shape: Its sizes.
        values: What it holds; `None` where that is too much to be told.
        features: The feature that each of its rows is multiplied with; empty where that cannot be told.
    """

    name: str
    type_name: str
    shape: tuple[int, ...]
    values: NDArray[Any] | None
    features: tuple[str, ...] = ()


def read(path: str) -> dict[str, NDArray[Any]]:
    """Return all weights of a SavedModel by name, in the model's order.

    A name that several have stands for the first, and others have a number behind it: `dense/kernel`, `dense/kernel_1`.

    Raises:
        MalformedFileError: If the files are damaged.
    """
    checkpoint = Checkpoint(path)
    return {name: checkpoint.read(tensor) for name, tensor in _named(checkpoint).items()}


def shown(files: SavedModel, max_values: int) -> list[Weight]:
    """Return the weights of a model, with the values of those that hold no more than `max_values`.

    Raises:
        MalformedFileError: If the files are damaged.
    """
    checkpoint = Checkpoint(files.path)
    features = row_features.read(files.graphs[0])
    return [
        Weight(
            name,
            tensor.type_name,
            tensor.shape,
            checkpoint.read(tensor) if tensor.size <= max_values else None,
            features.get(tensor.name, ()) if _is_one(checkpoint, tensor) else (),
        )
        for name, tensor in _named(checkpoint).items()
    ]


def _is_one(checkpoint: Checkpoint, tensor: Tensor) -> bool:
    return [one.name for one in checkpoint.tensors].count(tensor.name) == 1


def _named(checkpoint: Checkpoint) -> Mapping[str, Tensor]:
    found: dict[str, Tensor] = {}
    taken = {tensor.name for tensor in checkpoint.tensors}
    for tensor in checkpoint.tensors:
        numbered = (f"{tensor.name}_{number}" for number in itertools.count(1))
        is_new = tensor.name not in found
        name = (
            tensor.name if is_new else next(one for one in numbered if one not in taken and one not in found)
        )
        found[name] = tensor
    return found


def small(files: SavedModel, max_values: int) -> list[Weight]:
    """Return the weights that are told with their values, for pages; none where the files cannot be read."""
    try:
        return [one for one in shown(files, max_values) if one.values is not None]
    except HeadraceError:
        return []
