"""The one door to TFX's authoring part: types, channels, components, pipeline.

Each name is imported on first use, which loads neither TensorFlow nor Beam. `headrace.runtime.executor` does: only
executors import it. A process that imports this package stays light, see `headrace.authoring.light`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from headrace.authoring.light import authoring, stay_light

if TYPE_CHECKING:
    from tfx.dsl.components.base.base_component import BaseComponent
    from tfx.dsl.components.base.base_node import BaseNode
    from tfx.dsl.components.base.executor_spec import ExecutorSpec
    from tfx.dsl.control_flow.for_each import ForEach
    from tfx.dsl.experimental.conditionals.conditional import Cond
    from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
    from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
        LatestBlessedModelStrategy,
    )
    from tfx.orchestration.data_types import RuntimeParameter
    from tfx.types import standard_artifacts, system_executions
    from tfx.types.artifact import Artifact
    from tfx.types.channel import BaseChannel, Channel, OutputChannel
    from tfx.types.component_spec import ChannelParameter, ExecutionParameter

    from headrace.authoring.blessed_models import latest_blessed_model
    from headrace.authoring.declarations import (
        Component,
        ComponentSpec,
        NamedBeamExecutorSpec,
        NamedExecutorSpec,
    )
    from headrace.authoring.function_components import (
        BeamComponentParameter,
        InputArtifact,
        OutputArtifact,
        Parameter,
        component,
    )
    from headrace.authoring.node_options import options, with_resources
    from headrace.authoring.nodes import Importer, Resolver
    from headrace.authoring.outputs import OutputOf, Outputs
    from headrace.authoring.pipeline import Pipeline
    from headrace.authoring.previous_span import PreviousSpanStrategy, previous_span_of

_STRATEGIES = "tfx.dsl.input_resolution.strategies"
_FUNCTIONS = "headrace.authoring.function_components"
_PLACES = {
    "Artifact": "tfx.types.artifact",
    "BaseChannel": "tfx.types.channel",
    "BaseComponent": "tfx.dsl.components.base.base_component",
    "BaseNode": "tfx.dsl.components.base.base_node",
    "BeamComponentParameter": _FUNCTIONS,
    "Channel": "tfx.types.channel",
    "ChannelParameter": "tfx.types.component_spec",
    "Component": "headrace.authoring.declarations",
    "ComponentSpec": "headrace.authoring.declarations",
    "Cond": "tfx.dsl.experimental.conditionals.conditional",
    "ExecutionParameter": "tfx.types.component_spec",
    "ExecutorSpec": "tfx.dsl.components.base.executor_spec",
    "ForEach": "tfx.dsl.control_flow.for_each",
    "Importer": "headrace.authoring.nodes",
    "InputArtifact": _FUNCTIONS,
    "LatestArtifactStrategy": f"{_STRATEGIES}.latest_artifact_strategy",
    "LatestBlessedModelStrategy": f"{_STRATEGIES}.latest_blessed_model_strategy",
    "NamedBeamExecutorSpec": "headrace.authoring.declarations",
    "NamedExecutorSpec": "headrace.authoring.declarations",
    "OutputArtifact": _FUNCTIONS,
    "OutputChannel": "tfx.types.channel",
    "OutputOf": "headrace.authoring.outputs",
    "Outputs": "headrace.authoring.outputs",
    "Parameter": _FUNCTIONS,
    "Pipeline": "headrace.authoring.pipeline",
    "PreviousSpanStrategy": "headrace.authoring.previous_span",
    "previous_span_of": "headrace.authoring.previous_span",
    "Resolver": "headrace.authoring.nodes",
    "RuntimeParameter": "tfx.orchestration.data_types",
    "component": _FUNCTIONS,
    "latest_blessed_model": "headrace.authoring.blessed_models",
    "options": "headrace.authoring.node_options",
    "standard_artifacts": "tfx.types",
    "system_executions": "tfx.types",
    "with_resources": "headrace.authoring.node_options",
}

__all__ = [
    "Artifact",
    "BaseChannel",
    "BaseComponent",
    "BaseNode",
    "BeamComponentParameter",
    "Channel",
    "ChannelParameter",
    "Component",
    "ComponentSpec",
    "Cond",
    "ExecutionParameter",
    "ExecutorSpec",
    "ForEach",
    "Importer",
    "InputArtifact",
    "LatestArtifactStrategy",
    "LatestBlessedModelStrategy",
    "NamedBeamExecutorSpec",
    "NamedExecutorSpec",
    "OutputArtifact",
    "OutputChannel",
    "OutputOf",
    "Outputs",
    "Parameter",
    "Pipeline",
    "PreviousSpanStrategy",
    "Resolver",
    "RuntimeParameter",
    "component",
    "latest_blessed_model",
    "options",
    "previous_span_of",
    "standard_artifacts",
    "system_executions",
    "with_resources",
]


stay_light()


def __dir__() -> list[str]:
    """Name what is public, loaded or not."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with authoring():
        place = _PLACES[name]
        module = importlib.import_module(place)
        value = getattr(module, name, None) or importlib.import_module(f"{place}.{name}")
    globals()[name] = value
    return value
