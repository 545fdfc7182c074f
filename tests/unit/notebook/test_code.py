"""Values as Python code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nodes
import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.authoring.light import authoring
from headrace.errors import DefinitionError
from headrace.notebook import export
from headrace.notebook.code import Code, Writer
from headrace.notebook.names import new_name

with authoring():
    from tfx.proto import trainer_pb2


def writer(**names: str) -> Writer:
    return Writer(names, lambda function, where: Code("function"), lambda name, where: "cells")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", '"it\'s"'),
        ("data", '"data"'),
        ([1, 2.5, None], "[1, 2.5, None]"),
        ((1,), "(1,)"),
        ({"a": True}, '{"a": True}'),
        (float("inf"), 'float("inf")'),
    ],
)
def test_plain_values(value: Any, text: str):
    assert writer().value(value, "test") == text


def test_protos_become_readable_calls():
    made = writer()

    assert made.value(trainer_pb2.TrainArgs(num_steps=7), "test") == (
        'ParseDict({"num_steps": 7}, trainer_pb2.TrainArgs())'
    )
    assert made.import_lines() == (
        "from google.protobuf.json_format import ParseDict\n"
        "from headrace.authoring.light import authoring\n\n"
        "with authoring():\n    from tfx.proto import trainer_pb2"
    )


def test_channels_name_the_variable_of_their_producer():
    make = nodes.Make()
    made = writer(Make="maker")

    assert made.value(make.outputs["out"], "test") == 'maker.outputs["out"]'
    assert (
        made.value(Channel(type=standard_artifacts.Model), "test") == "Channel(type=standard_artifacts.Model)"
    )
    assert made.import_lines() == "from headrace.authoring import Channel, standard_artifacts"


def test_a_long_call_is_broken():
    text = writer().call("Make", [], {"a": "x" * 60, "b": "y" * 60}, "test")

    assert text == 'Make(\n    a="' + "x" * 60 + '",\n    b="' + "y" * 60 + '",\n)'


def test_a_value_without_a_form_is_named():
    with pytest.raises(DefinitionError) as caught:
        writer().call("Make", [], {"a": object()}, "Make")

    assert str(caught.value) == (
        "Make: a is of type object, which an export cannot write as Python.\n"
        "  Fix: give it as plain values, a proto or 'module:function', or write the pipeline by hand."
    )


def test_nothing_run_is_nothing_to_export():
    with pytest.raises(DefinitionError) as caught:
        export.write("pipeline.py", [], export.PipelineArguments("test", "", None, (), ".headrace"))

    assert str(caught.value) == (
        "there is nothing to export: no component was run in this context.\n"
        "  Fix: run components first: context.run(component)."
    )


@pytest.mark.parametrize(
    ("node_id", "name"),
    [("CsvExampleGen", "csv_example_gen"), ("Class", "node_class"), ("1st", "node_1st"), ("a b", "a_b")],
)
def test_variables_are_names_that_python_takes(node_id: str, name: str):
    """Python's own words are none."""
    assert new_name(nodes.Make().with_id(node_id)) == name


@pytest.mark.parametrize("name", ['of """three""" quotes', "a\\N{path}", "plain"])
def test_an_export_is_python_whatever_the_pipeline_is_called(name: str, tmp_path: Path):
    """The name stands in the file's docstring, which must not end there."""
    path = str(tmp_path / "pipeline.py")
    export.write(path, [nodes.Make()], export.PipelineArguments(name, "", None, (), ".headrace"))

    docstring = ast.get_docstring(ast.parse(Path(path).read_text()))

    assert docstring is not None
    assert docstring.startswith(f"The pipeline '{name}', exported")
