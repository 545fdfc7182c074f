"""Ready pipelines, read and not imported."""

from __future__ import annotations

import ast
import json

from headrace.cli.pipelines.ready_pipelines import (
    Parameter,
    find_function,
    find_ready_pipelines,
    read_meanings,
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


def test_what_a_parameter_means_is_in_the_docstring():
    """Meanings over several lines become one; a section behind them is none of theirs."""
    meanings = read_meanings(
        "Make it.\n\nArgs:\n    data: Folder of files,\n        or one.\n    steps (int): Batches: many.\n\n"
        "Returns:\n    other: It.\n"
    )

    assert meanings == {"data": "Folder of files, or one.", "steps": "Batches: many."}


def test_the_pipelines_that_ship_say_what_they_do():
    """Each has one line of description, and runs without a parameter given."""
    for pipeline in find_ready_pipelines():
        assert pipeline.description.endswith("."), pipeline.name
        assert not [item.name for item in pipeline.parameters if item.is_required], pipeline.name
        assert not [item.name for item in pipeline.parameters if not item.meaning], pipeline.name


def test_list_shows_them(headrace, monkeypatch):
    """Name, description, parameters with types and defaults."""
    from headrace.cli.pipelines.ready_pipelines import ReadyPipeline

    steps, name = Parameter("steps", "int", "5", "Batches."), Parameter("name", "str", "")
    pipeline = ReadyPipeline("taxi", "Tips.", (steps, name), "/ready/taxi")
    monkeypatch.setattr("headrace.cli.pipelines.ready_pipelines.find_ready_pipelines", lambda: [pipeline])

    assert headrace("list").output == (
        "taxi  Tips.\n  /ready/taxi\n  steps  int  = 5       Batches.\n  name   str  required\n\n"
        "Run one: headrace run taxi\nMake one yours: headrace new my_taxi --from taxi\n"
    )
    [listed] = json.loads(headrace("list", "--json").output)
    assert (listed["name"], listed["parameters"][0]["default_text"]) == ("taxi", "5")
