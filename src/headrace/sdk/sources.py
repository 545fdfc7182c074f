"""Source files as part of the cache key: a function's file and the project modules it imports."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping

from headrace.sdk import functions

_PACKAGE_PATH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@functools.cache
def _library_paths() -> tuple[str, ...]:
    paths = {sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths.update(site.getsitepackages())
    return tuple(os.path.realpath(path) + os.sep for path in paths)


def is_project_file(path: str) -> bool:
    """Whether a file belongs to the user's project or to Headrace, not to an installed library."""
    if os.path.abspath(path).startswith(_PACKAGE_PATH + os.sep):
        return True
    return not os.path.realpath(path).startswith(_library_paths())


def closure(path: str, module: str = "") -> dict[str, str]:
    """Return the sources a file depends on: itself and the project modules it imports, directly or not.

    Args:
        path: A Python file.
        module: Its dotted name where it has one, to resolve relative imports.

    Returns:
        Path of each file, and the SHA-256 of its text.
    """
    found: dict[str, str] = {}
    waiting = [(os.path.abspath(path), module)]
    while waiting:
        current, name = waiting.pop()
        if current in found:
            continue
        digest, imported = _read(current, os.stat(current).st_mtime_ns, name)
        found[current] = digest
        for target in imported:
            file = _module_file(target, os.path.dirname(current))
            if file is not None and is_project_file(file):
                waiting.append((os.path.abspath(file), target))
    return found


def digest(path: str, module: str = "") -> str:
    """Return one digest for a file and the project modules it imports; moving the folder keeps it."""
    return combined_digest(closure(path, module))


def combined_digest(found: Mapping[str, str]) -> str:
    """Return one digest for what `closure` found: of the texts, not of where they lie."""
    return hashlib.sha256("\n".join(sorted(found.values())).encode()).hexdigest()


def function_closure(text: str, where: str) -> dict[str, str]:
    """Return the sources of a user function, given in any form `functions.parse` reads; see `closure`.

    A function of a module without a source file has none.
    """
    reference = functions.parse(text)
    path = functions.source_path(reference, where)
    if path is None:
        return {}
    return closure(path, "" if reference.is_file else reference.place)


def loaded_libraries(path: str) -> list[str]:
    """Return the installed modules, beside the standard library, that a file imports and this process has loaded."""
    _, imported = _read(os.path.abspath(path), os.stat(path).st_mtime_ns, "")
    installed = [name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names]
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in installed}
    return [name for name, file in files.items() if file and not is_project_file(file)]


@functools.lru_cache(maxsize=4096)
def _read(path: str, modified: int, module: str) -> tuple[str, tuple[str, ...]]:
    with open(path, "rb") as file:
        text = file.read()
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return hashlib.sha256(text).hexdigest(), ()
    is_package = os.path.basename(path) == "__init__.py"
    return hashlib.sha256(text).hexdigest(), tuple(sorted(set(_imports(tree, module, is_package))))


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".") if module else []
                kept = len(parts) - node.level + (1 if is_package else 0)
                base = ".".join([*parts[: max(kept, 0)], *([base] if base else [])])
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _module_file(name: str, folder: str) -> str | None:
    """The source file of a module, found without importing it; a neighbour in `folder` comes last."""
    parts = name.split(".")
    for root in _search_paths(parts[0], folder):
        base = os.path.join(root, *parts)
        for path in (f"{base}.py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path):
                return path
    return None


def _search_paths(top: str, folder: str) -> Iterable[str]:
    if top in sys.stdlib_module_names:
        return ()
    roots = [path or os.getcwd() for path in sys.path]
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else _find_top(top)
    if spec is not None and spec.origin and not is_project_file(spec.origin):
        return ()
    return [*roots, folder]


@functools.cache
def _find_top(top: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
