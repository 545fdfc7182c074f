"""Components and pipelines of your own: the one door to all that they are made of. Light: nothing heavy is imported.

A component of a function::

    from typing import TypedDict

    from headrace.sdk import InputArtifact, Parameter, component, standard_artifacts


    class Counts(TypedDict):
        num_rows: int


    @component
    def Count(examples: InputArtifact[standard_artifacts.Examples], split: Parameter[str] = "train") -> Counts:
        import headrace

        return {"num_rows": headrace.load(examples).num_rows(split)}

`Count(examples=rows.outputs.examples).outputs.num_rows` goes where a function component takes an `int`. Artifacts that it
writes are arguments: `copy: OutputArtifact[standard_artifacts.Examples]`, whose files go below `copy.uri`.

A component with an executor of its own, in a module that is imported only where it runs::

    class CountSpec(ComponentSpec):
        INPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
        OUTPUTS = {"report": ChannelParameter(type=Report)}
        PARAMETERS = {"split": ExecutionParameter(type=str)}


    class Count(Component):
        SPEC_CLASS = CountSpec
        EXECUTOR_SPEC = NamedExecutorSpec("counting.executor.CountExecutor")

        def __init__(self, examples: BaseChannel, split: str = "train"):
            report = Channel(type=Report)
            super().__init__(CountSpec(examples=examples, split=split, report=report))

    class CountExecutor(Executor):  # counting/executor.py; BeamExecutor where it runs Beam pipelines
        def execute(self, context: ExecutionContext) -> None:
            examples = context.input("examples")
            ...

An artifact type of your own is a class with a name and properties; how it is shown says `headrace.artifact_types`::

    class Report(Artifact):
        TYPE_NAME = "Report"
        PROPERTIES = {"num_rows": Property(type=PropertyType.INT)}

`headrace.testing.run_component` runs one component on artifacts made of Python values. `Executor` and `BeamExecutor` load
Beam; all other names load neither Beam nor TensorFlow. `headrace.authoring` is the part of the library behind this door;
its names work as well.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from headrace import authoring
from headrace.authoring import light

if TYPE_CHECKING:
    from tfx.dsl.components.base.base_driver import BaseDriver as Driver
    from tfx.types.artifact import Property, PropertyType
    from tfx.types.channel_utils import union

    from headrace.authoring import Artifact as Artifact
    from headrace.authoring import BaseChannel as BaseChannel
    from headrace.authoring import BaseComponent as BaseComponent
    from headrace.authoring import BaseNode as BaseNode
    from headrace.authoring import BeamComponentParameter as BeamComponentParameter
    from headrace.authoring import Channel as Channel
    from headrace.authoring import ChannelParameter as ChannelParameter
    from headrace.authoring import Component as Component
    from headrace.authoring import ComponentSpec as ComponentSpec
    from headrace.authoring import Cond as Cond
    from headrace.authoring import ExecutionParameter as ExecutionParameter
    from headrace.authoring import ExecutorSpec as ExecutorSpec
    from headrace.authoring import ForEach as ForEach
    from headrace.authoring import Importer as Importer
    from headrace.authoring import InputArtifact as InputArtifact
    from headrace.authoring import LatestArtifactStrategy as LatestArtifactStrategy
    from headrace.authoring import LatestBlessedModelStrategy as LatestBlessedModelStrategy
    from headrace.authoring import NamedBeamExecutorSpec as NamedBeamExecutorSpec
    from headrace.authoring import NamedExecutorSpec as NamedExecutorSpec
    from headrace.authoring import OutputArtifact as OutputArtifact
    from headrace.authoring import OutputChannel as OutputChannel
    from headrace.authoring import OutputOf as OutputOf
    from headrace.authoring import Outputs as Outputs
    from headrace.authoring import Parameter as Parameter
    from headrace.authoring import Pipeline as Pipeline
    from headrace.authoring import PreviousSpanStrategy as PreviousSpanStrategy
    from headrace.authoring import Resolver as Resolver
    from headrace.authoring import RuntimeParameter as RuntimeParameter
    from headrace.authoring import component as component
    from headrace.authoring import latest_blessed_model as latest_blessed_model
    from headrace.authoring import options as options
    from headrace.authoring import previous_span_of as previous_span_of
    from headrace.authoring import standard_artifacts as standard_artifacts
    from headrace.authoring import system_executions as system_executions
    from headrace.authoring import with_resources as with_resources
    from headrace.runtime.context import ExecutionContext
    from headrace.runtime.executor import BeamExecutor, Executor

# What is not in `headrace.authoring`: names of TFX's, and what executors are made of.
_PLACES = {
    "BeamExecutor": "headrace.runtime.executor:BeamExecutor",
    "Driver": "tfx.dsl.components.base.base_driver:BaseDriver",
    "ExecutionContext": "headrace.runtime.context:ExecutionContext",
    "Executor": "headrace.runtime.executor:Executor",
    "Property": "tfx.types.artifact:Property",
    "PropertyType": "tfx.types.artifact:PropertyType",
    "union": "tfx.types.channel_utils:union",
}

__all__ = [
    "Artifact",
    "BaseChannel",
    "BaseComponent",
    "BaseNode",
    "BeamComponentParameter",
    "BeamExecutor",
    "Channel",
    "ChannelParameter",
    "Component",
    "ComponentSpec",
    "Cond",
    "Driver",
    "ExecutionContext",
    "ExecutionParameter",
    "Executor",
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
    "Property",
    "PropertyType",
    "Resolver",
    "RuntimeParameter",
    "component",
    "latest_blessed_model",
    "options",
    "previous_span_of",
    "standard_artifacts",
    "system_executions",
    "union",
    "with_resources",
]


def __dir__() -> list[str]:
    """Name what is public, loaded or not."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _PLACES:
        value = getattr(authoring, name)
    elif name in ("BeamExecutor", "Executor"):
        # These bring Beam in, which the authoring side does without.
        value = _imported(_PLACES[name])
    else:
        with light.authoring():
            value = _imported(_PLACES[name])
    globals()[name] = value
    return value


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


class _Door(ModuleType):
    """Keeps the decorator `component` where pipelines of earlier versions import the module of that name, see there."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name == "component" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door
