"""What a piece of code takes from outside of itself: data files and environment variables that it names.

A file counts where a constant, or an expression made of constants, `__file__`, and the functions of `os.path` and
`pathlib`, names it. A folder or a pattern counts where it is given to something that lists or loads.
"""

from __future__ import annotations

import ast
import glob
import hashlib
import itertools
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headrace.sdk import payloads
from headrace.sdk.module_parts import Module, Part
from headrace.sdk.text_values import Values

_MAX_PATH_LENGTH = 1024
# A folder of more files, such as that of all users, is not what a node's result is made of.
MAX_FILES = 20_000
_LISTS = re.compile(
    r"(list|walk|scan|glob|load|restore|from_dir|iterdir|read|matching|_dir|hub|folder|copytree|make_archive)",
    re.IGNORECASE,
)
_GLOBS = re.compile(r"(glob|matching|list_files|read|Dataset)", re.IGNORECASE)
_WRITES = re.compile(
    r"^(save\w*|savefig|imsave|dump|export\w*|write\w*|to_(csv|json|parquet|pickle|excel|html|feather)|"
    r"make_?dirs?|mkdir|remove|unlink|rmtree|rename|replace|FileHandler|TensorBoard|CSVLogger|ModelCheckpoint|"
    r"print|debug|info|warning|error|exception)$"
)
_WRITES_FILES = re.compile(
    r"^(savefig|imsave|dump|to_(csv|json|parquet|pickle|excel|html|feather)|save\w*|"
    r"write_(text|bytes|csv|table)|FileHandler|CSVLogger|ModelCheckpoint|\w*Writer)$"
)
_OPENS = re.compile(r"^(open\w*|GFile|FileIO|File|ZipFile|TarFile|GzipFile)$")
_COPIES = re.compile(r"^(copy\w*|move|rename|replace|urlretrieve)$")
_LISTERS = frozenset({"listdir", "scandir", "iterdir", "walk", "glob", "iglob", "rglob", "list_files"})
_ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb", "expandvars"})
# `%s`, `%05d`, `%(name)s`, `%-8.3f`.
_PERCENT = re.compile(r"%(\(\w+\))?[-+ #0]*[\d*]*(\.[\d*]+)?[a-zA-Z]")
_VARIABLE = re.compile(r"\$\{?(\w+)")
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
# Their values are secrets that are renewed, and stand for the same access.
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|_KEY$", re.IGNORECASE)


@dataclass(frozen=True)
class Outside:
    """What code takes from outside.

    Attributes:
        paths: Files that exist now.
        environment: Names of environment variables.
        reads_environment: Whether it comes to the environment in a way that names no variable.
        reads_arguments: Whether it reads the command line of its process.
        folders: Folders that it names, in which its other texts may name files.
        texts: Texts in it that may be names of files or variables, or patterns of names.
        written: Files that it writes, and names of such: of files and of variables.
        starts_programs: Whether it starts other programs.
        lists_folders: Whether it lists a folder that it is given.
    """

    paths: frozenset[str]
    environment: frozenset[str]
    reads_environment: bool
    reads_arguments: bool
    folders: frozenset[str]
    texts: frozenset[str]
    written: frozenset[str]
    starts_programs: bool
    lists_folders: bool


def look(module: Module, part: Part, dotted: str = "") -> Outside:
    """Return what one part of a module takes from outside; `dotted` is the module's name where it has one."""
    found = _Reader(module, part, dotted)
    paths = list(found.paths())
    written = frozenset(found.written())
    return Outside(
        paths=frozenset(os.path.abspath(path) for path in paths),
        environment=frozenset(found.environment()),
        reads_environment=bool(_ENVIRONMENT & _words(part)),
        reads_arguments=any(
            chain in ("sys.argv", "FLAGS", "flags.FLAGS")
            or chain.startswith(("FLAGS.", "flags.FLAGS.", "sys.argv."))
            for chain in part.chains
        )
        or any(
            isinstance(node, ast.Attribute) and node.attr in ("parse_args", "parse_known_args")
            for node in ast.walk(part.node)
        ),
        folders=frozenset(found.folders),
        texts=frozenset(found.texts()),
        written=written,
        starts_programs=bool(_PROGRAMS & _words(part)),
        lists_folders=found.lists_unknown,
    )


def _words(part: Part) -> frozenset[str]:
    """The names and attributes that a part mentions, also those that it imports."""
    return part.words | {imported.name for _, imported in part.imports}


def is_environment(module: str, name: str) -> bool:
    """Whether what is imported gives the environment."""
    return module in ("os", "os.path") and name in _ENVIRONMENT


def is_program(module: str, name: str) -> bool:
    """Whether what is imported starts programs."""
    return module in ("subprocess", "runpy") or (module in ("os", "asyncio") and name in _PROGRAMS)


