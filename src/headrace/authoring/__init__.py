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
    from tfx.dsl.components.common.importer import Importer
    from tfx.dsl.components.common.resolver import Resolver
    from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
    from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
        LatestBlessedModelStrategy,
    )
    from tfx.orchestration.data_types import RuntimeParameter
    from tfx.types import standard_artifacts, system_executions
    from tfx.types.artifact import Artifact
    from tfx.types.channel import BaseChannel, Channel
    from tfx.types.component_spec import ChannelParameter, ExecutionParameter

    from headrace.authoring.component import (
        Component,
        ComponentSpec,
        NamedBeamExecutorSpec,
        NamedExecutorSpec,
    )
    from headrace.authoring.latest_blessed_model import latest_blessed_model
    from headrace.authoring.node_options import options, with_resources
    from headrace.authoring.pipeline import Pipeline
    from headrace.authoring.previous_span import PreviousSpanStrategy

_STRATEGIES = "tfx.dsl.input_resolution.strategies"
_PLACES = {
    "Artifact": "tfx.types.artifact",
    "BaseChannel": "tfx.types.channel",
    "BaseComponent": "tfx.dsl.components.base.base_component",
    "BaseNode": "tfx.dsl.components.base.base_node",
    "Channel": "tfx.types.channel",
    "ChannelParameter": "tfx.types.component_spec",
    "Component": "headrace.authoring.component",
    "ComponentSpec": "headrace.authoring.component",
    "ExecutionParameter": "tfx.types.component_spec",
    "Importer": "tfx.dsl.components.common.importer",
    "LatestArtifactStrategy": f"{_STRATEGIES}.latest_artifact_strategy",
    "LatestBlessedModelStrategy": f"{_STRATEGIES}.latest_blessed_model_strategy",
    "NamedBeamExecutorSpec": "headrace.authoring.component",
    "NamedExecutorSpec": "headrace.authoring.component",
    "Pipeline": "headrace.authoring.pipeline",
    "PreviousSpanStrategy": "headrace.authoring.previous_span",
    "Resolver": "tfx.dsl.components.common.resolver",
    "RuntimeParameter": "tfx.orchestration.data_types",
    "latest_blessed_model": "headrace.authoring.latest_blessed_model",
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
    "Channel",
    "ChannelParameter",
    "Component",
    "ComponentSpec",
    "ExecutionParameter",
    "Importer",
    "LatestArtifactStrategy",
    "LatestBlessedModelStrategy",
    "NamedBeamExecutorSpec",
    "NamedExecutorSpec",
    "Pipeline",
    "PreviousSpanStrategy",
    "Resolver",
    "RuntimeParameter",
    "latest_blessed_model",
    "options",
    "standard_artifacts",
    "system_executions",
    "with_resources",
]


stay_light()


def __dir__() -> list[str]:
    """Name what is public, loaded or not."""
    return sorted({*globals(), *__all__})


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
