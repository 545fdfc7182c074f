"""The user's function as something that turns a batch of tensors into tensors, in any worker.

Two forms. The finished function is a SavedModel. What analyzers look at is only a part of the traced graph,
needed once: it is cut out and shipped as it is, because tracing again, saving and loading, as TFT does for
each phase, cost a second each time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from headrace.components.transform.tft_internals import saved_transform_io_v2
from headrace.formats import tensorflow_paths

tensorflow_paths.accept_any_folder()

Tensors = Mapping[str, Any]
Function = Callable[[Tensors], Tensors]

# Operations with a state that may run apart from the rest of their graph.
_HARMLESS = {"Assert"}


class FunctionSource(Protocol):
    """Something small that a worker makes the function from."""

    def load(self, input_names: Sequence[str]) -> Function:
        """Make the function of tensors by name."""


@dataclass(frozen=True)
class SavedFunction:
    """A SavedModel of TFT.

    Attributes:
        path: Its folder.
    """

    path: str

    def load(self, input_names: Sequence[str]) -> Function:
        """Load the model; outputs that need a tensor that is not in `input_names` are left out."""
        return saved_transform_io_v2.SavedModelLoader(self.path).apply_transform_model


@dataclass(frozen=True)
class GraphPart:
    """Some tensors of a traced graph, and what they depend on.

    Attributes:
        graph: The graph, as a serialized `GraphDef`.
        inputs: For each input, the names of the graph's tensors that make it up.
        constants: Values of analyzers that earlier phases found, by the name of the tensor they replace.
        outputs: Name of the graph's tensor for each output.
    """

    graph: bytes
    inputs: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, np.ndarray[Any, Any]]
    outputs: Mapping[str, str]

    def load(self, input_names: Sequence[str]) -> Function:
        """Import the graph."""
        definition = tf.compat.v1.GraphDef.FromString(self.graph)
        imported = tf.compat.v1.wrap_function(
            functools.partial(tf.graph_util.import_graph_def, definition, name=""), []
        )
        names = [name for parts in self.inputs.values() for name in parts]
        feeds = [imported.graph.get_tensor_by_name(name) for name in [*names, *self.constants]]
        fetches = {key: imported.graph.get_tensor_by_name(name) for key, name in self.outputs.items()}
        pruned = imported.prune(feeds, fetches)
        constants = [tf.constant(value) for value in self.constants.values()]

        def function(tensors: Tensors) -> Tensors:
            given = [tensors[name] for name in self.inputs]
            return pruned(*tf.nest.flatten(given, expand_composites=True), *constants)

        return function


def cut(
    graph: tf.Graph, inputs: Tensors, replacements: Mapping[str, tf.Tensor], outputs: Mapping[str, tf.Tensor]
) -> GraphPart | None:
    """Cut out what computes `outputs`.

    Args:
        graph: A traced function.
        inputs: Its inputs.
        replacements: Values by the name of the placeholder that stands for them.
        outputs: Tensors of the graph.

    Returns:
        The part; `None` where it holds tables, variables or other state, which only a SavedModel carries.
    """
    fed = {name: tuple(part.name for part in _parts(tensor)) for name, tensor in inputs.items()}
    known = {name for parts in fed.values() for name in parts} | set(replacements)
    used = _used_placeholders(list(outputs.values()), known)
    if used is None:
        return None
    fed = {name: parts for name, parts in fed.items() if used.intersection(parts)}
    kept = {name.rpartition(":")[0] for parts in fed.values() for name in parts}
    kept |= {tensor.op.name for tensor in outputs.values()}
    definition = tf.compat.v1.graph_util.extract_sub_graph(graph.as_graph_def(), sorted(kept))
    return GraphPart(
        definition.SerializeToString(),
        fed,
        {name: value.numpy() for name, value in replacements.items() if name in used},
        {key: tensor.name for key, tensor in outputs.items()},
    )


def _parts(tensor: Any) -> list[tf.Tensor]:
    return tf.nest.flatten(tensor, expand_composites=True)


def _used_placeholders(outputs: Sequence[tf.Tensor], known: set[str]) -> set[str] | None:
    """Names of the known tensors that `outputs` depend on; `None` where they depend on other state."""
    used: set[str] = set()
    seen: set[str] = set()
    waiting = list(outputs)
    while waiting:
        tensor = waiting.pop()
        if tensor.name in known:
            used.add(tensor.name)
            continue
        operation = tensor.op
        if operation.name in seen:
            continue
        seen.add(operation.name)
        if operation.type.startswith("Placeholder"):
            return None
        if operation.op_def.is_stateful and operation.type not in _HARMLESS:
            return None
        waiting += operation.inputs
        for control in operation.control_inputs:
            if control.op_def.is_stateful and control.type not in _HARMLESS:
                return None
            waiting += control.inputs
    return used
