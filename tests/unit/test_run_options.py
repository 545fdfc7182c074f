"""The options of a run: one declaration, and every way to start a run takes what it declares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import headrace
from headrace.authoring import Importer, standard_artifacts
from headrace.cli.commands.run import run_command
from headrace.config.run_config import RunConfig
from headrace.errors import DefinitionError, OptionError
from headrace.run_options import (
    NAMES,
    OPTIONS,
    FailWord,
    RunKeywords,
    RunOptions,
    Ways,
    current_names,
    takes_options,
)

# What the command line says beside the options of a run: what to run, and what to print.
_OF_THE_COMMAND = {"pipeline", "config_path", "settings", "quiet", "plain", "as_json"}
_OF_THE_FILE = {"pipeline", "parameters"}


@pytest.mark.parametrize("function", [headrace.run, headrace.Runner.__init__], ids=["run", "Runner"])
def test_python_spells_every_option_with_its_type_and_default(function: Callable[..., Any]):
    """In the order of the declaration, so that the help of an editor reads the same."""
    declared = inspect.signature(RunOptions).parameters
    spelled = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in ("self", "pipeline")
    }

    assert [(name, one.annotation, one.default) for name, one in spelled.items()] == [
        (name, one.annotation, one.default) for name, one in declared.items()
    ]
    assert {one.kind for one in spelled.values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_what_changes_for_one_run_of_a_runner_is_spelled_too():
    declared = {name: one.annotation for name, one in inspect.signature(RunOptions).parameters.items()}

    assert {name: kind.__forward_arg__ for name, kind in RunKeywords.__annotations__.items()} == declared
    for method in (headrace.Runner.run, headrace.Runner.run_with_ir):
        assert inspect.signature(method).parameters["options"].annotation == "Unpack[RunKeywords]"


@pytest.mark.parametrize("owner", [headrace.run, headrace.Runner], ids=["run", "Runner"])
def test_every_option_is_documented_alike(owner: Any):
    told, declared = _documented(owner, "Args"), _documented(RunOptions, "Attributes")
    told.pop("pipeline", None)

    assert told == declared
    assert list(declared) == list(NAMES)


def _documented(owner: Any, section: str) -> dict[str, str]:
    """What a docstring says of each name, in words."""
    text = inspect.getdoc(owner) or ""
    body = re.split(r"\n\n\w+:\n", text.split(f"\n{section}:\n", 1)[1])[0]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", body, re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in entries}


def test_the_command_line_has_every_option_that_a_text_can_say():
    """Under the word of the declaration; messages name options by it."""
    given = {parameter.name: parameter.opts for parameter in run_command.params}

    assert {name: flags for name, flags in given.items() if name not in _OF_THE_COMMAND} == {
        option.name: [option.flag] for option in OPTIONS if option.ways is not Ways.PYTHON
    }
    assert set(given) >= _OF_THE_COMMAND


def test_a_configuration_file_has_every_option_that_is_not_for_one_run():
    keys = {field.alias or name: name for name, field in RunConfig.model_fields.items()}

    assert {word: name for word, name in keys.items() if name not in _OF_THE_FILE} == {
        option.word: option.name for option in OPTIONS if option.ways is Ways.EVERYWHERE
    }


def test_every_key_of_a_configuration_file_is_explained():
    """In `configs/README.md`."""
    text = (Path(__file__).parents[2] / "configs" / "README.md").read_text()
    explained = {
        word
        for row in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
        for word in re.findall(r"`(\w+)`", row)
    }

    assert explained == {field.alias or name for name, field in RunConfig.model_fields.items()}


def test_options_are_as_they_will_be_used():
    """One name stands for a list of one, a path for its text; nothing can be read only once."""
    handler = Importer(source_uri="a", artifact_type=standard_artifacts.Schema)
    given: dict[str, Any] = {"exit_handlers": handler, "to_nodes": None, "resume_from": None}
    options = RunOptions(only="Trainer", from_nodes=(name for name in "ab"), store=Path("a/b"), **given)

    assert (options.only, options.from_nodes, options.store) == (("Trainer",), ("a", "b"), "a/b")
    assert (options.exit_handlers, options.to_nodes, options.resume_from) == ((handler,), (), "")


@pytest.mark.parametrize(("fail", "is_fast"), [("fast", True), ("late", False)])
def test_only_fast_stops_at_the_first_failure(fail: FailWord, is_fast: bool):
    assert RunOptions(fail=fail).fails_fast is is_fast


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"workers": 0}, "workers=0"),
        ({"workers": -1}, "workers=-1"),
        ({"workers": "2"}, "workers='2'"),
        ({"workers": True}, "workers=True"),
        ({"fail": "soon"}, "'fast', 'late'"),
        ({"fail": "fats"}, "did you mean 'fast'?"),
        *(({name: 7}, f"{name}=7") for name in ("show", "raise_on_failure", "dry_run", "cache", "listener")),
        *(({name: 7}, f"{name}=7") for name in ("run_id", "resume_from", "base_run", "store")),
        *(({name: 7}, f"{name}=(7,)") for name in ("from_nodes", "to_nodes", "only")),
        *(({name: [7]}, f"{name}=(7,)") for name in ("beam_pipeline_args", "exit_handlers")),
    ],
)
def test_a_run_that_cannot_go_like_this_is_refused(given: dict[str, Any], words: str):
    with pytest.raises(DefinitionError, match=re.escape(words)):
        RunOptions(**given)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ({"enable_cache": False}, {"cache": False}),
        ({"max_workers": 3}, {"workers": 3}),
        ({"fail_fast": True}, {"fail": "fast"}),
        ({"fail_fast": False}, {"fail": "late"}),
    ],
)
def test_a_former_name_works_and_says_the_new_one(former: dict[str, Any], now: dict[str, Any]):
    """The warning is that of the line that called."""

    @takes_options("it")
    def it(*, cache: bool | None = None, workers: int | None = None, fail: str = "late") -> dict[str, Any]:
        return {"cache": cache, "workers": workers, "fail": fail}

    [word] = now
    with pytest.warns(DeprecationWarning, match=f"is called '{word}' now") as caught:
        assert it(**former)[word] == now[word]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"wokers": 2}, "did you mean 'workers'?"),
        ({"max_worker": 2}, "did you mean 'workers'?"),
        ({"from": "A"}, "in Python it is 'from_nodes'"),
        ({"cache": True, "enable_cache": True}, "leave 'enable_cache' out"),
    ],
)
def test_a_name_that_there_is_not_is_answered_with_the_nearest(given: dict[str, Any], words: str):
    with pytest.raises(OptionError, match=re.escape(words)):
        current_names(given, NAMES, "it")
    with pytest.raises(TypeError, match=re.escape(words)):
        headrace.run(None, **given)
    with pytest.raises(TypeError, match=re.escape(words)):
        headrace.Runner(**given)


def test_a_way_that_lacks_an_option_does_not_name_it():
    with pytest.raises(OptionError) as caught:
        current_names({"from": "A"}, ("cache",), "it")

    assert "from_nodes" not in str(caught.value)


@pytest.mark.parametrize(("given", "fix"), [("taxi", "Pipeline(...)"), (lambda: None, "call the function")])
def test_what_is_no_pipeline_is_not_run(given: Any, fix: str):
    with pytest.raises(DefinitionError, match="a pipeline") as caught:
        headrace.run(given, show=False)

    assert fix in caught.value.fix
