"""What differs between two cache keys: pure data in, differences out."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.store.read.differences import CACHE_OFF, SOURCES, Difference, FileChange, compare, num_equal

TEXTS = {"d1": "def f():\n    return 1\n", "d2": "def f():\n    return 2\n"}


def what(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "tfx": "1.16.0",
        "executor": "project.Train_Executor",
        "executor_source": "same",
        "parameters": {"steps": 100, "run_fn": {"function": "run_fn", "source": "s1"}},
        "inputs": {"examples": ["a"]},
        "outputs": {"model": ["Model"]},
        SOURCES: {"parameters.run_fn": {"model.py": "d1"}},
        **changes,
    }


def test_equal_ingredients_do_not_differ():
    assert compare(what(), what(), TEXTS.get) == []


def test_what_does_not_count_in_the_key_is_no_difference():
    assert compare(what(), what(**{CACHE_OFF: True, SOURCES: {}}), TEXTS.get) == []


def test_a_changed_function_is_shown_by_its_lines():
    new = what(
        parameters={"steps": 100, "run_fn": {"function": "run_fn", "source": "s2"}},
        sources={"parameters.run_fn": {"model.py": "d2"}},
    )

    lines = ("--- model.py", "+++ model.py", "@@ -1,2 +1,2 @@", " def f():", "-    return 1", "+    return 2")
    assert compare(what(), new, TEXTS.get) == [
        Difference("code", "run_fn", files=(FileChange("model.py", "changed", lines),))
    ]


def test_a_text_that_is_not_kept_leaves_the_name_of_the_file():
    new = what(
        parameters={"steps": 100, "run_fn": {"function": "run_fn", "source": "s2"}},
        sources={"parameters.run_fn": {"model.py": "d3", "layers.py": "d1"}},
    )

    [difference] = compare(what(), new, TEXTS.get)
    assert difference.files == (FileChange("layers.py", "added"), FileChange("model.py", "changed"))


def test_parameters_that_came_went_or_changed_are_named_with_both_values():
    new = what(parameters={"steps": 50, "rate": 0.1})

    assert [(d.kind, d.name, d.old, d.new) for d in compare(what(), new, TEXTS.get)] == [
        ("parameter", "rate", None, 0.1),
        ("parameter", "run_fn", "run_fn", None),
        ("parameter", "steps", 100, 50),
    ]


def test_another_function_of_the_same_file_is_a_changed_parameter():
    new = what(parameters={"steps": 100, "run_fn": {"function": "other_fn", "source": "s1"}})

    assert [(d.kind, d.old, d.new) for d in compare(what(), new, TEXTS.get)] == [
        ("parameter", "run_fn", "other_fn")
    ]


def test_inputs_versions_and_headraces_own_code_are_told_apart():
    old = what(executor="headrace.components.trainer.executor.Executor", executor_source="x")
    new = {**old, "executor_source": "y", "tfx": "1.21.0", "inputs": {"examples": ["b"]}}

    assert [(d.kind, d.name, d.old, d.new, d.note) for d in compare(old, new, TEXTS.get)] == [
        (
            "code",
            "headrace.components.trainer.executor.Executor",
            None,
            None,
            "Headrace's own code changed: another version, or an edit",
        ),
        ("input", "examples", ["a"], ["b"], ""),
        ("version", "the version of TFX", "1.16.0", "1.21.0", ""),
    ]


def test_libraries_and_environment_variables_are_told_one_by_one():
    old = what(packages={"keras": "3.4", "numpy": "1.26"}, environment={"MODE": "a"})
    new = what(packages={"keras": "3.5", "numpy": "1.26", "pandas": "2"}, environment={"MODE": "b"})

    assert [(d.kind, d.name, d.old, d.new) for d in compare(old, new, TEXTS.get)] == [
        ("version", "keras", "3.4", "3.5"),
        ("version", "pandas", None, "2"),
        ("version", "environment variable MODE", "a", "b"),
    ]


def test_files_that_a_parameter_names_are_shown_by_their_lines():
    old = what(parameters={"schema_file": {"file": "a.pbtxt", "content": "c1"}})
    new = what(parameters={"schema_file": {"file": "a.pbtxt", "content": "c2"}})
    old[SOURCES], new[SOURCES] = ({"parameters.schema_file": {"a.pbtxt": name}} for name in ("d1", "d2"))

    [difference] = compare(old, new, TEXTS.get)

    assert (difference.kind, difference.name) == ("file", "schema_file")
    assert difference.files[0].lines[-2:] == ("-    return 1", "+    return 2")


def test_the_nearest_execution_is_the_one_that_shares_the_most():
    one_changed = what(inputs={"examples": ["b"]})
    two_changed = what(inputs={"examples": ["b"]}, tfx="1.21.0")

    assert num_equal(what(), what()) > num_equal(what(), one_changed) > num_equal(what(), two_changed)


SECRET_PARAMETERS = [
    ("db_password", "hunter1", "hunter2", ("***", "***", "a secret, which is not shown")),
    ("db_password", None, "hunter2", (None, "***", "")),
    ("url", "db://me:hunter1@a/x", "db://me:hunter2@b/x", ("db://me:***@a/x", "db://me:***@b/x", "")),
    ("custom_config", '{"api_key": "hunter1", "a": 1}', '{"api_key": "hunter2", "a": 2}',
     ('{"a": 1, "api_key": "***"}', '{"a": 2, "api_key": "***"}', "")),
    ("options", {"token": "hunter1"}, {"token": "hunter2"},
     ('{"token": "***"}', '{"token": "***"}', "a secret, which is not shown")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after", "shown"), SECRET_PARAMETERS)
def test_a_secret_that_changed_is_told_and_not_shown(
    name: str, before: Any, after: Any, shown: tuple[Any, ...]
):
    """An executor is given the real value, so ML Metadata holds it; no command prints it."""
    old, new = ({"parameters": {} if value is None else {name: value}} for value in (before, after))

    [difference] = compare(old, new, TEXTS.get)

    assert (difference.old, difference.new, difference.note) == shown


def test_secrets_of_the_command_line_and_of_changed_lines_are_not_shown():
    """In code only what is written out as text: what a token is read from is no secret."""
    texts = {
        "1": "token = read()\npassword = 'hunter1'\n", "2": "token = read()\npassword = 'hunter2'\nx = 1\n",
        "3": "api_key: hunter1\n", "4": "api_key: hunter2\nsteps: 2\n",
    }  # fmt: skip
    old = {
        "arguments": ["--password", "hunter1"],
        "executor_source": "a",
        SOURCES: {"executor": {"a.py": "1", "b.yaml": "3"}},
    }
    new = {
        "arguments": ["--password=hunter2"],
        "executor_source": "b",
        SOURCES: {"executor": {"a.py": "2", "b.yaml": "4"}},
    }

    found = compare(old, new, texts.get)

    lines = [line for difference in found for file in difference.files for line in file.lines]
    assert {" token = read()", "+password = ***", "+x = 1", "+api_key: ***", "+steps: 2"} <= set(lines)
    assert "hunter" not in str(found)
