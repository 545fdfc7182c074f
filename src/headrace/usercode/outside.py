"""What a piece of code takes from outside of itself: data files and environment variables that it names.

A file counts where a constant, or an expression made of constants, `__file__`, and the functions of `os.path` and
`pathlib`, names it. A folder or a pattern counts where it is given to something that lists or loads.
"""

from __future__ import annotations

import ast
import glob
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from headrace.files import payloads
from headrace.usercode import environment_variables, named_destinations, written_files
from headrace.usercode.module_parts import Module, Part
from headrace.usercode.named_destinations import Mentions
from headrace.usercode.syntax_trees import dotted_name
from headrace.usercode.text_patterns import texts_in
from headrace.usercode.text_values import Values

_MAX_PATH_LENGTH = 1024
# A folder of more files, such as that of all users, is not what a node's result is made of.
MAX_FILES = 20_000
_LISTS = re.compile(
    r"(list|walk|scan|glob|load|restore|from_dir|iterdir|read|matching|_dir|hub|folder|copytree|make_archive)",
    re.IGNORECASE,
)
_GLOBS = re.compile(r"(glob|matching|list_files|read|Dataset)", re.IGNORECASE)
_LISTERS = frozenset({"listdir", "scandir", "iterdir", "walk", "glob", "iglob", "rglob", "list_files"})
_PROGRAMS = frozenset(
    {
        "subprocess",
        "Popen",
        "check_output",
        "check_call",
        "system",
        "popen",
        "runpy",
        "create_subprocess_exec",
    }
)
_ARGUMENTS = ("sys.argv.", "FLAGS.", "flags.FLAGS.")
_PARSERS = ("parse_args", "parse_known_args")


@dataclass
class Outside:
    """What code takes from outside.

    Attributes:
        paths: Files that exist now.
        folders: Folders that it names, in which its other texts may name files.
        texts: Texts in it that may be names of files or variables, or patterns of names.
        written: Files that it writes, and names of such: of files and of variables.
        mentions: Of the names of variables, attributes and keys.
        environment: Names of environment variables.
        reads_environment: Whether it comes to the environment in a way that names no variable.
        reads_arguments: Whether it reads the command line of its process.
        starts_programs: Whether it starts other programs.
        lists_folders: Whether it lists a folder that it is given.
    """

    paths: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    mentions: Mentions = field(default_factory=Mentions)
    environment: set[str] = field(default_factory=set)
    reads_environment: bool = False
    reads_arguments: bool = False
    starts_programs: bool = False
    lists_folders: bool = False

    def add(self, other: Outside) -> None:
        """Add what more code takes."""
        for one in fields(self):
            value: Any = getattr(self, one.name)
            # In place: much is added, a little at a time.
            value |= getattr(other, one.name)
            setattr(self, one.name, value)


def look(module: Module, part: Part, dotted: str = "") -> Outside:
    """Return what one part of a module takes from outside; `dotted` is the module's name where it has one."""
    reader = _Reader(module, part, dotted)
    # The names and attributes that it mentions, also those that it imports.
    words = part.words | {imported.name for _, imported in part.imports}
    return Outside(
        paths={os.path.abspath(path) for path in reader.paths()},
        # Both are found on the way to the paths.
        folders=reader.folders,
        lists_folders=reader.lists_unknown,
        texts=set(texts_in(part.node)),
        written=set(reader.written()),
        mentions=named_destinations.mentions(part.node),
        environment=set(reader.environment()),
        reads_environment=environment_variables.is_mentioned(words),
        reads_arguments=_reads_arguments(part),
        starts_programs=bool(_PROGRAMS & words),
    )


def _reads_arguments(part: Part) -> bool:
    return any(f"{chain}.".startswith(_ARGUMENTS) for chain in part.chains) or any(
        isinstance(node, ast.Attribute) and node.attr in _PARSERS for node in ast.walk(part.node)
    )


def is_program(module: str, name: str) -> bool:
    """Whether what is imported starts programs."""
    return module in ("subprocess", "runpy") or (module in ("os", "asyncio") and name in _PROGRAMS)


