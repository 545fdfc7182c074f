"""Model: layers with their variables, size and signatures, read from the SavedModel's own description."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.files import files_below, names_in, open_file, size_on_disk
from headrace.formats.bare_protos import proto_class
from headrace.reports.artifacts.architectures import Layer, read_layers
from headrace.reports.blocks import drawings
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Picture, Section, Table, Value
from headrace.store.session import Subject
from headrace.ui.units import format_bytes, plural

_FILE = "saved_model.pb"
# More boxes than this are a wall, not a picture.
_MAX_BOXES = 150


@dataclass(frozen=True)
class Variable:
    """A variable of a model."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    is_trainable: bool

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape) if all(size >= 0 for size in self.shape) else 0


def render(subject: Subject) -> list[Block]:
    """Return each SavedModel in the artifact: layers, size and signatures."""
    found = list(_saved_models(subject.artifact.uri))
    if not found:
        return [_files(subject.artifact.uri), Note("There is no SavedModel in this artifact.", "warning")]
    blocks: list[Block] = []
    for path in found:
        name = os.path.relpath(path, subject.artifact.uri)
        content = _model(path)
        blocks += content if len(found) == 1 else [Section(name, content, anchor=name)]
    return blocks


def _saved_models(root: str) -> Iterator[str]:
    for name in files_below(root):
        if os.path.basename(name) == _FILE:
            yield os.path.dirname(os.path.join(root, name))


def _model(path: str) -> list[Block]:
    with open_file(os.path.join(path, _FILE)) as file:
        proto = proto_class("SavedModel").FromString(file.read())
    graph = proto.meta_graphs[0]
    variables = read_variables(graph)
    trainable = sum(variable.size for variable in variables if variable.is_trainable)
    total = sum(variable.size for variable in variables)
    assets = os.path.join(path, "assets")
    names = names_in(assets) if os.path.isdir(assets) else []
    operations = {node.op for node in graph.graph_def.node} | {
        node.op for function in graph.graph_def.library.function for node in function.node_def
    }
    facts: list[tuple[str, Value]] = [
        ("parameters", total),
        ("trainable", trainable),
        ("size", format_bytes(size_on_disk(path))),
        ("TensorFlow", graph.meta_info_def.tensorflow_version or "–"),
        ("kinds of operations", len(operations)),
        ("assets", ", ".join(names) or "none"),
    ]
    layers = read_layers(graph, {_layer_of(variable) for variable in variables})
    return [
        Facts(facts),
        *([Section("Architecture", _architecture(layers), anchor="layers")] if layers else []),
        Section("Variables", [_variables(variables)], anchor="variables", is_folded=bool(layers)),
        Section("Signatures", _signatures(graph), anchor="signatures"),
    ]


def _layer_of(variable: Variable) -> str:
    return variable.name.rpartition("/")[0]


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


def read_variables(graph: Any) -> list[Variable]:
    """Return the variables of a `MetaGraphDef`, in the order in which the model holds them."""
    types = proto_class("DataType")
    found: dict[str, Variable] = {}
    for node in graph.object_graph_def.nodes:
        if node.WhichOneof("kind") == "variable":
            one = node.variable
            shape = tuple(dimension.size for dimension in one.shape.dim)
            kind = types.Name(one.dtype).removeprefix("DT_").lower()
            found.setdefault(one.name, Variable(one.name, shape, kind, one.trainable))
    return list(found.values())


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


def _signatures(graph: Any) -> list[Block]:
    types = proto_class("DataType")
    rows: list[list[Value]] = []
    for name in sorted(graph.signature_def):
        if name.startswith("__"):
            continue
        signature = graph.signature_def[name]
        rows.append([name, _tensors(signature.inputs, types), _tensors(signature.outputs, types)])
    return [Table(["signature", "inputs", "outputs"], rows, caption="Signatures")]


def _tensors(infos: Any, types: Any) -> str:
    return ", ".join(f"{key}: {_tensor(infos[key], types)}" for key in sorted(infos))


def _tensor(info: Any, types: Any) -> str:
    sizes = ["?" if dimension.size < 0 else str(dimension.size) for dimension in info.tensor_shape.dim]
    shape = "" if info.tensor_shape.unknown_rank else f"[{', '.join(sizes)}]"
    return f"{types.Name(info.dtype).removeprefix('DT_').lower()}{shape}"


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
