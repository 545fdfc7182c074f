"""Names of splits: they become folders."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.authoring import standard_artifacts
from headrace.errors import DataError, DefinitionError
from headrace.formats import artifacts, split_names

_BAD = [
    "../x",
    "a/b",
    "a/../../etc",
    ".",
    "..",
    "-a",
    "_a",
    "a.b",
    "a b",
    "é",
    "a\n",
    "a\0",
    "\x1b[2J",
    "x" * 201,
]


@pytest.mark.parametrize("name", ["train", "eval", "2024-01", "A_b-9", "x" * 200])
def test_names_of_letters_digits_dashes_and_underscores_are_good(name):
    """As in TFX."""
    split_names.check_given([name], "output_config")
    split_names.check_recorded([name], "Examples artifact 1")


@pytest.mark.parametrize("name", [*_BAD, ""])
def test_a_name_that_is_no_folder_is_refused(name):
    """It is shown as it is written, its control characters escaped."""
    with pytest.raises(DefinitionError) as caught:
        split_names.check_given(["train", name], "output_config")
    assert caught.value.problem == f"output_config: {name!r} cannot be the name of a split."


@given(st.text(max_size=8))
def test_the_rule_is_that_of_tfx(name):
    """But for the empty name, and a line feed at the end, which TFX's expression overlooks."""
    expected = re.match("^([A-Za-z0-9][A-Za-z0-9_-]*)?$", name) is not None
    assert split_names.is_good(name) == (expected and name != "" and not name.endswith("\n"))


@pytest.mark.parametrize("name", _BAD)
def test_an_artifact_of_a_stranger_names_no_folder_elsewhere(name):
    """What is recorded in a store is not trusted: outputs are written into folders of these names."""
    examples = standard_artifacts.Examples()
    examples.split_names = _text([name])
    with pytest.raises(DataError) as caught:
        artifacts.split_names(examples)
    assert f"has a split called {name!r}, which cannot be the name of a folder." in caught.value.problem


def _text(names):
    """The JSON text of split names, without TFX's check."""
    return json.dumps(names)


@pytest.mark.parametrize("text", ["no JSON", "7", "[7]", '{"a": 1'])
def test_split_names_that_are_no_list_are_refused(text):
    """With the artifact's id."""
    examples = standard_artifacts.Examples()
    examples.split_names = text
    with pytest.raises(DataError, match="Examples artifact 0"):
        artifacts.split_names(examples)