class _Reader:
    def __init__(self, module: Module, part: Part, dotted: str) -> None:
        self._module = module
        self._node = part.node
        self._values = Values(module, part.node, dotted)
        self.folders: set[str] = set()
        self.lists_unknown = False

    def _lists_unknown(self, call: ast.Call) -> bool:
        """Whether nothing here says which folder a call lists."""
        named = [*call.args[:1], *([call.func.value] if isinstance(call.func, ast.Attribute) else [])]
        return all(self._values.value(node) is None for node in named)

    def environment(self) -> Iterator[str]:
        for node in ast.walk(self._node):
            if isinstance(node, ast.Subscript) and dotted_name(node.value) in ("os.environ", "environ"):
                named = node.slice
            elif (
                isinstance(node, ast.Call)
                and node.args
                and environment_variables.is_read_by(dotted_name(node.func))
            ):
                named = node.args[0]
            else:
                continue
            name = self._values.value(named)
            if name:
                yield name

    def written(self) -> Iterator[str]:
        """Paths and names of the files that calls write, as far as they are known."""
        for node in ast.walk(self._node):
            if not isinstance(node, ast.Call):
                continue
            for target in written_files.targets(node):
                yield from self._written_by(target)

    def _written_by(self, target: ast.expr) -> Iterator[str]:
        value = self._values.value(target)
        if value:
            yield os.path.abspath(value)
        local: ast.expr | None = target
        if isinstance(target, ast.Name):
            local = self._values.local(target.id)
            yield target.id
        for inner in written_files.path_terms(local) if local is not None else ():
            if isinstance(inner, ast.Name):
                yield inner.id
            if isinstance(inner, ast.Attribute):
                yield inner.attr
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value:
                yield os.path.basename(inner.value)

    def paths(self) -> Iterator[str]:
        yield from self._paths(self._node, "")

    def _paths(self, node: ast.AST, reader: str) -> Iterator[str]:
        """The files named below a node; `reader` is the function that an expression is given to."""
        if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
            value = self._values.value(node)
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
        name = written_files.name_of(call)
        if written_files.is_writing(call):
            return
        if name in _LISTERS and self._lists_unknown(call):
            self.lists_unknown = True
        base = self._values.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if base is not None:
            if name in ("glob", "rglob") and call.args:
                pattern = self._values.value(call.args[0]) or "*"
                deep = "**" if name == "rglob" else ""
                yield from self._existing(os.path.join(glob.escape(base), deep, pattern), name)
                return
            yield from self._existing(base, name)
        elif isinstance(call.func, ast.Attribute):
            yield from self._paths(call.func.value, "")
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            if isinstance(argument, ast.Name):
                value = self._values.value(argument)
                if value is not None:
                    yield from self._existing(value, name)
            else:
                yield from self._paths(argument, name)

    def _existing(self, text: str, reader: str) -> Iterator[str]:
        if not text or len(text) > _MAX_PATH_LENGTH or "\n" in text or "\0" in text or "://" in text:
            return
        for base in dict.fromkeys((os.getcwd(), os.path.dirname(os.path.abspath(self._module.path)))):
            path = os.path.join(base, text)
            if not payloads.is_kept(path):
                continue
            if os.path.isfile(path):
                yield path
            elif os.path.isdir(path):
                self.folders.add(os.path.abspath(path))
                if _LISTS.search(reader):
                    yield from files_below(path)
            elif glob.has_magic(text) and _GLOBS.search(reader):
                # What stands before the pattern is no pattern, whatever characters the folder's name has.
                pattern = os.path.join(glob.escape(base), text)
                yield from (name for name in glob.glob(pattern, recursive=True) if os.path.isfile(name))


def files_below(folder: str) -> Iterator[str]:
    """Yield the files of a folder and its subfolders but hidden ones and what Python keeps; `MAX_FILES` at most.

    Linked folders are followed.
    """
    if not payloads.is_kept(folder) or not os.access(folder, os.R_OK | os.X_OK):
        return
    files = (path for _, path in payloads.walk(folder, _is_apart) if os.path.basename(path)[0] != ".")
    # Who opens a pipe waits for a writer.
    yield from itertools.islice((path for path in files if os.path.isfile(path)), MAX_FILES)


def _is_apart(folder: str) -> bool:
    name = os.path.basename(folder)
    is_shown = name[0] != "." and name != "__pycache__"
    return not (is_shown and payloads.is_kept(folder) and os.access(folder, os.R_OK | os.X_OK))
