"""What the serialized Examples must hold that a signature of a SavedModel takes, read from its file alone.

A signature that takes Examples begins with TensorFlow's `ParseExampleV2`, whose arguments say what it looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.formats.bare_protos import proto_class
from headrace.models.graph_walk import Functions, constants

# Places among the inputs of `ParseExampleV2(serialized, names, sparse_keys, dense_keys, ragged_keys, *defaults)`.
_SPARSE_KEYS, _DENSE_KEYS, _RAGGED_KEYS, _DEFAULTS = 2, 3, 4, 5


@dataclass(frozen=True)
class ExampleFeature:
    """A feature that a model reads from Examples.

    Attributes:
        name: Its name.
        type_name: `"float32"`, `"int64"` or `"string"`.
        shape: Of its values in one row; `None` where rows may have any number of values.
        is_required: Whether each row must have it: it has a shape and no value that stands for a missing one.
    """

    name: str
    type_name: str
    shape: tuple[int, ...] | None
    is_required: bool


def read(graph: Any, signature: str) -> dict[str, ExampleFeature] | None:
    """Return what a signature reads from Examples, by name and in the order in which it reads.

    Args:
        graph: A `MetaGraphDef`.
        signature: Its name.

    Returns:
        `None` where no operation was found that parses Examples, as where a Python function does.
    """
    functions = Functions(graph)
    found: dict[str, ExampleFeature] | None = None
    for function, node in functions.operations(signature):
        if node.op == "ParseExampleV2":
            nodes = {one.name: one for one in (function.node_def if function else graph.graph_def.node)}
            found = {**(found or {}), **{one.name: one for one in parsed(node, nodes)}}
    return found


def parsed(node: Any, nodes: Mapping[str, Any]) -> list[ExampleFeature]:
    """Return what an operation `ParseExampleV2` reads: dense features, then sparse ones, then ragged ones."""
    return list(_parsed(node, nodes))


def _parsed(node: Any, nodes: Mapping[str, Any]) -> Iterator[ExampleFeature]:
    dense = constants(nodes, node.input[_DENSE_KEYS])
    shapes, kinds = node.attr["dense_shapes"].list.shape, node.attr["Tdense"].list.type
    for at, (key, shape, kind) in enumerate(zip(dense, shapes, kinds)):
        default = nodes.get(node.input[_DEFAULTS + at].partition(":")[0])
        sizes = tuple(dimension.size for dimension in shape.dim)
        yield ExampleFeature(key.decode(), _told(kind), sizes, not _has_values(default))
    for keys, types in ((_SPARSE_KEYS, "sparse_types"), (_RAGGED_KEYS, "ragged_value_types")):
        for key, kind in zip(constants(nodes, node.input[keys]), node.attr[types].list.type):
            yield ExampleFeature(key.decode(), _told(kind), None, False)


def _has_values(constant: Any) -> bool:
    """Whether a default is one: that of a feature without default is an empty tensor."""
    if constant is None or constant.op != "Const":
        return constant is not None
    return not any(dimension.size == 0 for dimension in constant.attr["value"].tensor.tensor_shape.dim)


def _told(kind: int) -> str:
    name = str(proto_class("DataType").Name(kind)).removeprefix("DT_").lower()
    return {"float": "float32"}.get(name, name)
