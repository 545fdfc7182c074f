"""Code that may reach what it does not name: `exec`, `globals()`, imports by a name that is computed."""

from __future__ import annotations

import ast

from headrace.usercode.module_parts import Module, Part
from headrace.usercode.syntax_trees import dotted_name

_NAMES = frozenset({"exec", "eval", "globals", "__import__", "__loader__", "__spec__"})
_CHAINS = ("sys.modules", "importlib.", "runpy.", "inspect.getmodule", "pkgutil.")
_MODULES = ("importlib", "runpy", "pkgutil")
_IMPORTERS = ("import_module", "__import__", "spec_from_file_location")


def is_dynamic(module: Module, part: Part) -> bool:
    """Whether a part of a module may reach what it does not name."""
    if part.needs & _NAMES or any(f"{chain}.".startswith(_CHAINS) for chain in part.chains):
        return True
    if any(imported.module in _MODULES for _, imported in part.imports):
        return True
    return any(
        imported.module in ("runpy", "pkgutil")
        or (imported.module == "importlib" and imported.name in ("import_module", "reload", "util"))
        for name in part.needs
        for imported in module.imports.get(name, ())
    )


def imports_anything(module: Module) -> bool:
    """Whether a module imports others by names that it computes."""
    return any(
        isinstance(node, ast.Call)
        and dotted_name(node.func).rpartition(".")[2] in _IMPORTERS
        and not (node.args and isinstance(node.args[0], ast.Constant))
        for part in module.parts or ()
        for node in ast.walk(part.node)
    )
