"""Every place where a user gives a path: an address works there, or is refused in the one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import headrace
from headrace import components, testing
from headrace.authoring import Channel, Pipeline, standard_artifacts
from headrace.cli.commands import report
from headrace.cli.main import cli
from headrace.config.document import read_document
from headrace.errors import DefinitionError, UnsupportedFeatureError
from headrace.notebook import export

ADDRESS = "s3://bucket/place"
SENTENCE = f" is '{ADDRESS}{{}}', and cannot be: it has to lie on a disk of this machine."

_EXAMPLES = Channel(type=standard_artifacts.Examples)
_SCHEMA = Channel(type=standard_artifacts.Schema)
_MODEL = Channel(type=standard_artifacts.Model)
_MODULE = f"{ADDRESS}.py"


def rows(path):
    """Rows of a file."""
    yield {"path": path}


def _run(root: str = "", store: str = "store") -> None:
    pipeline = Pipeline("p", pipeline_root=root, components=[components.CsvExampleGen("data")])
    headrace.run(pipeline, store=store, show=False)


# What is refused where it is given, and the beginning of the sentence with the ending of the address.
REFUSED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "pipeline_root": (lambda: _run(root=ADDRESS), "pipeline 'p': pipeline_root", ""),
    "store": (lambda: _run(store=ADDRESS), "the store", ""),
    "open_store": (lambda: headrace.open_store(ADDRESS).__enter__(), "the store", ""),
    "InteractiveContext.store": (lambda: headrace.InteractiveContext("p", store=ADDRESS), "the store", ""),
    "Trainer.module_file": (
        lambda: components.Trainer(_EXAMPLES, schema=_SCHEMA, module_file=_MODULE),
        "Trainer: module_file",
        ".py",
    ),
    "Tuner.module_file": (
        lambda: components.Tuner(_EXAMPLES, schema=_SCHEMA, module_file=_MODULE),
        "Tuner: module_file",
        ".py",
    ),
    "Transform.module_file": (
        lambda: components.Transform(_EXAMPLES, _SCHEMA, module_file=_MODULE),
        "Transform: module_file",
        ".py",
    ),
    "Transform.preprocessing_fn": (
        lambda: components.Transform(_EXAMPLES, _SCHEMA, preprocessing_fn=f"{_MODULE}:f"),
        "Transform: preprocessing_fn",
        ".py",
    ),
    "Evaluator.module_file": (
        lambda: components.Evaluator(_EXAMPLES, model=_MODEL, module_file=_MODULE),
        "Evaluator: module_file",
        ".py",
    ),
    "testing.make_artifact": (
        lambda: testing.make_artifact(ADDRESS, standard_artifacts.Model),
        "the artifact's folder",
        "",
    ),
    "testing.run_component": (
        lambda: testing.run_component(components.CsvExampleGen("data"), ADDRESS),
        "the store",
        "",
    ),
    "a configuration file": (lambda: read_document(ADDRESS), "the configuration file", ""),
    "a page's file": (lambda: report.write(None, ADDRESS, is_opened=False), "the page's file", ""),  # type: ignore[arg-type]
    "an exported file": (lambda: export.write(ADDRESS, [object()], None), "the exported file", ""),  # type: ignore[list-item, arg-type]
}

# Where an address works; `tests/integration/test_addresses.py` has it read and written.
WORKS: dict[str, Callable[[], Any]] = {
    "AudioExampleGen.input_base": lambda: components.AudioExampleGen(input_base=ADDRESS),
    "CsvExampleGen.input_base": lambda: components.CsvExampleGen(input_base=ADDRESS),
    "FunctionExampleGen.input_base": lambda: components.FunctionExampleGen(rows, input_base=ADDRESS),
    "ImageFolderExampleGen.input_base": lambda: components.ImageFolderExampleGen(input_base=ADDRESS),
    "JsonExampleGen.input_base": lambda: components.JsonExampleGen(input_base=ADDRESS),
    "TextExampleGen.input_base": lambda: components.TextExampleGen(input_base=ADDRESS),
    "ImportExampleGen.input_base": lambda: components.ImportExampleGen(input_base=ADDRESS),
    "ParquetExampleGen.input_base": lambda: components.ParquetExampleGen(input_base=ADDRESS),
    "ImportSchemaGen.schema_file": lambda: components.ImportSchemaGen(schema_file=ADDRESS),
    "Pusher.push_destination": lambda: components.Pusher(
        model=_MODEL, push_destination={"filesystem": {"base_directory": ADDRESS}}
    ),
}

# Their names say path, file or folder, and an address is none of theirs.
_OTHERS = {"Evaluator.module_path": "a module's dotted name"}


@pytest.mark.parametrize("place", list(REFUSED))
def test_an_address_is_refused_in_one_sentence(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Before anything is made."""
    monkeypatch.chdir(tmp_path)
    give, what, ending = REFUSED[place]

    with pytest.raises(UnsupportedFeatureError) as caught:
        give()

    assert caught.value.problem == what + SENTENCE.format(ending)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", list(WORKS))
def test_an_address_is_taken_where_it_works(place: str):
    WORKS[place]()


def test_the_web_is_read_and_not_written():
    with pytest.raises(DefinitionError, match="is a page of the web, which cannot be written"):
        components.Pusher(
            model=_MODEL, push_destination={"filesystem": {"base_directory": "https://host/models"}}
        )


def test_a_push_to_a_relative_file_address_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It would go to a folder named `file:`."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UnsupportedFeatureError, match="'file://' is followed by an absolute path"):
        components.Pusher(model=_MODEL, push_destination={"filesystem": {"base_directory": "file://models"}})


def _parameters_that_name_files() -> Iterator[str]:
    for name in components.__all__:
        component = getattr(components, name)
        if not component.__module__.startswith("headrace.components."):
            continue
        for parameter in inspect.signature(component).parameters:
            if parameter.endswith(
                ("_file", "_path", "_base", "_dir", "_folder", "_root", "_destination", "_uri")
            ):
                yield f"{name}.{parameter}"


def test_no_parameter_of_a_component_is_left_out():
    """A new one is put into one of the tables above."""
    found = set(_parameters_that_name_files())

    assert {"Transform.module_file", "Pusher.push_destination"} <= found
    assert sorted(found - REFUSED.keys() - WORKS.keys() - _OTHERS.keys()) == []


def _path_options() -> Iterator[tuple[str, int, str]]:
    """Command, number of its arguments, and option."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        num_arguments = sum(isinstance(one, click.Argument) and one.required for one in command.params)
        for option in command.params:
            if option.human_readable_name in ("store", "config_path"):
                yield name, num_arguments, option.opts[0]


@pytest.mark.parametrize(("name", "num_arguments", "option"), list(_path_options()))
def test_an_option_that_takes_a_path_refuses_an_address(
    name: str, num_arguments: int, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """No command makes a folder called `s3:`."""
    monkeypatch.chdir(tmp_path)
    given = ["taxi"] if name == "run" else ["latest"] * num_arguments

    result = CliRunner().invoke(cli, [name, *given, option, ADDRESS])

    assert result.exit_code != 0
    assert f"{SENTENCE.format('')}\n" in str(result.exception) + result.output
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_is_read_from_this_machine():
    result = CliRunner().invoke(cli, ["run", f"{ADDRESS}.py"])

    assert f"the pipeline{SENTENCE.format('.py')}" in str(result.exception) + result.output
