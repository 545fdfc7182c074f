"""Values of the data, written into files of a project."""

from __future__ import annotations

import ast
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headrace.projects import literals

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_any_text_is_itself_again_in_python_and_yaml(text):
    """On one line, whatever it holds."""
    written = literals.python(text)

    assert ast.literal_eval(written) == text
    assert written.isprintable()
    assert yaml.safe_load(literals.yaml(text)) == text


@given(TEXTS)
def test_comments_and_docstrings_stay_on_their_line(text):
    """Nothing of it becomes code."""
    module = ast.parse(f'x = 1  # {literals.comment(text)}\n"""{literals.docstring(text)}."""\n')

    assert len(module.body) == 2


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('say "so"', "'say \"so\"'"),
        ("it's", '"it\'s"'),
        ("both ' and \"", '"both \' and \\""'),
        ("\u202eevil", '"\\u202eevil"'),
        ("\u05e9\u05dc\u05d5\u05dd", '"\u05e9\u05dc\u05d5\u05dd"'),
        ("a\nb", '"a\\nb"'),
        (("one",), '("one",)'),
        (0.5, "0.5"),
    ],
)
def test_python_is_written_as_its_formatter_writes_it(value, written):
    """Double quotes where they do; what turns the direction of writing can be seen."""
    assert literals.python(value) == written


def test_long_lists_go_over_several_lines():
    """One entry on each."""
    names = tuple(f"category number {number}" for number in range(9))

    assert ast.literal_eval(literals.python_list(names)) == names
    assert literals.python_list(names).count("\n") == 10
    assert literals.python_list(names[:2]) == json.dumps(names[:2]).replace("[", "(").replace("]", ")")
