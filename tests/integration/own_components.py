"""Components of one's own, as `headrace.sdk` describes them: of functions, and a class with driver and executor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict

from headrace.sdk import (
    Artifact,
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionContext,
    ExecutionParameter,
    Executor,
    InputArtifact,
    NamedExecutorSpec,
    OutputArtifact,
    Parameter,
    Property,
    PropertyType,
    component,
    standard_artifacts,
)


class Report(Artifact):
    """A number of rows by split."""

    TYPE_NAME = "OwnReport"
    PROPERTIES = {"num_rows": Property(type=PropertyType.INT)}


class Counts(TypedDict):
    num_rows: int


@component
def Count(examples: InputArtifact[standard_artifacts.Examples], split: Parameter[str] = "train") -> Counts:
    import headrace

    return {"num_rows": headrace.load(examples).num_rows(split)}


@component
def Write(number: int, report: OutputArtifact[Report]) -> None:
    report.num_rows = number
    Path(report.uri, "rows.json").write_text(json.dumps(number))


class Reports(TypedDict):
    total: int


@component
def Add(reports: InputArtifact[list[Report]]) -> Reports:
    return {"total": sum(report.num_rows for report in reports)}


class TableSpec(ComponentSpec):
    INPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"report": ChannelParameter(type=Report)}
    PARAMETERS = {"split": ExecutionParameter(type=str)}


class TableExecutor(Executor):
    def execute(self, context: ExecutionContext) -> None:
        import headrace

        examples, report = context.input("examples"), context.output("report")
        report.num_rows = headrace.load(examples).num_rows(context.parameter("split"))
        Path(report.uri).mkdir(parents=True, exist_ok=True)
        Path(report.uri, "rows.json").write_text(str(report.num_rows))


class Table(Component):
    SPEC_CLASS = TableSpec
    EXECUTOR_SPEC = NamedExecutorSpec("own_components.TableExecutor")

    def __init__(self, examples: BaseChannel, split: str = "train") -> None:
        super().__init__(TableSpec(examples=examples, split=split, report=Channel(type=Report)))


@component
def Forgets(split: Parameter[str]) -> Counts:
    if split == "nothing":
        return None  # type: ignore[return-value]
    odd: Any = {"word": {"num_row": 1}, "type": {"num_rows": "one"}, "list": [1]}[split]
    return odd


@component
def LeavesEmpty(report: OutputArtifact[Report]) -> None:
    pass
