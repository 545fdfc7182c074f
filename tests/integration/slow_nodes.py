"""A component whose executor says which implementation ran."""

from __future__ import annotations

from headrace.authoring import (
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedExecutorSpec,
    standard_artifacts,
)


class SlowSpec(ComponentSpec):
    """What `Slow` takes and makes."""

    PARAMETERS = {"reason": ExecutionParameter(type=str)}
    INPUTS = {}
    OUTPUTS = {"out": ChannelParameter(type=standard_artifacts.Schema)}


class Slow(Component):
    """Leaves its work to TFX where a reason is given."""

    SPEC_CLASS = SlowSpec
    EXECUTOR_SPEC = NamedExecutorSpec("slow_executor.SlowExecutor")

    def __init__(self, reason: str) -> None:
        super().__init__(spec=SlowSpec(reason=reason, out=Channel(type=standard_artifacts.Schema)))
