"""What README calls public is there, is named and typed for people, and nothing more is offered."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from public_surface import table, untyped

import headrace
from headrace.store.results import RunResult

# `headrace.runtime.executor` loads Beam; a test of the integration's looks at it. `headrace.sdk` gives its bases too, and
# names of modules that are looked at themselves.
LIGHT = sorted(table().keys() - {"headrace.runtime.executor", "headrace.sdk"})
# TFX gives these out as modules of artifact and execution types.
TFX_MODULES = {"standard_artifacts", "system_executions"}
# The values of TFX's and the user's mappings that are kept as JSON, and of TFX's exec properties, are of any type.
ANY_VALUE = {
    "Chart: spec",
    "ExecutionContext.json_parameter: default",
    "ExecutionContext.json_parameter: return",
    "ExecutionContext.parameter: default",
    "ExecutionContext.parameter: return",
    "ExecutionContext: parameters",
    "Pusher.__init__: custom_config",
    "Resolver.__init__: config",
    "StatisticsGen.__init__: stats_options",
    "Trainer.__init__: custom_config",
    "Trainer.__init__: tensorboard",
    "Transform.__init__: custom_config",
    "Tuner.__init__: custom_config",
    "Tuner.__init__: search_space",
    "load: return",
}


def test_each_module_exists_and_says_what_it_is() -> None:
    found = table()

    assert len(found) > 5
    for name in found:
        spec = importlib.util.find_spec(name)
        source = Path(spec.origin or "").read_text() if spec else ""
        assert ast.get_docstring(ast.parse(source)), name


def test_an_editor_offers_what_the_table_names() -> None:
    """Beside it stand former names, which warn."""
    modules = {name.split(".")[1] for name in table() if name.count(".") == 1}
    offered = {name for name in dir(headrace) if not name.startswith("__")}

    assert offered == {*table()["headrace"], *modules, "with_resources"}
    for name in offered:
        assert getattr(headrace, name).__doc__, name


@pytest.mark.parametrize("name", ["headrace.authoring", "headrace.components", "headrace.testing"])
def test_what_is_offered_is_what_its_name_says(name: str) -> None:
    """No module in the place of a decorator, a class or a function, whatever was imported before."""
    module = importlib.import_module(name)
    offered = {key for key in dir(module) if not key.startswith("__")}

    assert offered == set(module.__all__)
    assert {key for key in offered if isinstance(getattr(module, key), ModuleType)} <= TFX_MODULES
    for key in module.__all__:
        assert importlib.util.find_spec(f"{name}.{key}") is None, (
            "a module's import would take the name's place"
        )


def test_nothing_public_is_any_where_a_type_can_be_named() -> None:
    found = {where for name in LIGHT for where in untyped(importlib.import_module(name))}

    assert found == ANY_VALUE


def test_modules_are_there_without_an_import_of_their_own() -> None:
    source = "import headrace; print(headrace.errors.DataError.__name__, headrace.testing.channel.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "DataError channel\n", done.stderr


def test_the_former_name_of_details_works_and_warns() -> None:
    result = RunResult("1", "demo", (), 1.0, "", {"command": "headrace run demo"})

    with pytest.warns(DeprecationWarning, match=r"^RunResult.parameters is called RunResult.details now\.$"):
        assert result.parameters == result.details == {"command": "headrace run demo"}
