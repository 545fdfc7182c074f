"""What pages show of a model: its variables, layers, signatures and size, read from its files alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from headrace.formats.bare_protos import proto_class
from headrace.models.layers import Layer, read_layers
from headrace.models.saved_model import SavedModel, nodes, signatures_of
from headrace.models.signatures import Signature


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

    @property
    def layer_name(self) -> str:
        """The layer that it is named after; empty where it is named after none."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class Description:
    """What a model is.

    Attributes:
        variables: In the order in which the model holds them.
        layers: Each after those it takes from; empty where none are told apart.
        signatures: In order of names.
        size_bytes: Of all its files.
        tensorflow_version: Of the TensorFlow that wrote it; empty where the file does not say.
        num_operations: Kinds of operations in it.
        assets: Names of its asset files.
    """

    variables: list[Variable]
    layers: list[Layer]
    signatures: list[Signature]
    size_bytes: int
    tensorflow_version: str
    num_operations: int
    assets: list[str]


def describe(model: SavedModel) -> Description:
    """Read what a model is, from its first graph."""
    graph = model.graphs[0]
    variables = read_variables(graph)
    return Description(
        variables,
        read_layers(graph, {variable.layer_name for variable in variables}),
        sorted(signatures_of(graph).values(), key=lambda signature: signature.name),
        model.size_bytes,
        graph.meta_info_def.tensorflow_version,
        len({node.op for node in nodes(graph)}),
        model.assets,
    )


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
