"""Names and places of projects."""

from __future__ import annotations

import pytest

from headrace.errors import DefinitionError
from headrace.projects.naming import Place, check_place


@pytest.mark.parametrize(
    "name", ["wine", "wine-2.0", "\u8461\u8404\u9152", "\u05d9\u05d9\u05df", "caf\u00e9_1"]
)
def test_names_of_all_scripts_are_names(tmp_path, monkeypatch, name):
    """Letters, digits, and three signs."""
    monkeypatch.chdir(tmp_path)

    assert check_place(name) == Place(name, name)
    assert check_place(f"{tmp_path}/new/{name}/").name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "-x", "a b", "a\tb", "\u202eabc", "x" * 201, "a/..", "con?"]
)
def test_what_is_no_name_is_refused_with_one_that_is(tmp_path, monkeypatch, name):
    """The message can be printed, whatever was given."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DefinitionError) as caught:
        check_place(name)

    assert "cannot be the name of a project" in caught.value.problem
    assert caught.value.problem.isprintable()
    assert "for example: " in caught.value.fix


def test_what_is_there_is_never_written_over(tmp_path, monkeypatch):
    """A file, or a folder with something in it; an empty folder is fine."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()

    assert check_place("empty").name == "empty"
    for name, what in (("full", "a folder that is not empty"), ("file", "a file")):
        with pytest.raises(DefinitionError) as caught:
            check_place(name)
        assert f"'{name}' exists already, {what}. Nothing was written" in caught.value.problem
    with pytest.raises(DefinitionError) as caught:
        check_place("file/inner")
    assert "is a file, so no project can be made in it" in caught.value.problem
