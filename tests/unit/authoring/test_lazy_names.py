"""Modules that name what others define, imported name by name."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace.authoring import lazy_names

_NAMES = '''"""What it says of itself."""

try:
    from package import absent
    from package import optional as maybe
except ImportError:
    pass

from package.defined import One
from package.defined import Two as Second

__all__ = ["One", "Second"]
'''


@pytest.fixture(name="load")
def _load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], types.ModuleType]]:
    """Write the body of `package`, and import it lazily."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "defined.py").write_text("class One: pass\nclass Two: pass\n")
    (folder / "optional.py").write_text("")
    (folder / "other.py").write_text("import package.another\n")
    (folder / "another.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(body: str) -> types.ModuleType:
        (folder / "__init__.py").write_text(body)
        spec = importlib.machinery.PathFinder.find_spec("package", [str(tmp_path)])
        assert spec is not None
        lazy_names.load_lazily(spec, lambda: None)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "package", module)
        assert spec.loader is not None
        spec.loader.exec_module(module)
        return module

    yield load
    for name in [name for name in sys.modules if name.startswith("package.")]:
        del sys.modules[name]


def test_a_name_is_imported_when_it_is_used(load: Callable[[str], types.ModuleType]):
    package = load(_NAMES)
    assert "package.defined" not in sys.modules
    assert package.__doc__ == "What it says of itself."
    assert {"One", "Second", "absent", "maybe"} <= set(dir(package))

    assert package.One is sys.modules["package.defined"].One
    assert package.Second is sys.modules["package.defined"].Two
    assert package.maybe is sys.modules["package.optional"]


def test_what_the_module_may_be_without_is_no_attribute(load: Callable[[str], types.ModuleType]):
    package = load(_NAMES)
    assert not hasattr(package, "absent")
    assert not hasattr(package, "no_such_name")


def test_what_it_cannot_be_without_says_why(load: Callable[[str], types.ModuleType]):
    package = load("from package.other import Name")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        package.Name  # noqa: B018


def test_a_module_that_others_leave_in_it_is_found(load: Callable[[str], types.ModuleType]):
    """As an import of all names would have left it."""
    assert load(_NAMES).defined is sys.modules["package.defined"]


@pytest.mark.parametrize(
    "body", ["from package.defined import *", "from package.defined import One\nONE = One()"]
)
def test_a_module_that_does_more_is_executed(load: Callable[[str], types.ModuleType], body: str):
    package = load(body)
    assert "package.defined" in sys.modules
    assert package.One is sys.modules["package.defined"].One


_LATE = """
from library import base

def used():
    return 1

class Late(base.Base):
    value = used()
"""


@pytest.fixture(name="define")
def _define(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], types.ModuleType]]:
    """Write a module that imports `library`, and load it."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "base.py").write_text("class Base: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def define(body: str) -> types.ModuleType:
        (tmp_path / "definitions.py").write_text(body)
        spec = importlib.machinery.PathFinder.find_spec("definitions", [str(tmp_path)])
        assert spec is not None
        lazy_names.define_late(spec, "library")
        module = importlib.util.module_from_spec(spec)
        assert spec.loader is not None
        spec.loader.exec_module(module)
        return module

    yield define
    for name in [name for name in sys.modules if name.partition(".")[0] == "library"]:
        del sys.modules[name]


def test_a_class_is_defined_when_it_is_asked_for(define: Callable[[str], types.ModuleType]):
    module = define(_LATE)
    assert module.used() == 1
    assert not hasattr(module, "no_such_name")
    assert "library" not in sys.modules

    late = module.Late
    assert (late.value, late.__mro__[1], module.Late) == (1, sys.modules["library.base"].Base, late)
    assert late.__module__ == "definitions"


def test_a_module_that_needs_the_library_at_once_has_it(define: Callable[[str], types.ModuleType]):
    module = define(_LATE + "\nmade = Late()\n")
    assert isinstance(module.made, sys.modules["library.base"].Base)
