"""Where the worker of a node is forked from: what it needs loaded, and whose code it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from headrace.usercode import module_files, sources

# What the worker server has loaded, or loads in no time: TFX's authoring side and what that stands on.
_LIGHT = ("absl", "attr", "google.protobuf", "headrace", "ml_metadata", "tfx")
_HEAVY = ("tfx.components", "tfx.extensions", "tfx.types.standard_component_specs", "tfx.v1.components")
_STOCK = ("tfx.components.", "tfx.extensions.")


def users_file(class_path: str, main_path: str, module_path: str) -> str:
    """Return the file of the user's code that holds a class; empty where a library holds it, or this process has not
    read it.

    Args:
        class_path: Dotted path of the class.
        main_path: The script behind a `__main__` class path.
        module_path: The file of the class's module, where that was loaded by its path.
    """
    module = class_path.rpartition(".")[0]
    if module_path or module == "__main__":
        return module_path or main_path
    if module.startswith(("headrace.components.", "tfx.")):
        return ""
    path = getattr(sys.modules.get(module), "__file__", None) or ""
    return path if path.endswith(".py") and module_files.is_followed(path) else ""


def heavy_libraries(path: str) -> list[str]:
    """Return what a file of the user's code, which this process has read, imports that the worker server has not."""
    return [name for name in sources.loaded_libraries(path) if _is_heavy(name)]


def script_libraries(class_paths: Iterable[str]) -> tuple[str, ...]:
    """Return what a script loads beside its imports, because it makes a pipeline of components with such executors."""
    is_stock = any(path.startswith(_STOCK) for path in class_paths)
    return ("tensorflow", "apache_beam") if is_stock else ()


def _is_heavy(name: str) -> bool:
    def is_in(packages: tuple[str, ...]) -> bool:
        return any(name == package or name.startswith(f"{package}.") for package in packages)

    return is_in(_HEAVY) or not is_in(_LIGHT)
