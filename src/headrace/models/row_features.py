"""Which feature each row of a weight is multiplied with, read from the operations of a SavedModel.

The kernel of a dense layer that takes features side by side has a row for each of their values. What comes out of the
operation that parses Examples is followed through the functions of the signature: columns keep the feature that they
come from where an operation works on each value alone, and stand side by side after a concatenation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.models import example_features
from headrace.models.graph_walk import Functions, is_call
from headrace.models.signatures import SERVING

# What gives as many values as it takes, each of one in the same place, whatever else it takes.
_EACH_ALONE = frozenset(
    [
        "Identity",
        "EnsureShape",
        "Cast",
        "Reshape",
        "ExpandDims",
        "Squeeze",
        "StopGradient",
        "Sub",
        "Mul",
        "AddV2",
        "Add",
        "RealDiv",
        "Div",
        "Neg",
        "Sqrt",
        "Rsqrt",
        "Square",
        "Log",
        "Log1p",
        "Exp",
        "Abs",
        "Maximum",
        "Minimum",
        "Relu",
        "Tanh",
        "Sigmoid",
        "SelectV2",
        "Select",
        "IsNan",
        "ZerosLike",
        "BiasAdd",
        "ClipByValue",
        "PlaceholderWithDefault",
        "Snapshot",
        "CheckNumerics",
        "DivNoNan",
        "LookupTableFindV2",
        "Bucketize",
        "Floor",
        "Round",
        "Equal",
        "Greater",
        "GreaterEqual",
        "Less",
        "LessEqual",
        "NotEqual",
        "LogicalNot",
        "LogicalAnd",
        "Fill",
        "OnesLike",
    ]
)
_MAX_OPERATIONS = 200_000
_MAX_COLUMNS = 10_000


@dataclass(frozen=True)
class _Value:
    """What is known of a tensor.

    Attributes:
        features: The features that it depends on.
        columns: The feature of each of its columns, empty for one of several; `None` where columns are not told apart.
        variable: The number of the variable behind it; `None` for none.
    """

    features: frozenset[str] = frozenset()
    columns: tuple[str, ...] | None = None
    variable: int | None = None


_NOTHING = _Value()


def read(graph: Any) -> dict[str, tuple[str, ...]]:
    """Return the feature of each row of the weights that work on features themselves, by the weight's name.

    Args:
        graph: A `MetaGraphDef`.

    Returns:
        Empty where no weight is known to: also for graphs of TensorFlow 1, and where a layer stands between.
    """
    functions = Functions(graph)
    found = functions.signature(SERVING)
    if found is None:
        return {}
    name, bound = found
    walk = _Walk(graph, functions)
    arguments = functions.by_name[name].signature.input_arg
    values = [_NOTHING] * (len(arguments) - len(bound)) + [_Value(variable=number) for number in bound]
    try:
        walk.call(name, values)
    except _TooLong:
        return {}
    return {name: rows for name, rows in walk.rows.items() if rows}


class _TooLong(Exception):
    """More operations than are worth to be followed."""


@dataclass
class _Walk:
    graph: Any
    functions: Functions
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    num_operations: int = 0

    def call(self, name: str, arguments: Sequence[_Value]) -> list[_Value]:
        """Follow a function, and return what it gives."""
        function = self.functions.by_name[name]
        scope: dict[str, list[_Value]] = {
            argument.name: [value] for argument, value in zip(function.signature.input_arg, arguments)
        }
        nodes = {node.name: node for node in function.node_def}
        for node in _ordered(nodes):
            self.num_operations += 1
            if self.num_operations > _MAX_OPERATIONS:
                raise _TooLong
            scope[node.name] = self._outputs(node, nodes, scope)
        return [
            _found(scope, nodes, function.ret[argument.name]) for argument in function.signature.output_arg
        ]

    def _outputs(
        self, node: Any, nodes: Mapping[str, Any], scope: Mapping[str, list[_Value]]
    ) -> list[_Value]:
        if node.op == "ParseExampleV2":
            return _parsed(node, nodes)
        inputs = [_found(scope, nodes, one) for one in node.input if not one.startswith("^")]
        if is_call(node) and node.attr["f"].func.name in self.functions.by_name:
            return self.call(node.attr["f"].func.name, inputs)
        if node.op in ("ReadVariableOp", "Identity", "Cast") and inputs and inputs[0].variable is not None:
            return [inputs[0]]
        if node.op == "MatMul":
            self._note(inputs, node)
        features = frozenset[str]().union(*(value.features for value in inputs))
        return [_Value(features, _columns(node, inputs, features))]

    def _note(self, inputs: Sequence[_Value], node: Any) -> None:
        """Keep what the rows of a kernel are multiplied with; a kernel used twice in two ways is told of not at all."""
        given, kernel = inputs[0], inputs[1]
        if kernel.variable is None or node.attr["transpose_b"].b or node.attr["transpose_a"].b:
            return
        variable = self.graph.object_graph_def.nodes[kernel.variable].variable
        columns = given.columns or ()
        sizes = [dimension.size for dimension in variable.shape.dim]
        is_known = len(columns) == (sizes[0] if sizes else 0) and all(columns)
        found = columns if is_known else ()
        self.rows[variable.name] = found if self.rows.get(variable.name, found) == found else ()


def _ordered(nodes: Mapping[str, Any]) -> list[Any]:
    """Return the operations of a function, each after those it takes from."""
    found: dict[str, Any] = {}
    for start in nodes.values():
        stack = [(start, False)]
        while stack:
            node, is_left = stack.pop()
            if node.name in found:
                continue
            if is_left:
                found[node.name] = node
                continue
            stack.append((node, True))
            before = (nodes.get(one.removeprefix("^").partition(":")[0]) for one in node.input)
            stack += [(one, False) for one in before if one is not None and one.name not in found]
    return list(found.values())


def _found(scope: Mapping[str, list[_Value]], nodes: Mapping[str, Any], reference: str) -> _Value:
    """Return the value behind a reference: an argument, or `operation:output:number`."""
    name, _, rest = reference.partition(":")
    values = scope.get(name, [_NOTHING])
    node = nodes.get(name)
    output, _, number = rest.partition(":")
    at = int(number) if number.isdigit() else 0
    if node is not None and node.op == "ParseExampleV2":
        at += _starts(node).get(output, 0)
    return values[at] if at < len(values) else _NOTHING


def _starts(node: Any) -> dict[str, int]:
    """Return where each kind of output of `ParseExampleV2` begins."""
    num_sparse = int(node.attr["num_sparse"].i)
    num_dense = len(node.attr["Tdense"].list.type)
    num_ragged = len(node.attr["ragged_value_types"].list.type)
    sizes = {
        "sparse_indices": num_sparse,
        "sparse_values": num_sparse,
        "sparse_shapes": num_sparse,
        "dense_values": num_dense,
        "ragged_values": num_ragged,
        "ragged_row_splits": num_ragged,
    }
    starts, at = {}, 0
    for name, size in sizes.items():
        starts[name] = at
        at += size
    return starts


def _parsed(node: Any, nodes: Mapping[str, Any]) -> list[_Value]:
    parsed = example_features.parsed(node, nodes)
    dense = [one for one in parsed if one.shape is not None]
    sparse = [one for one in parsed if one.shape is None][: int(node.attr["num_sparse"].i)]
    ragged = [one for one in parsed if one.shape is None][int(node.attr["num_sparse"].i) :]
    loose = [_Value(frozenset({one.name})) for one in sparse]
    dense_values = [_Value(frozenset({one.name}), _labels(one.name, one.shape or ())) for one in dense]
    return [*loose * 3, *dense_values, *[_Value(frozenset({one.name})) for one in ragged] * 2]


def _labels(name: str, shape: Sequence[int]) -> tuple[str, ...] | None:
    """Return what the values of a feature are called; `None` where they are more than one row."""
    if len(shape) > 1:
        return None
    size = shape[0] if shape else 1
    if not 0 < size <= _MAX_COLUMNS:
        return None
    return (name,) if size == 1 else tuple(f"{name}[{at}]" for at in range(size))


def _columns(node: Any, inputs: Sequence[_Value], features: frozenset[str]) -> tuple[str, ...] | None:
    width = _width(node)
    if node.op == "ConcatV2":
        parts = [value.columns for value in inputs[:-1]]
        if any(part is None for part in parts):
            return None
        joined = tuple(name for part in parts for name in part or ())
        return joined if width in (None, len(joined)) else None
    given = [value for value in inputs if value.features]
    if node.op in _EACH_ALONE and given:
        known = {value.columns for value in given}
        if len(known) == 1 and None not in known:
            [columns] = known
            return columns if width in (None, len(columns or ())) else None
    if len(features) == 1 and width is not None and 0 < width <= _MAX_COLUMNS:
        # All columns come from the one feature, whatever made them: categories, buckets, numbers.
        return _labels(next(iter(features)), (width,))
    return None


def _width(node: Any) -> int | None:
    """Return how many columns the first output of an operation has; `None` where that is not written down."""
    shapes = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else []
    if not shapes or shapes[0].unknown_rank or not shapes[0].dim:
        return None
    if len(shapes[0].dim) == 1:
        return 1
    size = int(shapes[0].dim[-1].size)
    return size if len(shapes[0].dim) == 2 and size >= 0 else None
