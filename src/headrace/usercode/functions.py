"""User functions, named as `module:function` or `path/to/file.py:function`.

TFX's own two forms are read as well: `module_file` with a function of a fixed name, and a dotted path
`package.module.function`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from headrace.errors import DefinitionError, UserFunctionError, did_you_mean, listed
from headrace.files import addresses
from headrace.usercode import cells, python_files

# Modules loaded by path have such names, which no other process can import.
_FILE_MODULE_PREFIX = "headrace_user_"


class LeaveScript(BaseException):
    """Raised where a script would start its pipeline, while a worker reads it for its definitions."""


@dataclass(frozen=True)
class FunctionReference:
    """A function in a module or in a file.

    Attributes:
        place: Dotted module name, or path of a `.py` file.
        name: The function's name in it.
    """

    place: str
    name: str

    @property
    def is_file(self) -> bool:
        """Whether `place` is a file's path."""
        return self.place.endswith(".py")

    def __str__(self) -> str:
        return f"{self.place}:{self.name}"


def parse(text: str) -> FunctionReference:
    """Read `module:function`, `file.py:function` or `package.module.function`.

    Raises:
        UserFunctionError: If the text has none of these forms.
    """
    place, colon, name = text.rpartition(":")
    if not colon:
        place, _, name = text.rpartition(".")
    if not place or not name.isidentifier():
        raise UserFunctionError(
            f"'{text}' does not name a function.",
            "write 'module:function', such as 'my_project.features:preprocessing_fn'.",
        )
    return FunctionReference(place, name)


def to_text(function: Callable[..., Any] | str) -> str:
    """Return the text form of a function given as an object or as text.

    Functions of a script that was started (`__main__`), or of a file that was loaded by its path, are named
    by their file. Those of a notebook's cells are written to a file of their own first; see `cells`.

    Raises:
        UserFunctionError: If the object is not a function at the top level of a module or file.
    """
    if isinstance(function, str):
        return str(parse(function))
    name = getattr(function, "__qualname__", repr(function))
    module = getattr(function, "__module__", None)
    if module is None or not name.isidentifier():
        raise UserFunctionError(
            f"{name} is not a function at the top level of a module, so a worker process cannot import it.",
            "move it to the top level of a file and give it as 'module:function'.",
        )
    if module != "__main__" and not module.startswith(_FILE_MODULE_PREFIX):
        return f"{module}:{name}"
    if module == "__main__" and cells.is_needed(function):
        return cells.keep_function(function)
    path = inspect.getsourcefile(function)
    if path is None:
        raise UserFunctionError(f"the source file of {name} is not known.", "define it in a file.")
    return f"{os.path.abspath(path)}:{name}"


def check(text: str, where: str) -> None:
    """Check that module and function exist, without importing either.

    Args:
        text: The function, in any form `parse` reads.
        where: Node and parameter for the message, such as `"Transform: preprocessing_fn"`.

    Raises:
        UserFunctionError: If the file, module or function does not exist, naming what does.
    """
    reference = parse(text)
    path = source_path(reference, where)
    if path is None:
        return
    with open(path, "rb") as file:
        try:
            tree = python_files.parse(file.read(), path)
        except DefinitionError as error:
            raise UserFunctionError(f"{where}: {error.problem}", error.fix) from error
    names = _top_level_names(tree)
    if names is not None and reference.name not in names:
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        raise UserFunctionError(
            f"{where}: {path} has no function '{reference.name}'. It has {listed(functions)}.",
            f"{did_you_mean(reference.name, functions)}Correct the name, or define the function.",
        )


def _top_level_names(tree: ast.Module) -> set[str] | None:
    """Names bound at a module's top level; `None` where `import *` or `exec` hides some."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if any(alias.name == "*" for alias in node.names):
                return None
            names.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def source_path(reference: FunctionReference, where: str) -> str | None:
    """Return the source file of `reference`; `None` for a module without one, such as a built-in.

    Raises:
        UserFunctionError: If the file or module does not exist.
        UnsupportedFeatureError: If the file is not on this machine.
    """
    if reference.is_file:
        addresses.local_path(reference.place, where)
        if not os.path.isfile(reference.place):
            raise UserFunctionError(
                f"{where}: there is no file '{reference.place}' (looked in {os.getcwd()}).",
                "correct the path; a relative path starts at the folder where the command runs.",
            )
        return reference.place
    loaded = sys.modules.get(reference.place)
    try:
        spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(reference.place)
    except (ImportError, ValueError) as error:
        spec = None
        cause: Exception | None = error
    else:
        cause = None
    if loaded is not None and spec is None:
        return getattr(loaded, "__file__", None)
    if spec is None:
        raise UserFunctionError(
            f"{where}: there is no module '{reference.place}' on the Python path.",
            "correct its name, or run the command in the folder that holds it.",
        ) from cause
    return spec.origin if spec.origin and os.path.isfile(spec.origin) else None


def load(text: str, where: str) -> Callable[..., Any]:
    """Import the function.

    Raises:
        UserFunctionError: If the file, module or function does not exist. What the module itself raises
            while it is imported passes through: it is the user's own error.
    """
    reference = parse(text)
    source_path(reference, where)
    module = load_module(reference.place)
    try:
        function = getattr(module, reference.name)
    except AttributeError:
        functions = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        raise UserFunctionError(
            f"{where}: '{reference.place}' has no function '{reference.name}'. It has {listed(functions)}.",
            f"{did_you_mean(reference.name, functions)}Correct the name, or define the function.",
        ) from None
    if not callable(function):
        raise UserFunctionError(f"{where}: '{text}' is a {type(function).__name__}, not a function.")
    return function


def load_module(place: str) -> ModuleType:
    """Import a module by name, or by the path of its file.

    A file is imported under a name derived from its path, so that two files of one name stay apart. Its
    folder joins the import path: a module file may import its neighbours, as under TFX.
    """
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = addresses.absolute_path(place, "a module file")
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.append(folder)
    stem = os.path.splitext(os.path.basename(path))[0]
    name = f"{_FILE_MODULE_PREFIX}{hashlib.sha256(path.encode()).hexdigest()[:12]}.{stem}".replace(".", "_")
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserFunctionError(f"'{place}' cannot be imported as Python.", "give a .py file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except LeaveScript:
        # A script that starts its pipeline without asking whether it is the main one: what stands above is defined.
        pass
    except BaseException:
        del sys.modules[name]
        raise
    return module


def file_of_module(name: str) -> str:
    """Return the file behind a name that `load_module` made of a path; empty for a module with its own name."""
    if not name.startswith(_FILE_MODULE_PREFIX):
        return ""
    return getattr(sys.modules.get(name), "__file__", None) or ""
