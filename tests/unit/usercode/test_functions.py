"""User functions named by text: found, loaded, and explained when they are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.errors import UserFunctionError
from headrace.usercode import functions


@pytest.fixture
def module_file(tmp_path: Path) -> Path:
    path = tmp_path / "features.py"
    path.write_text("def preprocessing_fn(inputs):\n    return inputs\n\nCONSTANT = 3\n")
    return path


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("my.module:fn", "my.module", "fn"),
        ("folder/file.py:fn", "folder/file.py", "fn"),
        ("my.module.fn", "my.module", "fn"),
    ],
)
def test_all_forms_are_read(text: str, place: str, name: str):
    assert functions.parse(text) == functions.FunctionReference(place, name)


@pytest.mark.parametrize("text", ["", "fn", "module:", "module:not a name", ":fn"])
def test_other_text_is_refused(text: str):
    with pytest.raises(UserFunctionError) as caught:
        functions.parse(text)

    assert str(caught.value) == (
        f"'{text}' does not name a function.\n"
        "  Fix: write 'module:function', such as 'my_project.features:preprocessing_fn'."
    )


def test_a_missing_function_says_which_there_are(module_file: Path):
    with pytest.raises(UserFunctionError) as caught:
        functions.check(f"{module_file}:preprocesing_fn", "Transform: preprocessing_fn")

    assert str(caught.value) == (
        f"Transform: preprocessing_fn: {module_file} has no function 'preprocesing_fn'. "
        "It has 'preprocessing_fn'.\n"
        "  Fix: did you mean 'preprocessing_fn'? Correct the name, or define the function."
    )


def test_a_missing_file_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserFunctionError) as caught:
        functions.check("nowhere.py:fn", "Trainer: run_fn")

    assert str(caught.value) == (
        f"Trainer: run_fn: there is no file 'nowhere.py' (looked in {tmp_path}).\n"
        "  Fix: correct the path; a relative path starts at the folder where the command runs."
    )


def test_a_missing_module_is_said():
    with pytest.raises(
        UserFunctionError, match=r"there is no module 'no_such_package.models' on the Python path"
    ):
        functions.check("no_such_package.models:fn", "Trainer: run_fn")


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path):
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ndef fn(:\n    pass\n")

    with pytest.raises(UserFunctionError, match=r"Trainer: run_fn: .*broken\.py:2: "):
        functions.check(f"{path}:fn", "Trainer: run_fn")


def test_loading_gives_the_function(module_file: Path):
    assert functions.load(f"{module_file}:preprocessing_fn", "Transform")({"a": 1}) == {"a": 1}


def test_what_is_not_a_function_is_refused(module_file: Path):
    with pytest.raises(UserFunctionError, match="is a int, not a function"):
        functions.load(f"{module_file}:CONSTANT", "Transform")


def test_two_files_of_one_name_stay_apart(tmp_path: Path):
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.py").write_text(f"def fn():\n    return {value}\n")

    results = [functions.load(f"{tmp_path}/{folder}/model.py:fn", "x")() for folder in ("a", "b")]

    assert results == [1, 2]


def test_a_function_inside_another_cannot_be_named():
    def inner() -> None: ...

    with pytest.raises(UserFunctionError, match="is not a function at the top level of a module"):
        functions.to_text(inner)


def test_a_function_object_becomes_text():
    assert functions.to_text(functions.parse) == "headrace.usercode.functions:parse"


def test_a_function_of_a_file_loaded_by_path_is_named_by_the_file(tmp_path: Path):
    """The module's made-up name means nothing in a worker process."""
    path = tmp_path / "features.py"
    path.write_text("def preprocessing_fn(inputs):\n    return inputs\n")
    function = functions.load(f"{path}:preprocessing_fn", "Transform")

    assert functions.to_text(function) == f"{path}:preprocessing_fn"


def test_script_that_starts_its_pipeline_unasked_gives_what_it_defines_before(tmp_path):
    """A worker reads it for its functions, and leaves it where the run begins."""
    script = tmp_path / "script.py"
    script.write_text(
        "from headrace.usercode.functions import LeaveScript\n"
        "def rows():\n    return 3\n"
        "raise LeaveScript\n"
        "def later():\n    return 4\n"
    )
    assert functions.load(f"{script}:rows", "test")() == 3
    with pytest.raises(UserFunctionError, match="has no function 'later'"):
        functions.load(f"{script}:later", "test")
