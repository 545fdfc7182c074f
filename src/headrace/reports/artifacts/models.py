"""Model: layers with their variables, size and signatures, read from the SavedModel's own description."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.files import files_below, size_on_disk
from headrace.formats import model_inputs
from headrace.models import kept_weights
from headrace.models.description import Variable, describe
from headrace.models.kept_weights import Weight
from headrace.models.layers import Layer
from headrace.models.saved_model import SavedModel, folders
from headrace.models.signatures import Signature, Tensor
from headrace.reports.blocks import drawings
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Picture, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject
from headrace.ui.units import format_bytes, plural

# Weights of so many numbers are shown with them, and so many weights.
_MAX_VALUES = 20
_MAX_WEIGHTS = 50
# More boxes than this are a wall, not a picture.
_MAX_BOXES = 150
_MAX_OPEN_INPUTS = 50


def render(subject: Subject) -> list[Block]:
    """Return each SavedModel in the artifact: layers, size and signatures."""
    found = list(folders(subject.artifact.uri))
    if not found:
        return [_files(subject.artifact.uri), Note("There is no SavedModel in this artifact.", "warning")]
    blocks: list[Block] = []
    for path in found:
        name = os.path.relpath(path, subject.artifact.uri)
        content = _model(path)
        blocks += content if len(found) == 1 else [Section(name, content, anchor=name)]
    return blocks


def _model(path: str) -> list[Block]:
    files = SavedModel(path, "model")
    found = describe(files)
    trainable = sum(variable.size for variable in found.variables if variable.is_trainable)
    facts: list[tuple[str, Value]] = [
        ("parameters", sum(variable.size for variable in found.variables)),
        ("trainable", trainable),
        ("size", format_bytes(found.size_bytes)),
        ("TensorFlow", found.tensorflow_version or "–"),
        ("kinds of operations", found.num_operations),
        ("assets", ", ".join(found.assets) or "none"),
    ]
    layers = found.layers
    return [
        Facts(facts),
        *_inputs(path),
        *([Section("Architecture", _architecture(layers), anchor="layers")] if layers else []),
        *_weights(kept_weights.small(files, _MAX_VALUES)),
        Section("Variables", [_variables(found.variables)], anchor="variables", is_folded=bool(layers)),
        Section("Signatures", _signatures(found.signatures), anchor="signatures"),
    ]


def _inputs(path: str) -> list[Block]:
    """The order of the features in a model that takes them side by side; nothing for one that takes them by name."""
    matrix = model_inputs.read(path)
    if not matrix:
        return []
    rows: list[list[Value]] = []
    start = 0
    for name, columns in matrix:
        place = str(start) if columns == 1 else f"{start} to {start + columns - 1}"
        rows.append([place, name, columns])
        start += columns
    footnote = f"{plural(start, 'column')}, in this order, in one matrix; the order is a part of the model."
    table = Table(["column", "feature", "columns"], rows, caption="Inputs", footnote=footnote)
    return [Section("Inputs", [table], anchor="inputs", is_folded=len(matrix) > _MAX_OPEN_INPUTS)]


def _architecture(layers: list[Layer]) -> list[Block]:
    total = sum(layer.num_parameters for layer in layers) or 1
    rows: list[list[Value]] = [
        [
            layer.name,
            ", ".join(layer.operations),
            _size(layer),
            Cell(f"{layer.num_parameters:,}", bar=layer.num_parameters / total, is_number=True),
            ", ".join(layer.inputs) or "the model's inputs",
        ]
        for layer in layers
    ]
    table = Table(
        ["layer", "does", "gives for each row", "parameters", "takes from"],
        rows,
        caption="Layers",
        footnote=f"{plural(len(layers), 'layer')}, as they serve: what works in training alone, such as dropout, "
        "is not among them.",
    )
    if len(layers) > _MAX_BOXES:
        return [table]
    boxes = [
        drawings.Box(
            layer.name,
            layer.name,
            ", ".join([*layer.operations, *([_size(layer)] if layer.shape else [])]),
            "layer" if layer.num_parameters else "plain",
        )
        for layer in layers
    ]
    edges = [(source, layer.name) for layer in layers for source in layer.inputs]
    text = f"{plural(len(layers), 'layer')} from {layers[0].name} to {layers[-1].name}"
    legend = [("layer", "with parameters"), ("plain", "without")]
    return [Picture("", drawings.graph(boxes, edges), text, legend), table]


def _size(layer: Layer) -> str:
    if layer.shape is None:
        return "–"
    sizes = [str(size) if size >= 0 else "?" for size in layer.shape[1:]]
    return " × ".join(sizes) or "1"


def _variables(variables: list[Variable]) -> Block:
    if not variables:
        return Note("The model holds no variables.", "info")
    total = sum(variable.size for variable in variables) or 1
    rows: list[list[Value]] = []
    for variable in variables:
        layer, _, name = variable.name.rpartition("/")
        shape = " × ".join(str(size) if size >= 0 else "?" for size in variable.shape) or "one number"
        share = Cell(f"{variable.size:,}", bar=variable.size / total, is_number=True)
        kind = variable.type_name if variable.is_trainable else f"{variable.type_name}, not trained"
        rows.append([layer or name, name, shape, kind, share])
    layers = len(dict.fromkeys(str(row[0]) for row in rows))
    footnote = f"{plural(layers, 'layer')} with variables, {plural(len(rows), 'variable')}."
    return Table(
        ["layer", "variable", "shape", "type", "parameters"], rows, caption="Variables", footnote=footnote
    )


def _weights(weights: list[Weight]) -> list[Block]:
    """The numbers of small weights: of a linear model, all that it learned."""
    rows: list[list[Value]] = [
        [weight.name, _place(weight, place), _number(value)]
        for weight in weights[:_MAX_WEIGHTS]
        if weight.values is not None
        for place, value in np.ndenumerate(weight.values)
    ]
    if not rows:
        return []
    more = f" {len(weights) - _MAX_WEIGHTS} more are left out." if len(weights) > _MAX_WEIGHTS else ""
    footnote = f"Those of at most {_MAX_VALUES} numbers; all: headrace.load(...).weights in Python.{more}"
    table = Table(["weight", "of", "value"], rows, caption="Small weights", footnote=footnote)
    return [Section("Weights", [table], anchor="weights")]


def _place(weight: Weight, place: tuple[int, ...]) -> str:
    """Which number of a weight it is: by the feature that it is multiplied with, where that is known."""
    if not place:
        return "–"
    first = weight.features[place[0]] if weight.features else str(place[0])
    others = [str(at) for at, size in zip(place[1:], weight.shape[1:]) if size > 1]
    is_one = weight.values is not None and weight.values.size == 1 and not weight.features
    return "–" if is_one else ", ".join([first, *others])


def _number(value: Any) -> Value:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return Cell(format_number(float(value), 6), is_number=True)


def _signatures(signatures: list[Signature]) -> list[Block]:
    rows: list[list[Value]] = [[one.name, _tensors(one.inputs), _tensors(one.outputs)] for one in signatures]
    return [Table(["signature", "inputs", "outputs"], rows, caption="Signatures")]


def _tensors(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name}: {_tensor(one)}" for name, one in tensors.items())


def _tensor(tensor: Tensor) -> str:
    kind = tensor.type_name.removeprefix("DT_").lower()
    if tensor.shape is None:
        return kind
    return f"{kind}[{', '.join('?' if size < 0 else str(size) for size in tensor.shape)}]"


def _files(root: str) -> Table:
    rows: list[list[Value]] = [
        [name, format_bytes(size_on_disk(os.path.join(root, name)))] for name in files_below(root)[:200]
    ]
    return Table(["file", "size"], rows, caption="Files")


def render_files(subject: Subject) -> list[Block]:
    """Return the files of an artifact that has no page of its own."""
    properties: list[tuple[str, Value]] = [
        (name, str(getattr(subject.artifact, name))) for name in (subject.artifact.type.PROPERTIES or {})
    ]
    facts: list[Block] = [Facts(properties)] if properties else []
    return [*facts, _files(subject.artifact.uri)]
