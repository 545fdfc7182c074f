"""What user code is made of, as part of the cache key: a function, and all that it uses.

Read from the syntax trees, beginning with the function's own definition: the globals, functions and classes that it
names, those which these name, in its own file and in the project's other modules; what a module does when it is
loaded, such as setting a seed; data files and environment variables that are named there; and the installed
libraries that it comes to. Comments, formatting, and what else the files hold do not count. Where code may reach
what it does not name (`exec`, `globals()`, an import by a computed name, `import *`), the whole file counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from headrace.usercode import deep_trees, functions, module_files, parsed_modules
from headrace.usercode.code_walk import WHOLE, Walk
from headrace.usercode.module_files import is_followed, is_project_file
from headrace.usercode.usage import Usage, text_of

__all__ = ["Usage", "function_usage", "loaded_libraries", "text_of", "top_level_names", "usage"]


def usage(path: str, module: str = "", names: Sequence[str] = ()) -> Usage:
    """Return what functions or classes of a file use.

    Args:
        path: A Python file.
        module: Its dotted name where it has one, to resolve relative imports.
        names: The functions or classes; all that the file holds where none is given or one is not in it.
    """
    path = os.path.abspath(path)
    module_files.look_again()
    return deep_trees.with_room(lambda: _walked(path, module, names or (WHOLE,)))


def _walked(path: str, module: str, names: Sequence[str]) -> Usage:
    walk = Walk(path)
    for name in names:
        walk.need(path, module, name, ())
    return walk.result()


def function_usage(text: str, where: str) -> Usage:
    """Return what a user function uses, given in any form that `functions.parse` reads.

    Of a function in a module without a source file only the module's name is known.
    """
    reference = functions.parse(text)
    path = functions.source_path(reference, where)
    module = "" if reference.is_file else reference.place
    if path is None:
        return Usage(libraries={module})
    if not is_followed(path):
        return Usage(libraries={module}) if module else usage(path)
    return usage(path, module, [reference.name])


def top_level_names(path: str) -> frozenset[str]:
    """Return the names that a file binds at its top level."""
    return frozenset(parsed_modules.read_now(os.path.abspath(path)).bindings)


def loaded_libraries(path: str) -> list[str]:
    """Return the installed modules, beside the standard library, that a file imports and this process has loaded.

    What the project's other modules import counts with it.
    """
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [os.path.abspath(path)]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name, origin in _imported_files(file).items():
            if not is_project_file(origin):
                found[name] = None
            elif is_followed(origin) and origin.endswith(".py"):
                waiting.append(os.path.abspath(origin))
    return list(found)


def _imported_files(path: str) -> dict[str, str]:
    """The modules that a file imports and this process has loaded, and their files."""
    parts = parsed_modules.read_now(path).parts or ()
    imported = {
        name for part in parts for _, one in part.imports for name in (one.loads, f"{one.loads}.{one.name}")
    }
    installed = sorted(name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names)
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in installed}
    return {name: file for name, file in files.items() if file}
