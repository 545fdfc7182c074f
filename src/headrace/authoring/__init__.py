"""The one door to TFX's authoring part: types, channels, components, pipeline.

Importing this package loads neither TensorFlow nor Beam. `headrace.runtime.executor` does: only executors
import it.
"""

from headrace.authoring.light import authoring

with authoring():
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

from headrace.authoring.component import Component, ComponentSpec, NamedBeamExecutorSpec, NamedExecutorSpec
from headrace.authoring.latest_blessed_model import latest_blessed_model
from headrace.authoring.node_options import options, with_resources
from headrace.authoring.pipeline import Pipeline
from headrace.authoring.previous_span import PreviousSpanStrategy

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