def environment_digest(name: str) -> str:
    """Return what stands for the value of an environment variable; the value itself is not recorded."""
    value = os.environ.get(name)
    if value is None:
        return ""
    return "set" if _SECRET.search(name) else hashlib.sha256(value.encode()).hexdigest()[:16]


def variables_among(texts: Iterable[str]) -> set[str]:
    """Return the environment variables that are set and that some texts name: `MODE`, or `$MODE/data`."""
    named = {name for text in texts for name in (text, *_VARIABLE.findall(text))}
    known = set(os.environ)  # which refuses to be asked for what cannot be encoded
    return {name for name in named if name in known and name.isupper()}


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
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
                named = node.slice
            elif isinstance(node, ast.Call) and node.args and _is_environment_call(ast.unparse(node.func)):
                named = node.args[0]
            else:
                continue
            name = self._values.value(named)
            if name:
                yield name

    def texts(self) -> Iterator[str]:
        """The texts that are no docstrings, and patterns for those that are put together of more than constants."""
        waiting: list[ast.AST] = [self._node]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            if isinstance(node, ast.Constant):
                if isinstance(node.value, (str, bytes)):
                    yield glob.escape(os.fsdecode(node.value))
                continue
            if isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Call)):
                pattern = _pattern(node)
                if pattern:
                    yield pattern
            waiting += ast.iter_child_nodes(node)

    def written(self) -> Iterator[str]:
        """Paths and names of the files that calls write, as far as they are known."""
        for node in ast.walk(self._node):
            if not isinstance(node, ast.Call):
                continue
            targets = _targets(node)
            for target in targets:
                value = self._values.value(target)
                if value:
                    yield os.path.abspath(value)
                local = self._values.local(target.id) if isinstance(target, ast.Name) else target
                if isinstance(target, ast.Name):
                    yield target.id
                for inner in ast.walk(local) if local is not None else ():
                    if isinstance(inner, ast.Name):
                        yield inner.id
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
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        if _WRITES.match(name) or (_OPENS.match(name) and _opens_to_write(call)):
            return
        if name in _LISTERS and self._lists_unknown(call):
            self.lists_unknown = True
        base = self._values.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if base is not None:
            if name in ("glob", "rglob") and call.args:
                deep = "**" if name == "rglob" else ""
                yield from self._existing(
                    os.path.join(base, deep, self._values.value(call.args[0]) or "*"), name
                )
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
                yield from (name for name in glob.glob(path, recursive=True) if os.path.isfile(name))


def _is_environment_call(function: str) -> bool:
    return function in ("os.getenv", "getenv", "os.environ.get", "environ.get", "os.environ.setdefault")


def _targets(call: ast.Call) -> list[ast.expr]:
    """The expressions that say which file a call writes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    if _COPIES.match(name):
        return call.args[1:2]
    if name == "basicConfig":
        return [keyword.value for keyword in call.keywords if keyword.arg == "filename"]
    if not (_WRITES_FILES.match(name) or (_OPENS.match(name) and _opens_to_write(call))):
        return []
    return [*call.args[:1], *([call.func.value] if isinstance(call.func, ast.Attribute) else [])]


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    if not call.args and not isinstance(call.func, ast.Attribute):
        return False
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(mode[:1] in ("w", "a", "x") for mode in texts)


def files_below(folder: str) -> Iterator[str]:
    """Yield the files of a folder and its subfolders but hidden ones and what Python keeps; `MAX_FILES` at most.

    Linked folders are followed.
    """
    if not payloads.is_kept(folder) or not os.access(folder, os.R_OK | os.X_OK):
        return
    files = (path for _, path in payloads.walk(folder, _is_apart) if os.path.basename(path)[0] != ".")
    yield from itertools.islice((path for path in files if os.path.isfile(path)), MAX_FILES)


def _is_apart(folder: str) -> bool:
    name = os.path.basename(folder)
    is_shown = name[0] != "." and name != "__pycache__"
    return not (is_shown and payloads.is_kept(folder) and os.access(folder, os.R_OK | os.X_OK))


def _pattern(node: ast.AST) -> str:
    """The pattern of the texts that an expression may put together, such as `*.json`; empty for no such expression."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            glob.escape(str(one.value)) if isinstance(one, ast.Constant) else "*" for one in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_pattern(side) or _constant(side) or "*" for side in (node.left, node.right)]
        return "".join(sides) if sides != ["*", "*"] else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _PERCENT.sub("*", _constant(node.left))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return re.sub(r"\{[^{}]*\}", "*", _constant(node.func.value))
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("Template"):
        return re.sub(r"\$(\w+|\{\w+\})", "*", _constant(node.args[0]))
    return ""


def _constant(node: ast.AST) -> str:
    return glob.escape(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
