"""Where the modules of a project lie: found by their names, without importing them."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable

_PACKAGE_PATH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_READY_PIPELINES_PATH = os.path.join(_PACKAGE_PATH, "pipelines") + os.sep
_SUFFIXES = (".py", *importlib.machinery.EXTENSION_SUFFIXES)


@functools.cache
def _library_paths() -> tuple[str, ...]:
    paths = {sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths.update(site.getsitepackages())
    return tuple(os.path.realpath(path) + os.sep for path in paths)


def is_project_file(path: str) -> bool:
    """Whether a file belongs to the user's project or to Headrace, not to an installed library."""
    path = os.path.abspath(path)
    return path.startswith(_PACKAGE_PATH + os.sep) or not _is_in_libraries(path)


@functools.lru_cache(maxsize=4096)
def _is_in_libraries(path: str) -> bool:
    # Remembered: it is asked again and again of the same few places, and each link on the way is looked at.
    return os.path.realpath(path).startswith(_library_paths())


def is_followed(path: str) -> bool:
    """Whether what a file uses is read too: of libraries, Headrace among them, the whole counts elsewhere."""
    if path.startswith(_PACKAGE_PATH + os.sep):
        return path.startswith(_READY_PIPELINES_PATH)
    return is_project_file(path)


def look_again() -> None:
    """Forget where modules were found: files may have come and gone."""
    find_module.cache_clear()


@functools.lru_cache(maxsize=4096)
def find_module(name: str, folder: str) -> str | None:
    """The file of a module, found without importing it; a neighbour in `folder` comes last.

    What was found is kept until `look_again`.
    """
    parts = name.split(".")
    if not all(parts):
        return None
    for root in _search_paths(parts[0], folder):
        base = os.path.join(root, *parts)
        for path in (os.path.join(base, "__init__.py"), *(f"{base}{suffix}" for suffix in _SUFFIXES)):
            if os.path.isfile(path):
                return os.path.abspath(path)
    return None


def _search_paths(top: str, folder: str) -> Iterable[str]:
    roots = [path or os.getcwd() for path in sys.path]
    if top in sys.builtin_module_names:
        return ()
    if top in sys.stdlib_module_names:
        # A project's own module of such a name hides the standard library's.
        return [root for root in (*roots, folder) if _is_project_folder(root)]
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else _find_top(top, tuple(sys.path))
    if spec is not None and spec.origin and not is_project_file(spec.origin):
        return ()
    own: list[str] = []
    if spec is not None and spec.origin and os.path.isfile(spec.origin):
        # Installed for editing: found by a hook instead of a path.
        place = os.path.dirname(spec.origin)
        own = [os.path.dirname(place) if spec.submodule_search_locations else place]
    return dict.fromkeys([*roots, *own, folder])


@functools.lru_cache(maxsize=1024)
def _is_project_folder(path: str) -> bool:
    return is_project_file(os.path.join(path, "x.py"))


@functools.cache
def _find_top(top: str, search_path: tuple[str, ...]) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


def absolute_name(name: str, module: str, path: str) -> str:
    """The name of a module that may be written relative to another."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = module.split(".") if module else []
    is_package = os.path.basename(path) == "__init__.py"
    kept = len(parts) - level + (1 if is_package else 0)
    return ".".join([*parts[: max(kept, 0)], *([name[level:]] if name[level:] else [])])


def import_folder(path: str, module: str) -> str:
    """The folder in which a module's neighbours are found: that of its file, or the one its topmost package lies in."""
    is_package = os.path.basename(path) == "__init__.py"
    for _ in range(module.count(".") + (is_package if module else 0)):
        path = os.path.dirname(path)
    return os.path.dirname(path)
