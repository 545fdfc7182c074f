"""Which inputs each output of a Transform graph is made from, followed through the graph's operations."""

from __future__ import annotations

from collections.abc import Iterator
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


def input_names(saved_model: Any) -> list[str]:
    """Return the features that go in; empty where the graph has no signature."""
    signature = _signature(saved_model)
    names = {_feature(key) for key in signature.inputs} if signature is not None else set()
    return sorted(names)


def _feature(key: str) -> str:
    """Sparse inputs come as three tensors: `name$sparse_indices_0` and so on; variants of TFT differ."""
    for mark in ("$", "/"):
        key = key.partition(mark)[0] or key
    return key


def sources(saved_model: Any) -> dict[str, Origin]:
    """Return where each output comes from; empty where the graph cannot be followed."""
    signature = _signature(saved_model)
    if signature is None:
        return {}
    graph = saved_model.meta_graphs[0].graph_def
    walk = _Walk(graph)
    starts: dict[str, str] = {}
    for key, info in signature.inputs.items():
        for name in _tensors(info):
            starts[name] = _feature(key)
    return {
        _feature(key): walk.origin(_tensor_names(info), starts)
        for key, info in sorted(signature.outputs.items())
    }


def _tensor_names(info: Any) -> list[str]:
    if info.WhichOneof("encoding") == "composite_tensor":
        return [one.name for one in info.composite_tensor.components]
    if info.WhichOneof("encoding") == "coo_sparse":
        sparse = info.coo_sparse
        return [sparse.values_tensor_name, sparse.indices_tensor_name]
    return [info.name]


def _tensors(info: Any) -> Iterator[str]:
    for name in _tensor_names(info):
        yield name.partition(":")[0]


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
