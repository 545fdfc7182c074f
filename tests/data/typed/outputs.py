# ruff: noqa: B018, F821
"""What a type checker says of outputs. It is checked, not run: each line's comment is what mypy reveals or refuses."""

from __future__ import annotations

from headrace.authoring import (
    Component,
    Importer,
    InputArtifact,
    OutputArtifact,
    Parameter,
    Pipeline,
    component,
    latest_blessed_model,
    standard_artifacts,
)
from headrace.components import CsvExampleGen, StatisticsGen, Transform

rows = CsvExampleGen(input_base="data")
reveal_type(rows.outputs.examples)  # type is "OutputOf[Examples]"
reveal_type(rows.outputs["examples"])  # type is "OutputChannel"
rows.outputs.exampels  # "ExampleGenOutputs" has no attribute "exampels"
statistics = StatisticsGen(examples=rows.outputs.examples)
reveal_type(statistics.outputs.statistics)  # type is "OutputOf[ExampleStatistics]"
statistics.outputs.examples  # "StatisticsGenOutputs" has no attribute "examples"
count: int = statistics.outputs.statistics  # type "OutputOf[ExampleStatistics]", variable has type "int"

schema = Importer("schema", standard_artifacts.Schema)
reveal_type(schema.outputs.result)  # type is "OutputOf[Schema]"
transform = Transform(rows.outputs.examples, schema.outputs.result, preprocessing_fn="features:transform")
reveal_type(transform.outputs.transform_graph)  # type is "OutputOf[TransformGraph]"
baseline = latest_blessed_model()
reveal_type(baseline.outputs.model)  # type is "OutputOf[Any]"


@component
def Count(
    model: InputArtifact[standard_artifacts.Model],
    counted: OutputArtifact[standard_artifacts.Model],
    by: Parameter[int] = 3,
) -> None:
    """A function component: in it, an artifact is one and a parameter its value."""
    reveal_type(model)  # type is "Model"
    reveal_type(by)  # type is "int"


counted = Count(model=baseline.outputs.model)
reveal_type(counted.outputs.counted)  # type is "OutputOf[Any]"


class Undeclared(Component):
    """A component that declares no class of its outputs."""


def look(node: Undeclared) -> None:
    """Each attribute is taken for an output."""
    reveal_type(node.outputs.anything)  # type is "OutputOf[Any]"


Pipeline("typed", components=[rows, statistics, schema, transform, baseline, counted])
