"""TFX's private parts that Headrace builds on, in the form in which they are known.

Importing this module loads nothing of TFX. TFX 1.16 and 1.21 have all of them. Where one has another form, what needs
it is left out (a quicker query), or refused in one sentence (what a notebook does with components).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from headrace.errors import UnsupportedFeatureError
from headrace.internals import Library

_TFX = Library("TFX", "tfx")
_FIX = "install the versions that Headrace was tested with, see headrace doctor."

# TFX's access to files by TensorFlow.
PLUGIN = "tfx.dsl.io.plugins.tensorflow_gfile"
# Modules of the authoring side that remember whether they were imported without Beam or TensorFlow, and where.
GUARDED_BEAM = {"tfx.dsl.components.base.base_beam_executor": "beam"}
GUARDED_TENSORFLOW = {PLUGIN: "tf"}
# Those that read the declaration `BeamComponentParameter[beam.Pipeline]` of a function.
COMPARES_BEAM_PIPELINE = (
    "tfx.dsl.component.experimental.annotations",
    "tfx.dsl.component.experimental.decorators",
    "tfx.dsl.component.experimental.function_parser",
)
# All that import TensorFlow, Beam or `tfx.components` where these are there, and do without where they are not.
GUARDED = (
    *GUARDED_BEAM,
    *GUARDED_TENSORFLOW,
    *COMPARES_BEAM_PIPELINE,
    "tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy",
    "tfx.dsl.input_resolution.strategies.span_range_strategy",
    "tfx.orchestration.portable.beam_executor_operator",
)
# Those that only name what others define, and so much that nobody uses all of it.
NAMES_OF_OTHERS = (
    "tfx.v1",
    "tfx.v1.components",
    "tfx.v1.extensions",
    "tfx.v1.extensions.google_cloud_ai_platform",
    "tfx.v1.extensions.google_cloud_big_query",
    "tfx.v1.orchestration",
)
# What every module that touches ML Metadata imports.
TELEMETRY = "tfx.utils.telemetry_utils"
# What TFX's own runners, and its notebook context, execute nodes with, of any kind.
LAUNCHERS = ("tfx.orchestration.portable.launcher", "tfx.orchestration.launcher")
_EXECUTIONS_QUERY = "_get_executions_by_all_contexts"


def compare_beam_pipelines_with(stand_in: type) -> None:
    """Let the modules of the authoring side that are loaded without Beam compare what functions declare with a class."""
    for module in map(sys.modules.get, COMPARES_BEAM_PIPELINE):
        if module is not None and getattr(module, "beam", None) is None:
            module._BeamPipeline = stand_in  # type: ignore[attr-defined]


def loaded_without(guarded: dict[str, str]) -> dict[str, ModuleType]:
    """Return the modules that are loaded and remember that what they guard is missing, by name."""
    found = {name: sys.modules[name] for name in guarded if name in sys.modules}
    return {name: module for name, module in found.items() if getattr(module, guarded[name], None) is None}


def construction_of(node: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments with which a node was made, by position and by name.

    Raises:
        UnsupportedFeatureError: If this TFX keeps them in another form.
    """
    args, named = (getattr(node, name, None) for name in ("_CONSTRUCT_ARGS", "_CONSTRUCT_KWARGS"))
    if not isinstance(args, tuple) or not isinstance(named, dict):
        raise UnsupportedFeatureError(
            f"{_TFX.told} does not tell the arguments of {type(node).__name__} in the form that is known.",
            _FIX,
        )
    return args, named


def edges_of(node: Any) -> tuple[set[Any], set[Any]]:
    """Return the nodes before and after a node, in the very sets that TFX keeps.

    Raises:
        UnsupportedFeatureError: If this TFX keeps them in another form.
    """
    before, after = (vars(node).get(name) for name in ("_upstream_nodes", "_downstream_nodes"))
    if not isinstance(before, set) or not isinstance(after, set):
        raise UnsupportedFeatureError(
            f"{_TFX.told} does not keep the edges of {type(node).__name__} in the form that is known.", _FIX
        )
    return before, after


def set_edges(node: Any, before: set[Any], after: set[Any]) -> None:
    """Give a node other nodes before and after it."""
    node._upstream_nodes, node._downstream_nodes = before, after


def find_executions_with(
    find: Callable[[Any, Sequence[Any]], list[Any]], channel_resolver: ModuleType
) -> bool:
    """Let TFX's resolution of inputs find the executions of several contexts with a function, where it has that place.

    Args:
        find: Takes MLMD's store and the contexts.
        channel_resolver: TFX's module of this name.

    Returns:
        Whether it does; where not, TFX's own query stays, which is slow in large stores.
    """
    library = Library("TFX", "tfx")
    library.part(channel_resolver, _EXECUTIONS_QUERY, "store contexts")
    if not library.unknown:
        setattr(channel_resolver, _EXECUTIONS_QUERY, find)
    return not library.unknown


def check_calls(factory: Any, checked: Callable[[dict[str, bool]], Callable[..., object]]) -> None:
    """Let the executor of a function component call another function than the user's, which calls that.

    Args:
        factory: What TFX's decorator made of a function.
        checked: Given the names of the values that are returned, and whether each may be None, returns the other.
    """
    executor = factory.EXECUTOR_SPEC.executor_class
    do, values = executor.Do, getattr(executor, "_RETURNED_VALUES", None)
    if not isinstance(values, dict) or not hasattr(executor, "_FUNCTION"):
        return

    def Do(self: Any, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802 - TFX's name
        self._FUNCTION = checked(values)
        do(self, input_dict, output_dict, exec_properties)

    executor.Do = Do


def is_output(annotation: Any) -> bool:
    """Whether the annotation of a function component's argument is `OutputArtifact[...]`."""
    return type(annotation).__name__ == "OutputArtifact"
