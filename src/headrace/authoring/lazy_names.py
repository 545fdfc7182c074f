"""Names of modules that come into being when they are asked for.

`tfx.v1` only names what other modules define. Its body imports all of TFX, 15 s of it, so that a file may name one
decorator. Read as syntax instead of being executed, it tells where each name comes from, and costs a millisecond.
Other modules import much for one class that hardly anybody uses.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any, TypeGuard


@dataclass(frozen=True)
class _Place:
    """Where a name comes from; what is optional is left out where it cannot be imported."""

    module: str
    attribute: str
    is_optional: bool


def load_lazily(spec: importlib.machinery.ModuleSpec, before: Callable[[], None]) -> None:
    """Let a module that only names what others define import each name on its first use.

    A module that does more than that is executed as it stands.

    Args:
        spec: The module's; its loader is changed.
        before: Called when the module is imported, ahead of it.
    """
    loader = spec.loader
    if not isinstance(loader, importlib.abc.InspectLoader):
        return
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        before()
        tree = ast.parse(loader.get_source(spec.name) or "")
        places = _places(tree.body)
        if places is None:
            execute(module)
        else:
            _fill(module, ast.get_docstring(tree), places)

    loader.exec_module = exec_module  # type: ignore[method-assign]


def define_late(spec: importlib.machinery.ModuleSpec, package: str) -> None:
    """Let a module define the classes that derive from a package's when one of them is asked for, or the package.

    A module that needs the package for something else is executed as it stands.

    Args:
        spec: The module's; its loader is changed.
        package: The package, which the module imports at its top level.
    """
    loader = spec.loader
    if not isinstance(loader, importlib.abc.InspectLoader):
        return
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        tree = ast.parse(loader.get_source(spec.name) or "")
        late = [node for node in tree.body if _imports_from(node, package)]
        names = {alias.asname or alias.name for node in late for alias in node.names}
        late_classes = [
            node for node in tree.body if isinstance(node, ast.ClassDef) and names & _names_in(*node.bases)
        ]
        names |= {node.name for node in late_classes}
        others = [node for node in tree.body if node not in late and node not in late_classes]
        if names & _names_in(*others) or any(_imports_from(node, "__future__") for node in others):
            execute(module)
            return
        values = vars(module)

        def get(name: str) -> Any:
            if name not in names:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            exec(_compiled([*late, *late_classes], spec), values)
            return values[name]

        exec(_compiled(others, spec), values)
        values["__getattr__"] = get

    loader.exec_module = exec_module  # type: ignore[method-assign]


def _imports_from(node: ast.stmt, package: str) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package


def _names_in(*nodes: ast.AST) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _compiled(body: list[ast.stmt], spec: importlib.machinery.ModuleSpec) -> CodeType:
    return compile(ast.Module(body, type_ignores=[]), spec.origin or spec.name, "exec", dont_inherit=True)


def _places(body: Iterable[ast.stmt], is_optional: bool = False) -> dict[str, _Place] | None:
    """Where the names of a module come from; `None` where it does more than name them."""
    found: dict[str, _Place] = {}
    for node in body:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = _Place(node.module, alias.name, is_optional)
        elif isinstance(node, ast.Try) and not (node.orelse or node.finalbody):
            inner = _places(node.body, is_optional=True)
            if inner is None:
                return None
            found.update(inner)
        elif not _is_said_of_module(node):
            return None
    return None if "*" in found else found


def _is_said_of_module(node: ast.stmt) -> bool:
    """Whether a statement is a text, or the list of what is public, which is all that is named."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def _fill(module: ModuleType, text: str | None, places: dict[str, _Place]) -> None:
    values = vars(module)

    def get(name: str) -> Any:
        if name not in places:
            return get_unknown(name)
        place = places[name]
        try:
            values[name] = _imported(place, module.__name__)
        except ImportError as error:
            if not place.is_optional:
                raise
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}: {error}") from error
        return values[name]

    def get_unknown(name: str) -> Any:
        if not name.startswith("_"):
            # Modules that are imported on the way become attributes too.
            for other in places:
                getattr(module, other, None)
            if name in values:
                return values[name]
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*values, *places})

    values.update(
        __doc__=text,
        __all__=[name for name in places if not name.startswith("_")],
        __getattr__=get,
        __dir__=names,
    )


def _imported(place: _Place, importer: str) -> Any:
    if place.module == importer:
        return importlib.import_module(f"{importer}.{place.attribute}")
    module = importlib.import_module(place.module)
    try:
        return getattr(module, place.attribute)
    except AttributeError:
        return importlib.import_module(f"{place.module}.{place.attribute}")
