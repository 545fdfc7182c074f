"""The text or path that an expression stands for, as far as reading the code tells.

Read are constants, `__file__`, names that are bound once in the function, the module, or the project's module that
they are imported from, attributes of classes, defaults of arguments, and the functions of `os.path` and `pathlib`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence

from headrace.usercode import parsed_modules
from headrace.usercode.module_files import absolute_name, find_module, import_folder, is_followed
from headrace.usercode.module_parts import Module
from headrace.usercode.statements import Imported
from headrace.usercode.syntax_trees import FUNCTIONS, class_values, dotted_name

_MAX_DEPTH = 20
_SAME = {"abspath", "realpath", "normpath", "expanduser", "fspath", "str", "resolve", "absolute", "as_posix"}
_OF_OS = {"pardir": os.pardir, "curdir": os.curdir, "sep": os.sep}
_JOINS = ("join", "joinpath", "Path", "PurePath", "PosixPath")


class Values:
    """Reads the expressions of one statement of a module."""

    def __init__(self, module: Module, node: ast.AST, dotted: str = "") -> None:
        self._module = module
        self._dotted = dotted
        self._locals: dict[str, ast.expr | None] = {}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign) and len(inner.targets) == 1:
                if isinstance(inner.targets[0], ast.Name):
                    self._bind(inner.targets[0].id, inner.value)
            elif isinstance(inner, (*FUNCTIONS, ast.Lambda)):
                for name, default in _defaults(inner.args):
                    self._bind(name, default)

    def _bind(self, name: str, value: ast.expr) -> None:
        # What is bound twice has no one value.
        self._locals[name] = None if name in self._locals else value

    def value(self, node: ast.AST, depth: int = 0) -> str | None:
        """The text or path that an expression stands for; `None` where it takes more than reading to tell."""
        if depth > _MAX_DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self._named(node.id, depth)
        if isinstance(node, ast.JoinedStr):
            return self._joined(node.values, "", depth)
        if isinstance(node, ast.FormattedValue):
            return self.value(node.value, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            return self._joined(
                [node.left, node.right], os.sep if isinstance(node.op, ast.Div) else "", depth
            )
        if isinstance(node, ast.Attribute):
            return self._attribute(node, depth)
        if isinstance(node, ast.Subscript):
            return self._parents(node, depth)
        return self._called(node, depth) if isinstance(node, ast.Call) else None

    def local(self, name: str) -> ast.expr | None:
        """What the statement binds a name to; `None` where it is bound elsewhere or more than once."""
        return self._locals.get(name)

    def _named(self, name: str, depth: int) -> str | None:
        if name == "__file__":
            return os.path.abspath(self._module.path)
        if name in self._locals:
            value = self._locals[name]
            return None if value is None else self.value(value, depth + 1)
        bound = self._module.bindings.get(name, [])
        if len(bound) != 1:
            return None
        node = bound[0].node
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            return self.value(node.value, depth + 1) if node.value else None
        imported = self._module.imports.get(name, [])
        if len(imported) == 1 and imported[0].name:
            return self._elsewhere(imported[0], [], depth)
        return None

    def _elsewhere(self, imported: Imported, wanted: Sequence[str], depth: int) -> str | None:
        """The value of a name of another module of the project; `wanted` are attributes of what is imported."""
        target = absolute_name(imported.module, self._dotted, self._module.path)
        names = [*([imported.name] if imported.name else []), *wanted]
        folder = import_folder(self._module.path, self._dotted)
        while len(names) > 1 and find_module(f"{target}.{names[0]}", folder):
            target = f"{target}.{names.pop(0)}"
        file = find_module(target, folder)
        if len(names) != 1 or depth > _MAX_DEPTH or file is None or not file.endswith(".py"):
            return None
        if not is_followed(file):
            return None
        module = parsed_modules.read_now(file)
        return Values(module, ast.Pass(), target)._named(names[0], depth + 1)  # noqa: SLF001 - of this class

    def _attribute(self, node: ast.Attribute, depth: int) -> str | None:
        """`path.parent`, `Class.name`, `module.NAME`."""
        if node.attr == "parent":
            value = self.value(node.value, depth + 1)
            return None if value is None else os.path.dirname(os.path.abspath(value))
        if node.attr in _OF_OS and dotted_name(node.value) in ("os", "os.path"):
            return _OF_OS[node.attr]
        root, *attributes = dotted_name(node).split(".")
        imported = self._module.imports.get(root, [])
        if len(imported) == 1 and all(name.isidentifier() for name in attributes):
            return self._elsewhere(imported[0], attributes, depth)
        bound = self._module.bindings.get(root, [])
        if len(attributes) != 1 or len(bound) != 1 or not isinstance(bound[0].node, ast.ClassDef):
            return None
        values = class_values(bound[0].node)
        return self.value(values[attributes[0]], depth + 1) if attributes[0] in values else None

    def _joined(self, nodes: list[ast.expr], separator: str, depth: int) -> str | None:
        values = [self.value(node, depth + 1) for node in nodes]
        texts = [value for value in values if value is not None]
        if len(texts) < len(values):
            return None
        return os.path.join(*texts) if separator else "".join(texts)

    def _parents(self, node: ast.Subscript, depth: int) -> str | None:
        """`path.parents[1]`."""
        if not (isinstance(node.value, ast.Attribute) and node.value.attr == "parents"):
            return None
        value = self.value(node.value.value, depth + 1)
        if value is None or not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
            return None
        for _ in range(node.slice.value + 1):
            value = os.path.dirname(os.path.abspath(value))
        return value

    def _called(self, call: ast.Call, depth: int) -> str | None:
        name = dotted_name(call.func).rpartition(".")[2]
        if name in ("getcwd", "cwd") and not call.args:
            return os.getcwd()
        given = list(call.args)
        is_method = isinstance(call.func, ast.Attribute) and not _is_os_path(call.func)
        if is_method and name in ("joinpath", "with_name", "with_suffix", *_SAME):
            assert isinstance(call.func, ast.Attribute)
            given.insert(0, call.func.value)
        if not given or call.keywords:
            return None
        if name in _JOINS:
            return None if name == "join" and is_method else self._joined(given, os.sep, depth)
        if name in ("with_name", "with_suffix") and len(given) == 2:
            base, end = (self.value(one, depth + 1) for one in given)
            if base is None or end is None:
                return None
            return os.path.join(os.path.dirname(base), end) if name == "with_name" else _stem(base) + end
        value = self.value(given[0], depth + 1) if len(given) == 1 and name in (*_SAME, "dirname") else None
        if value is None:
            return None
        return os.path.dirname(value) if name == "dirname" else os.path.expanduser(value)


def _defaults(arguments: ast.arguments) -> list[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    found = list(zip(reversed(positional), reversed(arguments.defaults)))
    found += [(one, default) for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults) if default]
    return [(one.arg, default) for one, default in found]


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _is_os_path(function: ast.Attribute) -> bool:
    return dotted_name(function.value).split(".")[-1] in ("path", "os", "osp")
