"""Which nodes wait for libraries, and what the server loads for them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from headrace.authoring.light import authoring
from headrace.orchestration.engine.preloading import modules_ahead
from headrace.orchestration.runners import placement

with authoring():
    from tfx.proto.orchestration import executable_spec_pb2

_PLAIN = "from tfx import v1 as tfx\nfrom headrace.authoring import Pipeline\nimport json\n"


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two modules that this process has read; the one imports a library through the other."""
    (tmp_path / "light_nodes.py").write_text(_PLAIN)
    (tmp_path / "heavy_nodes.py").write_text(f"{_PLAIN}import heavy_neighbour\n")
    (tmp_path / "heavy_neighbour.py").write_text("import click.core\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("light_nodes", "heavy_nodes", "heavy_neighbour"):
        importlib.import_module(name)
        monkeypatch.setitem(sys.modules, name, sys.modules[name])
    return tmp_path


@pytest.mark.parametrize(
    ("class_path", "main_path", "module_path", "file"),
    [
        ("__main__.Make", "/p/script.py", "", "/p/script.py"),
        ("headrace_user_1_pipe.Make", "/p/script.py", "/p/pipe.py", "/p/pipe.py"),
        ("headrace.components.trainer.executor.Executor", "", "", ""),
        ("tfx.components.trainer.executor.Executor", "", "", ""),
        ("click.core.Command", "", "", ""),
        ("not_read_here.Make", "", "", ""),
    ],
)
def test_the_file_of_the_users_code_is_known(class_path: str, main_path: str, module_path: str, file: str):
    assert placement.users_file(class_path, main_path, module_path) == file


def test_a_file_needs_what_it_and_its_neighbours_import(project: Path):
    assert placement.users_file("light_nodes.Make", "", "") == str(project / "light_nodes.py")
    assert placement.heavy_libraries(str(project / "light_nodes.py")) == []
    assert placement.heavy_libraries(str(project / "heavy_nodes.py")) == ["click.core"]


@pytest.mark.parametrize("name", ["tfx.components", "tensorflow"])
def test_a_file_that_names_heavy_parts_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    module = ModuleType(name)
    module.__file__ = str(Path(sys.modules["pytest"].__file__ or "").parent / "part.py")
    monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "pipe.py").write_text(f"import {name}\n")
    assert placement.heavy_libraries(str(tmp_path / "pipe.py")) == [name]


def test_libraries_load_in_the_order_of_need_and_for_nobody_else(project: Path):
    plain, beam = executable_spec_pb2.PythonClassExecutableSpec, executable_spec_pb2.BeamExecutableSpec
    light, heavy, ours = (
        plain(class_path=path)
        for path in ("light_nodes.Make", "heavy_nodes.Use", "headrace.components.pusher.executor.Executor")
    )
    assert modules_ahead([light], "", ()) == []
    assert modules_ahead([light, heavy, ours], "", ()) == [
        "click.core",
        "headrace.components.pusher.executor",
    ]
    assert modules_ahead([light, heavy, beam(python_executor_spec=ours)], "", ())[:2] == [
        "tensorflow",
        "apache_beam",
    ]


def test_a_script_loads_what_it_makes_its_pipeline_of(project: Path):
    assert placement.script_libraries(["__main__.Make", "headrace.components.a.B"]) == ()
    stock = placement.script_libraries(["__main__.Make", "tfx.components.trainer.executor.Executor"])
    script = str(project / "light_nodes.py")
    node = executable_spec_pb2.PythonClassExecutableSpec(class_path="__main__.Make")
    assert modules_ahead([node], script, stock) == ["tensorflow", "apache_beam"]
