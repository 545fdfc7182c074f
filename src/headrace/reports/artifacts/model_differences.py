"""Two models beside each other: size, signatures, and how far their weights lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.models import kept_weights
from headrace.models.description import Description, describe
from headrace.models.saved_model import SavedModel, folders
from headrace.reports.blocks.blocks import Block, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject
from headrace.ui.units import format_bytes

_MAX_WEIGHTS = 500
_MAX_VALUES = 50_000_000


def render(subject: Subject, other: Subject) -> list[Block]:
    """Return what two models are, and the weights by name: equal, or how far apart."""
    ids = [subject.artifact.id, other.artifact.id]
    labels = [f"Model {ids[0]}", f"Model {ids[1]}{' again' if ids[0] == ids[1] else ''}"]
    found = {label: list(folders(one.artifact.uri)) for label, one in zip(labels, (subject, other))}
    for label, paths in found.items():
        if len(paths) != 1:
            return [
                Note(f"{label} holds {len(paths)} SavedModels, and those with one are compared.", "warning")
            ]
    models = {label: SavedModel(paths[0], label) for label, paths in found.items()}
    described = {label: describe(model) for label, model in models.items()}
    columns = ["", *models]
    rows: list[list[Value]] = [
        ["parameters", *[sum(one.size for one in each.variables) for each in described.values()]],
        ["layers", *[len(each.layers) for each in described.values()]],
        ["size", *[format_bytes(each.size_bytes) for each in described.values()]],
        ["signatures", *[", ".join(one.name for one in each.signatures) for each in described.values()]],
        ["TensorFlow", *[each.tensorflow_version or "–" for each in described.values()]],
    ]
    blocks: list[Block] = [Table(columns, rows, caption="Compared")]
    return [*blocks, Section("Weights", [_weights(models, described)], anchor="weights")]


def _weights(models: Mapping[str, SavedModel], described: Mapping[str, Description]) -> Block:
    if any(sum(one.size for one in each.variables) > _MAX_VALUES for each in described.values()):
        return Note(f"Weights are compared up to {_MAX_VALUES:,} parameters.", "info")
    old, new = (kept_weights.read(model.path) for model in models.values())
    names = list(dict.fromkeys([*old, *new]))
    rows: list[list[Value]] = [_row(name, old.get(name), new.get(name)) for name in names[:_MAX_WEIGHTS]]
    if not rows:
        return Note("Neither model has weights.", "info")
    more = f" {len(names) - _MAX_WEIGHTS:,} more are left out." if len(names) > _MAX_WEIGHTS else ""
    footnote = f"The distance is the root of the mean of squared differences.{more}"
    shapes = [f"shape in {label}" for label in models]
    return Table(
        ["weight", *shapes, "distance", "largest difference"], rows, caption="Weights", footnote=footnote
    )


def _row(name: str, old: NDArray[Any] | None, new: NDArray[Any] | None) -> list[Value]:
    shapes: list[Value] = [_shape(old), _shape(new)]
    if old is None or new is None or old.shape != new.shape:
        return [name, *shapes, "–", "–"]
    if old.dtype == object or new.dtype == object:
        return [name, *shapes, "equal" if np.array_equal(old, new) else "differs", "–"]
    if np.array_equal(old, new):
        return [name, *shapes, "equal", "–"]
    difference = np.abs(new.astype(np.float64) - old.astype(np.float64))
    distance = float(np.sqrt(np.mean(difference**2))) if difference.size else 0.0
    return [name, *shapes, format_number(distance), format_number(float(difference.max(initial=0.0)))]


def _shape(weight: NDArray[Any] | None) -> str:
    if weight is None:
        return "–"
    return " × ".join(map(str, weight.shape)) or "one number"
