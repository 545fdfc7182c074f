"""`headrace.sdk`: the public door, and its modules, from which pipelines of earlier versions import."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import headrace.sdk
from headrace import authoring
from headrace.authoring import light


def test_the_door_gives_what_the_library_itself_uses() -> None:
    assert set(authoring.__all__) < set(headrace.sdk.__all__)
    for name in authoring.__all__:
        assert getattr(headrace.sdk, name) is getattr(authoring, name)


def test_what_is_offered_is_there_and_described() -> None:
    """Executors' bases load Beam, which no unit test may."""
    offered = {name for name in dir(headrace.sdk) if not name.startswith("__")}

    assert offered == set(headrace.sdk.__all__)
    for name in offered - {"Executor", "BeamExecutor"}:
        assert getattr(headrace.sdk, name).__doc__, name


def test_a_pipeline_that_an_earlier_version_exported_still_loads() -> None:
    """It imports TFX's classes with Headrace's `authoring`."""
    from headrace.sdk.light import authoring as former

    assert former is light.authoring


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pipeline", "Pipeline"),
        ("component", "Component"),
        ("component", "ComponentSpec"),
        ("resources", "with_resources"),
    ],
)
def test_what_pipelines_import_from_its_modules_is_the_same(module: str, name: str) -> None:
    assert getattr(importlib.import_module(f"headrace.sdk.{module}"), name) is getattr(authoring, name)


@pytest.mark.parametrize("before", ["", "import headrace.sdk.component; "])
def test_the_former_module_component_does_not_take_the_decorators_place(before: str) -> None:
    source = f"{before}from headrace.sdk import component; import headrace.sdk.component; "
    source += "from headrace.sdk import component as again; print(callable(component), again is component)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "True True\n", done.stderr
