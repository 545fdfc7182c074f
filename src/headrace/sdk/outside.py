"""What a piece of code takes from outside of itself: data files and environment variables that it names.

A file counts where a constant, or an expression made of constants, `__file__`, and the functions of `os.path` and
`pathlib`, names it. A folder or a pattern counts where it is given to something that lists or loads.
"""

from __future__ import annotations

import ast
import glob
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from headrace.sdk.module_parts import Module, Part

_MAX_PATH_LENGTH = 1024
_MAX_DEPTH = 20
_LISTS = re.compile(
    r"(list|walk|scan|glob|load|restore|from_dir|read|matching|_dir|hub|folder)", re.IGNORECASE
)
_GLOBS = re.compile(r"(glob|matching|list_files|read|Dataset)", re.IGNORECASE)
_WRITES = re.compile(
    r"^(save\w*|savefig|imsave|dump|export\w*|write\w*|to_(csv|json|parquet|pickle|excel|html|feather)|"
    r"make_?dirs?|mkdir|remove|unlink|rmtree|rename|replace|FileHandler|TensorBoard|CSVLogger|ModelCheckpoint|"
    r"print|debug|info|warning|error|exception)$"
)
_SAME = {"abspath", "realpath", "normpath", "expanduser", "fspath", "str", "resolve", "absolute", "as_posix"}
# Their values are secrets that are renewed, and stand for the same access.
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|_KEY$", re.IGNORECASE)


@dataclass(frozen=True)
class Outside:
    """What code takes from outside.

    Attributes:
        paths: Files that exist now.
        environment: Names of environment variables.
        reads_arguments: Whether it reads the command line of its process.
    """

    paths: frozenset[str]
    environment: frozenset[str]
    reads_arguments: bool


def look(module: Module, part: Part) -> Outside:
    """Return what one part of a module takes from outside."""
    found = _Reader(module, part)
    return Outside(
        frozenset(os.path.abspath(path) for path in found.paths()),
        frozenset(found.environment()),
        any(
            chain in ("sys.argv", "FLAGS", "flags.FLAGS")
            or chain.startswith(("FLAGS.", "flags.FLAGS.", "sys.argv."))
            for chain in part.chains
        )
        or any(
            isinstance(node, ast.Attribute) and node.attr in ("parse_args", "parse_known_args")
            for node in ast.walk(part.node)
        ),
    )


def environment_digest(name: str) -> str:
    """Return what stands for the value of an environment variable; the value itself is not recorded."""
    value = os.environ.get(name)
    if value is None:
        return ""
    return "set" if _SECRET.search(name) else hashlib.sha256(value.encode()).hexdigest()[:16]


