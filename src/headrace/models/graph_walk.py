"""The functions of a SavedModel that one of its signatures reaches, read from its file alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class Functions:
    """The functions of a `MetaGraphDef`, and what its objects call.

    Args:
        graph: The graph.
    """

    def __init__(self, graph: Any) -> None:
        self.by_name: Mapping[str, Any] = {
            function.signature.name: function for function in graph.graph_def.library.function
        }
        self._graph = graph

    def signature(self, name: str) -> tuple[str, list[int]] | None:
        """Return the function behind a signature, and the objects that its last arguments are, by number.

        `None` for a graph of TensorFlow 1, whose signatures are no functions.
        """
        objects = self._graph.object_graph_def
        root = objects.nodes[0] if objects.nodes else None
        for child in root.children if root is not None else ():
            if child.local_name == "signatures":
                for one in objects.nodes[child.node_id].children:
                    if one.local_name == name:
                        return self._function(objects.nodes[one.node_id])
        return None

    def _function(self, node: Any) -> tuple[str, list[int]] | None:
        kind = node.WhichOneof("kind")
        if kind == "bare_concrete_function":
            name = node.bare_concrete_function.concrete_function_name
        elif kind == "function" and node.function.concrete_functions:
            name = node.function.concrete_functions[0]
        else:
            return None
        if name not in self.by_name:
            return None
        return name, list(self._graph.object_graph_def.concrete_functions[name].bound_inputs)

    def operations(self, signature: str) -> Iterator[tuple[Any, Any]]:
        """Yield the operations that a signature reaches, each with its function, `None` for those of no function."""
        found = self.signature(signature)
        if found is None:
            yield from ((None, node) for node in self._graph.graph_def.node)
        names, seen = [found[0]] if found is not None else list(self.by_name), set[str]()
        while names:
            name = names.pop()
            function = self.by_name.get(name)
            if function is None or name in seen:
                continue
            seen.add(name)
            for node in function.node_def:
                yield function, node
                names += called(node)


def called(node: Any) -> list[str]:
    """Return the functions that an operation calls: by a call, a branch or a loop."""
    return [one.func.name for one in node.attr.values() if one.WhichOneof("value") == "func"]


def is_call(node: Any) -> bool:
    """Whether an operation gives what one function gives."""
    return node.op in _CALLS


def constants(nodes: Mapping[str, Any], reference: str) -> list[Any]:
    """Return the values of the constant behind a reference such as `"dense_keys:output:0"`; none where it is no constant."""
    node = nodes.get(reference.removeprefix("^").partition(":")[0])
    while node is not None and node.op == "Identity":
        node = nodes.get(node.input[0].partition(":")[0])
    if node is None or node.op != "Const":
        return []
    return list(node.attr["value"].tensor.string_val)
