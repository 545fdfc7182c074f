"""Which inputs each output of a Transform graph is made from, followed through the graph's operations."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

# Operations that say what was done to a feature, by what a reader calls them.
_WORDS = {
    "LookupTableFindV2": "vocabulary",
    "LookupTableFind": "vocabulary",
    "Bucketize": "buckets",
    "BoostedTreesBucketize": "buckets",
    "StringToHashBucketFast": "hash buckets",
    "StringToHashBucketStrong": "hash buckets",
    "UpperBound": "buckets",
    "LowerBound": "buckets",
    "SparseToDense": "default for missing",
    "StringSplitV2": "split",
    "RegexReplace": "replace",
    "StringLower": "lower case",
    "DecodeJpeg": "decode image",
    "DecodePng": "decode image",
    "DecodeImage": "decode image",
    "ResizeBilinear": "resize",
    "Log": "log",
    "Log1p": "log",
    "OneHot": "one-hot",
}
_MAX_STEPS = 20_000


# TFT's scale_to_z_score.
_Z_SCORE = {"Sub", "Sqrt", "RealDiv", "SelectV2"}
# What a learned number is, by the operation that takes it; a z-score alone subtracts its mean and takes a root.
_LEARNED = {"UpperBound": "borders", "LowerBound": "borders", "Bucketize": "borders"}
_LEARNED_BY_Z_SCORE = {"Sub": "mean", "Sqrt": "variance"}
_PASSING_ON = {"Identity", "Cast", "Reshape", "ExpandDims", "PlaceholderWithDefault"}
# Of TensorFlow's `DataType`.
_FLOAT, _DOUBLE, _STRING, _INT64 = 1, 2, 7, 9
# By the type of a feature in a schema: bytes, integers, floats.
_TYPES = {1: _STRING, 2: _INT64, 3: _FLOAT}


@dataclass(frozen=True)
class Origin:
    """Where an output comes from.

    Attributes:
        inputs: Features that it depends on, sorted.
        operations: What is done to them, sorted.
        learned: Numbers that the analysis of the data put into the graph, with what they are: `"borders"` of
            buckets, `"mean"`, `"variance"`, or empty; one pair per constant.
    """

    inputs: list[str]
    operations: list[str]
    learned: list[tuple[str, list[float]]]


def _signature(saved_model: Any) -> Any:
    if saved_model is None or not saved_model.meta_graphs:
        return None
    signatures = saved_model.meta_graphs[0].signature_def
    for name in ("transform_signature", "serving_default"):
        if name in signatures:
            return signatures[name]
    return None


def input_names(saved_model: Any, schema: Any) -> dict[str, str]:
    """Return the feature behind each input key of the graph, in the order of the keys.

    TFT flattens its inputs into `inputs`, `inputs_1`...: in the order of the schema or of their names, whichever the
    types of the tensors fit; three tensors for one without a fixed shape (indices, values and shape of a sparse tensor),
    one for each other.

    Args:
        saved_model: The `transform_fn`.
        schema: The schema of the data that goes in.

    Returns:
        Input key to feature. Keys stand for themselves where the schema does not fit them.
    """
    signature = _signature(saved_model)
    keys = sorted(signature.inputs, key=_place) if signature is not None else []
    tensors = [signature.inputs[key] for key in keys]
    for features in (list(schema.feature), sorted(schema.feature, key=lambda feature: feature.name)):
        wanted = [(feature.name, kind) for feature in features for kind in _tensors_of(feature)]
        kinds = [kind for _, kind in wanted]
        if len(keys) == len(wanted) and all(map(_fits, tensors, kinds)):
            return {key: name for key, (name, _) in zip(keys, wanted)}
    return dict(zip(keys, keys))


def _tensors_of(feature: Any) -> list[tuple[int, int | None]]:
    """Type and rank of each tensor that a feature comes as; `None` for a rank that its shape decides."""
    kind = _TYPES.get(feature.type, 0)
    return [(kind, None)] if feature.HasField("shape") else [(_INT64, 2), (kind, 1), (_INT64, 1)]


def _fits(info: Any, wanted: tuple[int, int | None]) -> bool:
    kind, rank = wanted
    return info.dtype in (0, kind) and rank in (None, len(info.tensor_shape.dim))


def _place(key: str) -> tuple[str, int]:
    name, _, number = key.rpartition("_")
    return (name, int(number)) if name and number.isdigit() else (key, 0)


def sources(saved_model: Any, features: dict[str, str]) -> dict[str, Origin]:
    """Return where each output comes from; empty where the graph cannot be followed.

    Args:
        saved_model: The `transform_fn`.
        features: Feature of each input key; see `input_names`.
    """
    signature = _signature(saved_model)
    if signature is None:
        return {}
    walk = _Walk(saved_model.meta_graphs[0].graph_def)
    starts = {
        tensor.partition(":")[0]: features.get(key, key)
        for key, info in signature.inputs.items()
        for tensor in _tensor_names(info)
    }
    return {key: walk.origin(_tensor_names(info), starts) for key, info in sorted(signature.outputs.items())}


def _tensor_names(info: Any) -> list[str]:
    if info.WhichOneof("encoding") == "composite_tensor":
        return [one.name for one in info.composite_tensor.components]
    if info.WhichOneof("encoding") == "coo_sparse":
        sparse = info.coo_sparse
        return [sparse.values_tensor_name, sparse.indices_tensor_name]
    return [info.name]


class _Walk:
    """Follows tensors against the flow, into the functions that are called."""

    def __init__(self, graph: Any) -> None:
        self.nodes = {node.name: node for node in graph.node}
        self.functions = {function.signature.name: function for function in graph.library.function}

    def origin(self, tensors: list[str], starts: dict[str, str]) -> Origin:
        """Return where tensors come from; `starts` names the feature behind each input tensor."""
        inputs: set[str] = set()
        operations: set[str] = set()
        learned: list[tuple[str, list[float]]] = []
        stack = [(tensor, "") for tensor in tensors]
        seen: set[str] = set()
        while stack and len(seen) < _MAX_STEPS:
            tensor, taker = stack.pop()
            if tensor in seen or tensor.startswith("^"):
                continue
            seen.add(tensor)
            name, _, index = tensor.partition(":")
            node = self.nodes.get(name)
            if name in starts:
                inputs.add(starts[name])
            elif node is not None and node.op == "Const":
                learned += [(taker, values)] if (values := _numbers(node.attr["value"].tensor)) else []
            elif node is not None:
                stack += self._behind(node, int(index or 0), taker, operations)
        words = {**_LEARNED, **(_LEARNED_BY_Z_SCORE if operations >= _Z_SCORE else {})}
        named = [(words.get(taker, ""), values) for taker, values in learned]
        return Origin(sorted(inputs), _described(operations), sorted(named, key=lambda one: one[0]))

    def _behind(self, node: Any, output: int, taker: str, operations: set[str]) -> list[tuple[str, str]]:
        """Return the inputs that an output of a node depends on, each with the operation that takes it.

        Args:
            node: The node.
            output: Which of its outputs.
            taker: The operation that takes the output.
            operations: Those passed are added.
        """
        operations.add(node.op)
        function = None
        if node.op in ("PartitionedCall", "StatefulPartitionedCall"):
            function = self.functions.get(node.attr["f"].func.name)
        if function is None:
            by = taker if node.op in _PASSING_ON else node.op
            return [(tensor, by) for tensor in node.input]
        found = self._through(function, output, taker, operations)
        return [(node.input[at], by) for at, by in sorted(found.items()) if at < len(node.input)]

    def _through(self, function: Any, output: int, taker: str, operations: set[str]) -> dict[int, str]:
        """Return the positions of a function's arguments that one of its outputs depends on, with their takers."""
        nodes = {node.name: node for node in function.node_def}
        arguments = {argument.name: at for at, argument in enumerate(function.signature.input_arg)}
        outputs = function.signature.output_arg
        if output >= len(outputs):
            return dict.fromkeys(range(len(arguments)), "")
        stack = [(function.ret[outputs[output].name], taker)]
        positions: dict[int, str] = {}
        seen: set[str] = set()
        while stack and len(seen) < _MAX_STEPS:
            tensor, by = stack.pop()
            if tensor in seen or tensor.startswith("^"):
                continue
            seen.add(tensor)
            # `node:output:index` in a function, unlike `node:index` outside.
            name, *_, index = tensor.split(":") if ":" in tensor else (tensor, "0")
            if name in arguments:
                positions[arguments[name]] = by
            elif name in nodes:
                stack += self._behind(nodes[name], int(index) if index.isdigit() else 0, by, operations)
        return positions


def _described(operations: set[str]) -> list[str]:
    words = {_WORDS[operation] for operation in operations if operation in _WORDS}
    return sorted(words | ({"z-score"} if operations >= _Z_SCORE else set()))


def _numbers(tensor: Any) -> list[float]:
    """Return the values of a constant of floats; empty for other types."""
    if tensor.dtype not in (_FLOAT, _DOUBLE):
        return []
    if tensor.tensor_content:
        letter, size = ("f", 4) if tensor.dtype == _FLOAT else ("d", 8)
        count = len(tensor.tensor_content) // size
        return list(struct.unpack(f"<{count}{letter}", tensor.tensor_content))
    return list(tensor.float_val or tensor.double_val)
