"""Functions of cells become files that a worker can import."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headrace.errors import UserFunctionError
from headrace.usercode import cells, functions


class Notebook:
    """A `__main__` that is fed cell by cell, as IPython does it."""

    def __init__(self) -> None:
        self.module = ModuleType("__main__")
        self.module.__dict__["In"] = [""]

    def run(self, text: str) -> None:
        """Run one cell."""
        cells_so_far = self.module.__dict__["In"]
        name = f"<ipython-input-{len(cells_so_far)}>"
        cells_so_far.append(text)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec", dont_inherit=True), self.module.__dict__)

    def __getitem__(self, name: str) -> Any:
        return self.module.__dict__[name]


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Notebook:
    made = Notebook()
    monkeypatch.setitem(sys.modules, "__main__", made.module)
    monkeypatch.setattr(cells, "_folder", str(tmp_path / "cells"))
    return made


def test_a_file_holds_the_function_and_what_it_needs(notebook: Notebook):
    """Imports, constants, helpers and classes come along; what the function does not use stays out."""
    notebook.run("import os.path\nimport json as js, math\nfrom collections import OrderedDict as Ordered")
    notebook.run("FEATURES = ['a', 'b']\nUNUSED = 1")
    notebook.run("class Scale:\n    factor = 2\n\ndef helper(x):\n    return Scale.factor * math.sqrt(x)")
    notebook.run("def fn(x):\n    return Ordered((name, helper(x)) for name in FEATURES), js.dumps(x)")

    text = functions.to_text(notebook["fn"])

    path, _, name = text.rpartition(":")
    assert name == "fn"
    assert Path(path).read_text() == (
        "import json as js\n"
        "import math\n"
        "from collections import OrderedDict as Ordered\n"
        "\n\n"
        "FEATURES = ['a', 'b']\n"
        "\n\n"
        "class Scale:\n    factor = 2\n"
        "\n\n"
        "def helper(x):\n    return Scale.factor * math.sqrt(x)\n"
        "\n\n"
        "def fn(x):\n    return Ordered((name, helper(x)) for name in FEATURES), js.dumps(x)\n"
    )
    assert functions.load(text, "test")(4.0) == notebook["fn"](4.0)


def test_another_cell_changes_nothing_and_a_changed_constant_does(notebook: Notebook):
    notebook.run("SIZE = 3")
    notebook.run("def fn(x):\n    return x * SIZE")
    first = functions.to_text(notebook["fn"])
    notebook.run("other = 1")

    assert functions.to_text(notebook["fn"]) == first

    notebook.run("SIZE += 1")
    second = functions.to_text(notebook["fn"])
    assert second != first
    assert functions.load(second, "test")(2) == 8


def test_functions_that_call_each_other(notebook: Notebook):
    notebook.run(
        "def even(n):\n    return n == 0 or odd(n - 1)\n\ndef odd(n):\n    return n > 0 and even(n - 1)"
    )

    assert functions.load(functions.to_text(notebook["even"]), "test")(4) is True


def test_a_timed_cell_defines_functions_too(notebook: Notebook):
    notebook.run("def fn():\n    return SIZE")
    notebook["In"].append(
        "get_ipython().run_cell_magic('time', '', 'class Size:\\n    value = 1\\nSIZE = Size()')"
    )
    exec("class Size:\n    value = 1\nSIZE = Size()", notebook.module.__dict__)

    assert functions.load(functions.to_text(notebook["fn"]), "test")().value == 1


def test_a_value_without_source_is_named(notebook: Notebook):
    """The reader sees the function, the name, its type, and where to put it."""
    notebook.run("def fn(x):\n    return encoder")
    notebook.module.__dict__["encoder"] = object()

    with pytest.raises(UserFunctionError) as caught:
        functions.to_text(notebook["fn"])

    assert str(caught.value) == (
        "fn: 'fn' uses 'encoder', of type object, whose source is not known: no cell defines it at its top level.\n"
        "  Fix: define encoder in a cell as `encoder = ...`, or inside the function, or write the function to "
        "a file with %%writefile and name it 'file.py:function'."
    )


def test_a_function_that_is_gone_is_named(notebook: Notebook):
    notebook.run("def fn(x):\n    return x")
    function = notebook["fn"]
    del notebook.module.__dict__["fn"]

    with pytest.raises(UserFunctionError) as caught:
        functions.to_text(function)

    assert str(caught.value) == (
        "fn: 'fn' is not defined at the top level of a cell.\n"
        "  Fix: run the cell that defines it, at its top level and under this name."
    )


def test_each_session_keeps_files_of_its_own(notebook: Notebook, tmp_path: Path):
    """A component made while the other's folder was in use is run from this one's, also when the other's is gone."""
    notebook.run("def fn(x):\n    return x + 1")
    cells.use_folder(str(tmp_path / "first"))
    first = functions.to_text(notebook["fn"])
    config = f'{{"fn": "{first}"}}'
    cells.use_folder(str(tmp_path / "second"))

    moved = cells.moved_here(config)

    assert moved == config.replace(str(tmp_path / "first"), str(tmp_path / "second"))
    (tmp_path / "first" / Path(first.partition(":")[0]).name).unlink()
    assert functions.load(cells.moved_here(first), "test")(1) == 2
    assert cells.moved_here(moved) == moved
    assert cells.moved_here("module.py:fn") == "module.py:fn"