class _Reader:
    def __init__(self, module: Module, part: Part) -> None:
        self._module = module
        self._node = part.node
        self._locals: dict[str, ast.expr | None] = {}
        for node in ast.walk(part.node):
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
            ):
                name = node.targets[0].id
                # What is bound twice has no one value.
                self._locals[name] = None if name in self._locals else node.value

    def environment(self) -> Iterator[str]:
        for node in ast.walk(self._node):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
                named = node.slice
            elif isinstance(node, ast.Call) and node.args and _is_environment_call(ast.unparse(node.func)):
                named = node.args[0]
            else:
                continue
            name = self._value(named)
            if name:
                yield name

    def paths(self) -> Iterator[str]:
        yield from self._paths(self._node, "")

    def _paths(self, node: ast.AST, reader: str) -> Iterator[str]:
        """The files named below a node; `reader` is the function that an expression is given to."""
        if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
            value = self._value(node)
            if value is not None:
                yield from self._existing(value, reader)
                return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Call):
            yield from self._paths_of_call(node)
            return
        for child in ast.iter_child_nodes(node):
            yield from self._paths(
                child, reader if isinstance(node, (ast.List, ast.Tuple, ast.Starred)) else ""
            )

    def _paths_of_call(self, call: ast.Call) -> Iterator[str]:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        if _WRITES.match(name) or (name == "open" and _opens_to_write(call)):
            return
        base = self._value(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if base is not None:
            if name in ("glob", "rglob") and call.args:
                deep = "**" if name == "rglob" else ""
                yield from self._existing(os.path.join(base, deep, self._value(call.args[0]) or "*"), name)
                return
            yield from self._existing(base, name)
        elif isinstance(call.func, ast.Attribute):
            yield from self._paths(call.func.value, "")
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            if isinstance(argument, ast.Name):
                value = self._value(argument)
                if value is not None:
                    yield from self._existing(value, name)
            else:
                yield from self._paths(argument, name)

    def _existing(self, text: str, reader: str) -> Iterator[str]:
        if not text or len(text) > _MAX_PATH_LENGTH or "\n" in text or "\0" in text or "://" in text:
            return
        for base in dict.fromkeys((os.getcwd(), os.path.dirname(os.path.abspath(self._module.path)))):
            path = os.path.join(base, text)
            if os.path.isfile(path):
                yield path
            elif os.path.isdir(path):
                if _LISTS.search(reader):
                    yield from _files_below(path)
            elif glob.has_magic(text) and _GLOBS.search(reader):
                yield from (name for name in glob.glob(path, recursive=True) if os.path.isfile(name))

    def _value(self, node: ast.AST, depth: int = 0) -> str | None:
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
            return self._value(node.value, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            return self._joined(
                [node.left, node.right], os.sep if isinstance(node.op, ast.Div) else "", depth
            )
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            value = self._value(node.value, depth + 1)
            return None if value is None else os.path.dirname(os.path.abspath(value))
        if isinstance(node, ast.Subscript):
            return self._parents(node, depth)
        return self._called(node, depth) if isinstance(node, ast.Call) else None

    def _named(self, name: str, depth: int) -> str | None:
        if name == "__file__":
            return os.path.abspath(self._module.path)
        if name in self._locals:
            value = self._locals[name]
            return None if value is None else self._value(value, depth + 1)
        bound = self._module.bindings.get(name, [])
        if len(bound) != 1 or not isinstance(bound[0].node, (ast.Assign, ast.AnnAssign)):
            return None
        return self._value(bound[0].node.value, depth + 1) if bound[0].node.value else None

    def _joined(self, nodes: list[ast.expr], separator: str, depth: int) -> str | None:
        values = [self._value(node, depth + 1) for node in nodes]
        texts = [value for value in values if value is not None]
        if len(texts) < len(values):
            return None
        return os.path.join(*texts) if separator else "".join(texts)

    def _parents(self, node: ast.Subscript, depth: int) -> str | None:
        """`path.parents[1]`."""
        if not (isinstance(node.value, ast.Attribute) and node.value.attr == "parents"):
            return None
        value = self._value(node.value.value, depth + 1)
        if value is None or not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
            return None
        for _ in range(node.slice.value + 1):
            value = os.path.dirname(os.path.abspath(value))
        return value

    def _called(self, call: ast.Call, depth: int) -> str | None:
        name = ast.unparse(call.func).rpartition(".")[2]
        if name in ("getcwd", "cwd") and not call.args:
            return os.getcwd()
        given = list(call.args)
        if (
            isinstance(call.func, ast.Attribute)
            and name in ("joinpath", *_SAME)
            and not _is_os_path(call.func)
        ):
            given.insert(0, call.func.value)
        if not given or call.keywords:
            return None
        if name in ("join", "joinpath", "Path", "PurePath", "PosixPath"):
            if name == "join" and isinstance(call.func, ast.Attribute) and not _is_os_path(call.func):
                return None
            return self._joined(given, os.sep, depth)
        value = self._value(given[0], depth + 1) if len(given) == 1 and name in (*_SAME, "dirname") else None
        if value is None:
            return None
        return os.path.dirname(value) if name == "dirname" else os.path.expanduser(value)


def _is_os_path(function: ast.Attribute) -> bool:
    return ast.unparse(function.value).split(".")[-1] in ("path", "os", "osp")


def _is_environment_call(function: str) -> bool:
    return function in ("os.getenv", "getenv", "os.environ.get", "environ.get", "os.environ.setdefault")


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    if not call.args:
        return False
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(mode[:1] in ("w", "a", "x") for mode in texts)


def _files_below(folder: str) -> Iterator[str]:
    """The files of a folder and its subfolders but hidden ones and what Python keeps."""
    for place, subfolders, names in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if name[0] != "." and name != "__pycache__")
        yield from (os.path.join(place, name) for name in sorted(names) if name[0] != ".")
