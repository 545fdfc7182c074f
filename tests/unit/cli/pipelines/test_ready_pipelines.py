"""Ready pipelines, read and not imported."""

from __future__ import annotations

import ast
import json

from headrace.cli.pipelines.ready_pipelines import (
    Parameter,
    find_function,
    find_ready_pipelines,
    read_parameters,
)


def test_parameters_are_read_as_written():
    """Types and defaults as the author wrote them; a parameter without default is required."""
    tree = ast.parse("def create_pipeline(name, root='a', *, steps: int = 1_000, data: str | None): ...")
    function = find_function(tree, "create_pipeline")

    assert function is not None
    parameters = read_parameters(function)
    assert parameters == (
        Parameter("name", "", ""),
        Parameter("root", "", "'a'"),
        Parameter("steps", "int", "1000"),
        Parameter("data", "str | None", ""),
    )
    assert [parameter.name for parameter in parameters if parameter.is_required] == ["name", "data"]


def test_the_pipelines_that_ship_say_what_they_do():
    """Each has one line of description, and runs without a parameter given."""
    for pipeline in find_ready_pipelines():
        assert pipeline.description.endswith("."), pipeline.name
        assert not [item.name for item in pipeline.parameters if item.is_required], pipeline.name


def test_list_shows_them(headrace, monkeypatch):
    """Name, description, parameters with types and defaults."""
    from headrace.cli.pipelines.ready_pipelines import ReadyPipeline

    pipeline = ReadyPipeline("taxi", "Tips.", (Parameter("steps", "int", "5"), Parameter("name", "str", "")))
    monkeypatch.setattr("headrace.cli.pipelines.ready_pipelines.find_ready_pipelines", lambda: [pipeline])

    assert headrace("list").output == (
        "taxi  Tips.\n  steps  int  = 5\n  name   str  required\n\nRun one: headrace run taxi\n"
    )
    [listed] = json.loads(headrace("list", "--json").output)
    assert (listed["name"], listed["parameters"][0]["default_text"]) == ("taxi", "5")
