"""What loading depended on: variables that were read, files that were opened, names that a project may hide."""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.orchestration.runners.warm import identity
from headrace.orchestration.runners.warm.load_record import LoadRecord


@pytest.fixture
def record() -> Iterator[LoadRecord]:
    made = LoadRecord()
    yield made
    made.stop()


def test_a_variable_that_was_read_must_have_the_same_value(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("READ_AT_LOAD", "1")
    record = LoadRecord()
    assert os.environ.get("READ_AT_LOAD") == "1"
    assert os.getenv("ABSENT_AT_LOAD") is None
    record.stop()
    variables = {"READ_AT_LOAD": "1", "NEVER_READ": "2"}

    assert record.other_variable(variables) == ""
    assert record.other_variable({**variables, "READ_AT_LOAD": "3"}) == "READ_AT_LOAD"
    assert record.other_variable({"NEVER_READ": "2"}) == "READ_AT_LOAD"
    assert record.other_variable({**variables, "ABSENT_AT_LOAD": "1"}) == "ABSENT_AT_LOAD"
    assert (
        record.fault({**variables, "ABSENT_AT_LOAD": "1"})
        == "the variable ABSENT_AT_LOAD had another value when libraries were loaded"
    )


def test_what_was_read_before_and_after_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("READ_LATER", "1")
    record = LoadRecord()
    record.stop()
    assert os.environ["READ_LATER"] == "1"
    assert record.other_variable({}) == ""
    assert "Recording" not in type(os.environ).__name__


def test_what_libraries_set_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REMOVED", "1")
    monkeypatch.setenv("KEPT", "1")
    record = LoadRecord()
    os.environ["SET_AT_LOAD"] = "1"
    assert os.environ.get("SET_AT_LOAD") == "1"
    del os.environ["REMOVED"]
    record.stop()
    try:
        assert record.set_variables() == {"SET_AT_LOAD": "1", "REMOVED": None}
        assert record.other_variable({"KEPT": "1"}) == ""
    finally:
        del os.environ["SET_AT_LOAD"]


def test_who_looks_through_all_variables_asks_for_none_and_sees_what_all_runs_have(
    monkeypatch: pytest.MonkeyPatch,
):
    """As tqdm does for those of its prefix."""
    monkeypatch.setenv("OF_THE_FIRST_RUN", "1")
    monkeypatch.setenv("TQDM_NCOLS", "70")
    record = LoadRecord()
    seen = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    record.stop()

    assert "OF_THE_FIRST_RUN" not in seen
    assert seen["TQDM_NCOLS"] == "70"
    assert record.other_variable({}) == ""
    assert dict(os.environ.items())["OF_THE_FIRST_RUN"] == "1"


def test_a_copy_of_all_variables_is_one_of_the_first_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OF_THE_FIRST_RUN", "1")
    record = LoadRecord()
    os.environ.copy()
    record.stop()
    given = dict(os.environ)
    assert record.other_variable(given) == ""
    del given["OF_THE_FIRST_RUN"]
    assert record.other_variable(given) == "OF_THE_FIRST_RUN"


def test_a_run_whose_process_loaded_the_libraries_too_is_served(record: LoadRecord):
    os.environ.setdefault("SET_AT_LOAD", "1")
    record.look()
    record.stop()
    del os.environ["SET_AT_LOAD"]
    assert record.other_variable({}) == ""
    assert record.other_variable({"SET_AT_LOAD": "1"}) == ""
    assert record.other_variable({"SET_AT_LOAD": "2"}) == "SET_AT_LOAD"


def test_another_link_to_a_file_is_no_change_of_it(record: LoadRecord, tmp_path: Path):
    """Environments made by uv share the files of their packages."""
    path = tmp_path / "library.py"
    path.write_text("")
    path.read_text()
    record.look()
    os.link(path, tmp_path / "of_another_environment.py")
    assert record.changed_file() == ""


def test_a_file_that_was_read_must_be_the_same(record: LoadRecord, tmp_path: Path):
    path = tmp_path / "keras.json"
    path.write_text("{}")
    os.utime(path, (1, 1))
    path.read_text()
    (tmp_path / "written").write_text("")
    record.look()
    assert record.changed_file() == ""
    (tmp_path / "written").write_text("more")
    assert record.changed_file() == ""
    path.write_text('{"backend": "jax"}')
    assert record.changed_file() == str(path)


def test_a_file_that_was_not_there_must_not_be(record: LoadRecord, tmp_path: Path):
    path = tmp_path / "keras.json"
    with pytest.raises(FileNotFoundError):
        path.read_text()
    record.look()
    path.write_text("{}")
    assert record.changed_file() == str(path)


def test_a_file_that_just_changed_may_have_changed_again(record: LoadRecord, tmp_path: Path):
    path = tmp_path / "young"
    path.write_text("")
    path.read_text()
    record.look()
    assert record.is_late


def test_a_project_may_not_hide_a_library(record: LoadRecord, tmp_path: Path):
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "json").mkdir()
    assert record.hidden_library([str(tmp_path), os.path.dirname(os.__file__), "/absent"]) == ""
    (tmp_path / "json" / "__init__.py").write_text("")
    assert record.hidden_library([str(tmp_path)]) == f"{tmp_path / 'json'} has the name of a library"


def test_a_module_of_a_project_is_told_from_a_library(
    record: LoadRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    record.project_module()
    while record.project_module():
        # Those of the tests themselves.
        pass
    (tmp_path / "of_a_project.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    import of_a_project  # noqa: F401

    try:
        assert record.project_module() == "of_a_project"
        assert record.project_module() == ""
    finally:
        del sys.modules["of_a_project"]


def test_a_link_in_a_folder_of_libraries_is_of_a_library(
    record: LoadRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As Debian's `sitecustomize`, which lies in /etc."""
    while record.project_module():
        pass
    libraries, elsewhere = tmp_path / "libraries", tmp_path / "etc"
    for folder in (libraries, elsewhere):
        folder.mkdir()
    (elsewhere / "linked_library.py").write_text("")
    (libraries / "linked_library.py").symlink_to(elsewhere / "linked_library.py")
    monkeypatch.setattr(identity, "library_folders", lambda: (str(libraries),))
    module = types.ModuleType("linked_library")
    module.__file__ = str(libraries / "linked_library.py")
    monkeypatch.setitem(sys.modules, "linked_library", module)
    assert "linked_library" not in iter(record.project_module, "")

    module.__file__ = str(elsewhere / "linked_library.py")
    monkeypatch.setitem(sys.modules, "of_a_project", module)
    assert "of_a_project" in iter(record.project_module, "")


def test_to_look_for_changes_takes_milliseconds(record: LoadRecord):
    record.look()
    started = time.perf_counter()
    record.changed_file()
    assert time.perf_counter() - started < 0.5


def test_headraces_own_modules_are_none_of_a_project(record: LoadRecord):
    """Its folders of components and pipelines are links in a checkout."""
    import headrace.components.schema_gen  # noqa: F401

    found = []
    while name := record.project_module():
        found.append(name)
    assert not [name for name in found if f"{name}.".startswith("headrace.")]
