"""User functions without a file of their own: those of notebook cells, kept as files that workers import.

A function of a cell is written to `cells/{digest}.py` in the store, with what it needs from the other cells:
imports, constants, functions and classes. The file holds nothing else, so its digest, and with it the cache
key, changes when one of these changes, and not when another cell does.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import secrets
import sys
import textwrap
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from headrace.errors import UserFunctionError
from headrace.usercode import definitions

_DEFAULT_FOLDER = os.path.join(".headrace", "cells")
_folder: str | None = None
_kept: dict[Any, str] = {}
# The texts of the files that this process has named, by path.
_texts: dict[str, str] = {}


def use_folder(path: str) -> None:
    """Keep the functions of `__main__` in this folder from now on, also those of a plain script.

    An interactive script must not be imported by workers as it is: it would start its components again.
    """
    global _folder
    _folder = os.path.abspath(path)


def folder() -> str:
    """Return the folder that holds the files."""
    return _folder or os.path.abspath(_DEFAULT_FOLDER)


def is_needed(function: Callable[..., Any]) -> bool:
    """Whether a function of `__main__` must be kept aside: a worker cannot import it where it is defined."""
    if _folder is not None:
        return True
    path = inspect.getsourcefile(function)
    return path is None or not os.path.isfile(path)


def keep_function(function: Callable[..., Any]) -> str:
    """Keep one function of `__main__`; return `file.py:function`. See `keep`."""
    name = function.__name__
    _kept[function] = f"{keep([name], name)}:{name}"
    return _kept[function]


def kept_text(function: Callable[..., Any]) -> str:
    """Return what `keep_function` returned for a function when a component was made of it."""
    return moved_here(_kept.get(function) or keep_function(function))


def keep(names: Sequence[str], where: str) -> str:
    """Write what `__main__` defines under `names`, with all that it needs, to a file; return its path.

    Args:
        names: Functions or classes.
        where: What needs them, for messages.

    Raises:
        UserFunctionError: If the source of one of them, or of something it needs, is not known.
    """
    text = source(names, where)
    return _write(folder(), text)


def is_kept(path: str) -> bool:
    """Whether this process wrote a file to keep a function in."""
    return path in _texts


def moved_here(text: str) -> str:
    """Return a parameter's text with the files that it names in the folder of now.

    Of two sessions in one process each has a folder, and a component does not say for which it is made.
    """
    for path in [path for path in _texts if path in text]:
        text = text.replace(path, _write(folder(), _texts[path]))
    return text


def _write(folder_path: str, text: str) -> str:
    path = os.path.join(folder_path, f"cell_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py")
    if not os.path.isfile(path):
        os.makedirs(folder_path, exist_ok=True)
        aside = f"{path}.{os.getpid()}-{secrets.token_hex(4)}"
        with open(aside, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(aside, path)
    _texts[path] = text
    return path


def source(names: Sequence[str], where: str) -> str:
    """Return the text of a module that defines `names` as `__main__` defines them now.

    Raises:
        UserFunctionError: See `keep`.
    """
    values = vars(sys.modules["__main__"])
    missing = [name for name in names if name not in values]
    if missing:
        raise UserFunctionError(
            f"{where}: '{missing[0]}' is not defined at the top level of a cell.",
            "run the cell that defines it, at its top level and under this name.",
        )
    collected = _Collection(values, cell_texts(values), where)
    for name in names:
        collected.add(name, f"'{name}'")
    return collected.text()


def cell_texts(values: dict[str, Any]) -> list[str]:
    """Return the texts that made up `__main__`, oldest first: a session's cells, or a script's file."""
    cells = values.get("In")
    if isinstance(cells, list):
        return [definitions.without_cell_magic(str(cell)) for cell in cells]
    path = values.get("__file__")
    if isinstance(path, str) and os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            return [file.read()]
    return []


class _Collection:
    """The definitions found so far, each after what it needs."""

    def __init__(self, values: dict[str, Any], texts: Sequence[str], where: str) -> None:
        self._values = values
        self._bindings = definitions.find_bindings(texts)
        self._where = where
        self._imports: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self._has_future_annotations = False

    def add(self, name: str, user: str) -> None:
        """Add the definition of a global name, and what it needs; `user` says what asks for it."""
        if name in self._imports or name in self._definitions:
            return
        value = self._values[name]
        binding = self._bindings.get(name)
        imported = self._import_line(name, value, binding)
        if imported:
            self._imports[name] = imported
            return
        text = self._definition(name, value, binding)
        if text is None:
            raise UserFunctionError(
                f"{self._where}: {user} uses '{name}', of type {type(value).__name__}, whose source is not known: "
                "no cell defines it at its top level.",
                f"define {name} in a cell as `{name} = ...`, or inside the function, or write the function to "
                "a file with %%writefile and name it 'file.py:function'.",
            )
        # Entered before what it needs: functions may call each other.
        self._definitions[name] = ""
        for needed in definitions.free_names(text):
            if needed in self._values and not needed.startswith("__"):
                self.add(needed, f"'{name}'")
        del self._definitions[name]
        self._definitions[name] = text

    def text(self) -> str:
        """Return the module."""
        imports = sorted(set(self._imports.values()), key=lambda line: (line.startswith("from "), line))
        if self._has_future_annotations:
            imports.insert(0, "from __future__ import annotations\n")
        parts = ["\n".join(imports), *self._definitions.values()]
        return "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"

    def _import_line(self, name: str, value: Any, binding: definitions.Binding | None) -> str:
        """How the value comes in from a module; empty where `__main__` itself defines it."""
        if binding is not None and binding.is_import:
            return binding.text
        if inspect.ismodule(value):
            return definitions.import_module_line(value.__name__, name)
        module = getattr(value, "__module__", None)
        if callable(value) and module not in (None, "__main__") and binding is None:
            own_name = getattr(value, "__qualname__", "")
            if getattr(sys.modules.get(module), own_name, None) is value:
                return f"from {module} import {own_name}" + ("" if own_name == name else f" as {name}")
        return ""

    def _definition(self, name: str, value: Any, binding: definitions.Binding | None) -> str | None:
        if inspect.isfunction(value) and value.__module__ == "__main__":
            text = self._function_text(value, name)
            if text is not None:
                return text
        if binding is not None and definitions.is_same_value(binding, value):
            return binding.text
        literal = definitions.literal_text(value)
        if literal is not None:
            return f"{name} = {literal}"
        return binding.text if binding is not None else None

    def _function_text(self, function: Any, name: str) -> str | None:
        """The source of a function as it is now, even where a later cell failed to redefine it."""
        code: CodeType = inspect.unwrap(function).__code__
        try:
            text = textwrap.dedent(inspect.getsource(function))
            tree = ast.parse(text)
        except (OSError, TypeError, SyntaxError):
            return None
        first = tree.body[0] if tree.body else None
        if not isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)) or first.name != name:
            # A lambda or a renamed function: the statement that binds the name says how.
            return None
        if code.co_flags & definitions.FUTURE_ANNOTATIONS:
            self._has_future_annotations = True
        return text
