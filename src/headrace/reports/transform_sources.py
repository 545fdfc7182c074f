"""Which inputs each output of a Transform graph is made from, followed through the graph's operations."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Origin:
    """Inputs that an output depends on, and what the operations in between do; both sorted."""

    inputs: list[str]
    operations: list[str]


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

    TFT flattens its inputs into `inputs`, `inputs_1`...: features by name, three tensors for one without a
    fixed shape (indices, values and shape of a sparse tensor), one for each other.

    Args:
        saved_model: The `transform_fn`.
        schema: The schema of the data that goes in.

    Returns:
        Input key to feature. Keys stand for themselves where their number does not fit the schema.
    """
    signature = _signature(saved_model)
    keys = sorted(signature.inputs, key=_place) if signature is not None else []
    names = [
        feature.name
        for feature in sorted(schema.feature, key=lambda feature: feature.name)
        for _ in range(1 if feature.HasField("shape") else 3)
    ]
    return dict(zip(keys, names if len(names) == len(keys) else keys))


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
        inputs: set[str] = set()
        words: set[str] = set()
        stack = list(tensors)
        seen: set[str] = set()
        while stack and len(seen) < _MAX_STEPS:
            tensor = stack.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            name, _, index = tensor.lstrip("^").partition(":")
            if name in starts:
                inputs.add(starts[name])
                continue
            node = self.nodes.get(name)
            if node is None or tensor.startswith("^"):
                continue
            if node.op in _WORDS:
                words.add(_WORDS[node.op])
            called = self._called(node)
            if called is None:
                stack += list(node.input)
            else:
                positions, inner = self._through(called, int(index or 0))
                words |= inner
                stack += [node.input[at] for at in positions if at < len(node.input)]
        return Origin(sorted(inputs), sorted(words))

    def _called(self, node: Any) -> Any:
        if node.op not in ("PartitionedCall", "StatefulPartitionedCall"):
            return None
        return self.functions.get(node.attr["f"].func.name)

    def _through(self, function: Any, output: int) -> tuple[set[int], set[str]]:
        """Return the positions of a function's arguments that its output depends on, and what is done."""
        nodes = {node.name: node for node in function.node_def}
        arguments = {argument.name: at for at, argument in enumerate(function.signature.input_arg)}
        outputs = function.signature.output_arg
        if output >= len(outputs):
            return set(range(len(arguments))), set()
        stack = [function.ret[outputs[output].name]]
        positions: set[int] = set()
        words: set[str] = set()
        seen: set[str] = set()
        while stack and len(seen) < _MAX_STEPS:
            tensor = stack.pop()
            if tensor in seen or tensor.startswith("^"):
                continue
            seen.add(tensor)
            parts = tensor.split(":")
            if parts[0] in arguments:
                positions.add(arguments[parts[0]])
                continue
            node = nodes.get(parts[0])
            if node is None:
                continue
            if node.op in _WORDS:
                words.add(_WORDS[node.op])
            called = self._called(node)
            if called is None:
                stack += list(node.input)
            else:
                inner, inner_words = self._through(called, int(parts[-1]) if parts[-1].isdigit() else 0)
                words |= inner_words
                stack += [node.input[at] for at in inner if at < len(node.input)]
        return positions, words
