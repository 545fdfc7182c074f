"""The layers of a model with what each takes from which, read from the function that serves it.

A SavedModel holds no layers, but each operation is named after the layer that made it
(`functional_1/dense_2/MatMul`), and each variable after its own (`dense_2/kernel`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

# What a layer does, by its operations; what all layers do is left out.
_WORDS = {
    "MatMul": "dense",
    "BatchMatMulV2": "dense",
    "Einsum": "dense",
    "Conv1D": "convolution",
    "Conv2D": "convolution",
    "Conv3D": "convolution",
    "DepthwiseConv2dNative": "convolution",
    "MaxPool": "maximum",
    "AvgPool": "average",
    "Mean": "mean",
    "ConcatV2": "concatenate",
    "ResourceGather": "embedding",
    "GatherV2": "look-up",
    "LookupTableFindV2": "vocabulary",
    "DenseBincount": "counts",
    "OneHot": "one-hot",
    "Bucketize": "buckets",
    "Rsqrt": "normalize",
    "While": "recurrent",
    "StatelessWhile": "recurrent",
    "Relu": "relu",
    "Relu6": "relu",
    "LeakyRelu": "leaky relu",
    "Elu": "elu",
    "Selu": "selu",
    "Erf": "gelu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softmax": "softmax",
    "Softplus": "softplus",
}
# TensorFlow's own functions: they read all variables and are no model.
_NOT_SERVING = re.compile(r"traced_(save|restore)|creator|initializer|destroyer")


@dataclass(frozen=True)
class Layer:
    """A layer.

    Attributes:
        name: As its variables are named; where it has none, as its operations are.
        operations: What it does, in words.
        shape: Of what it gives for one batch; -1 for a size that is not fixed. `None` where it is not known.
        num_parameters: Numbers in its variables.
        inputs: The layers that it takes something from.
    """

    name: str
    operations: tuple[str, ...]
    shape: tuple[int, ...] | None
    num_parameters: int
    inputs: tuple[str, ...]


def read_layers(graph: Any, variable_layers: Collection[str]) -> list[Layer]:
    """Return the layers of a `MetaGraphDef`, each after those it takes from; empty where none are told apart.

    Args:
        graph: The graph.
        variable_layers: The layers that its variables are named after.
    """
    functions = [f for f in graph.graph_def.library.function if not _NOT_SERVING.search(f.signature.name)]
    found = max((_Serving(function) for function in functions), key=lambda f: len(f.takers), default=None)
    return found.layers(variable_layers) if found is not None and found.takers else []


class _Serving:
    """One function.

    Attributes:
        takers: The operations that take a variable, with the variable's size.
    """

    def __init__(self, function: Any) -> None:
        sizes = {
            argument.name: math.prod(dimension.size for dimension in one.shape.dim)
            for argument in function.signature.input_arg
            for one in argument.handle_data
        }
        self.nodes = {node.name: node for node in function.node_def}
        self.takers: dict[str, dict[str, int]] = {}
        for node in function.node_def:
            taken = {name: sizes[name] for name in node.input if name in sizes}
            if taken:
                self.takers[node.name] = taken

    def layers(self, variable_layers: Collection[str]) -> list[Layer]:
        """Return the layers."""
        paths = self._paths(variable_layers)
        layer_of = {name: path for name in self.nodes if (path := _within(name, paths))}
        names = _names(dict.fromkeys(layer_of.values()), self._paths_of_takers(paths), variable_layers)
        members: dict[str, list[str]] = {}
        for name, path in layer_of.items():
            members.setdefault(path, []).append(name)
        return [self._layer(path, held, layer_of, names) for path, held in members.items()]

    def _paths(self, variable_layers: Collection[str]) -> set[str]:
        """Return the scopes that are layers: those named after variables, and those beside most of them."""
        last_names = {name.rpartition("/")[2] for name in variable_layers}
        exact: set[str] = set()
        for taker in self.takers:
            parts = taker.split("/")
            for at in range(1, len(parts)):
                if {parts[at - 1], _without_count(parts[at - 1])} & last_names:
                    exact.add("/".join(parts[:at]))
                    break
        if not exact:
            return set()
        above = Counter(path.rpartition("/")[0] for path in exact).most_common(1)[0][0]
        depth = above.count("/") + 1 if above else 0
        beside = {
            "/".join(parts[: depth + 1])
            for parts in (name.split("/") for name in self.nodes)
            if len(parts) > depth + 1 and "/".join(parts[:depth]) == above
        }
        # A model inside the model stands as its layers, not as one.
        return exact | {path for path in beside if not any(one.startswith(f"{path}/") for one in exact)}

    def _paths_of_takers(self, paths: Collection[str]) -> set[str]:
        return {path for taker in self.takers if (path := _within(taker, paths))}

    def _layer(
        self, path: str, members: list[str], layer_of: Mapping[str, str], names: Mapping[str, str]
    ) -> Layer:
        words = dict.fromkeys(
            _WORDS[self.nodes[name].op] for name in members if self.nodes[name].op in _WORDS
        )
        taken = {key: size for name in members for key, size in self.takers.get(name, {}).items()}
        inputs = [names[one] for one in self._before(members, layer_of) if one != path]
        shape = next((shape for name in reversed(members) if (shape := self._shape(name)) is not None), None)
        return Layer(names[path], tuple(words), shape, sum(taken.values()), tuple(inputs))

    def _before(self, members: list[str], layer_of: Mapping[str, str]) -> list[str]:
        """Return the layers behind the inputs of some operations, passing over what belongs to none."""
        found: dict[str, None] = {}
        stack = [tensor for name in members for tensor in self.nodes[name].input]
        seen: set[str] = set()
        while stack:
            name = stack.pop().partition(":")[0]
            if name in seen or name not in self.nodes:
                continue
            seen.add(name)
            if name in layer_of:
                found[layer_of[name]] = None
            else:
                stack += self.nodes[name].input
        order = list(dict.fromkeys(layer_of.values()))
        return sorted(found, key=order.index)

    def _shape(self, name: str) -> tuple[int, ...] | None:
        shapes = self.nodes[name].attr["_output_shapes"].list.shape
        if not shapes or shapes[0].unknown_rank:
            return None
        return tuple(dimension.size for dimension in shapes[0].dim)


def _within(name: str, paths: Collection[str]) -> str:
    """Return the layer's scope that an operation is named in; empty where it is in none."""
    parts = name.split("/")
    return next(
        (path for at in range(1, len(parts)) if (path := "/".join(parts[:at])) in paths),
        "",
    )


def _without_count(name: str) -> str:
    return re.sub(r"_\d+$", "", name)


def _names(paths: Collection[str], of_takers: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Return the name of each scope's layer.

    Keras 3 traces a model more than once, and counts: the scope of `dense` becomes `dense_1`, and that of
    `dense_1` becomes `dense_1_2`.
    """
    plain = {path: path.rpartition("/")[2] for path in paths}
    last_names = {name.rpartition("/")[2] for name in known}
    if any(plain[path] not in last_names for path in of_takers):
        plain = {path: _without_count(name) for path, name in plain.items()}
    times = Counter(plain.values())
    return {path: name if times[name] == 1 else path for path, name in plain.items()}
