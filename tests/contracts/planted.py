"""Modules looked at anew, so that a form planted in a library is met as at the start of a process."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest


def anew(module: ModuleType) -> ModuleType:
    """Execute a module's file again beside it: what it looks up is compared with what there is now.

    Raises:
        UnknownForm: If the module needs what is not there.
    """
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_anew", str(module.__file__))
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@contextlib.contextmanager
def fresh(*packages: str) -> Iterator[None]:
    """Let the modules of packages be imported anew inside this context; afterwards the former ones are back."""
    before = {name: module for name, module in sys.modules.items() if _is_in(name, packages)}
    parents = {
        package: sys.modules[package.rpartition(".")[0]]
        for package in packages
        if package.rpartition(".")[0] in sys.modules
    }
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_in(name, packages)]:
            del sys.modules[name]
        sys.modules.update(before)
        for package, parent in parents.items():
            if package in before:
                setattr(parent, package.rpartition(".")[2], before[package])


def _is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def executor_of(component: str) -> ModuleType:
    """Import a component's executor; inside `fresh`, anew."""
    return importlib.import_module(f"headrace.components.{component}.executor")


def plant(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, planted: Any) -> None:
    """Put something else in the place of a part of a library; nothing where it is `None`."""
    if planted is None:
        monkeypatch.delattr(owner, name)
    else:
        monkeypatch.setattr(owner, name, planted)
