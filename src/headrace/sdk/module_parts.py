"""A module's top-level statements as parts: what each binds, what it needs, what it may change.

All of it is read from the syntax tree: no user code is imported.
"""

from __future__ import annotations

import ast
import copy
import functools
import os
import symtable
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

# Names whose calls reach into a module without naming what they take.
_DYNAMIC_NAMES = frozenset({"exec", "eval", "globals", "__import__", "__loader__", "__spec__"})
_DYNAMIC_CHAINS = ("sys.modules", "importlib.", "runpy.", "inspect.getmodule", "pkgutil.")
# Roots of calls that make, run or show pipelines: a worker never comes to them, or they change nothing it sees.
_PIPELINE_PACKAGES = ("headrace", "tfx")
_RACY_NS = 2_000_000_000
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)


@dataclass(frozen=True)
class Imported:
    """What an import statement binds a name to.

    Attributes:
        module: Dotted name of the module; relative ones start with dots.
        name: The name taken from it; empty for the module itself, `*` for all.
        loads: Dotted name of what the statement loads, `a.b` where `import a.b` binds `a`.
    """

    module: str
    name: str = ""
    loads: str = ""


@dataclass(frozen=True)
class Part:
    """One statement at the top level of a module; compound statements are one part.

    Attributes:
        node: The statement.
        binds: Names that it binds.
        changes: Names whose objects it may change without binding them.
        imports: What its import statements bind, those at any depth.
        acts_on: Roots of what it calls or sets when the module is loaded; an assignment's calls are left out.
    """

    node: ast.stmt
    binds: frozenset[str]
    changes: frozenset[str]
    imports: tuple[tuple[str, Imported], ...]
    acts_on: frozenset[str]

    @functools.cached_property
    def needs(self) -> frozenset[str]:
        """Names that it takes from the module's globals or from the built-ins."""
        return frozenset(global_names(ast.unparse(self.node)))

    @functools.cached_property
    def chains(self) -> frozenset[str]:
        """Dotted uses of names, such as `layers.dense.build`, each as long as it is written."""
        return frozenset(_chains(self.node))

    @functools.cached_property
    def dump(self) -> str:
        """Its syntax tree as text: without comments and formatting."""
        return ast.dump(self.node)

    @functools.cached_property
    def bare_dump(self) -> str:
        """The same without docstrings."""
        return ast.dump(without_docstrings(self.node))

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The names and attributes that it mentions."""
        return frozenset(name for chain in self.chains for name in chain.split("."))

    @functools.cached_property
    def is_dynamic(self) -> bool:
        """Whether it may reach what it does not name."""
        if self.needs & _DYNAMIC_NAMES:
            return True
        if any(f"{chain}.".startswith(_DYNAMIC_CHAINS) for chain in self.chains):
            return True
        return any(imported.module in ("importlib", "runpy", "pkgutil") for _, imported in self.imports)


@dataclass(frozen=True)
class Module:
    """A parsed file.

    Attributes:
        path: The file.
        text: Its source.
        parts: Its top-level statements without those under `if __name__ == "__main__"`; `None` where it is not
            Python.
    """

    path: str
    text: str
    parts: tuple[Part, ...] | None
    bindings: dict[str, list[Part]] = field(default_factory=dict)

    @functools.cached_property
    def imports(self) -> dict[str, list[Imported]]:
        """What the names bound by imports at the top level stand for."""
        found: dict[str, list[Imported]] = {}
        for part in self.parts or ():
            if isinstance(part.node, (*_IMPORTS, *_COMPOUND)):
                for name, imported in part.imports:
                    found.setdefault(name, []).append(imported)
        return found

    @functools.cached_property
    def has_star(self) -> bool:
        """Whether `from x import *` hides where some of its names come from."""
        return any(imported.name == "*" for part in self.parts or () for _, imported in part.imports)

    def affecting(self, name: str) -> list[Part]:
        """Return the parts that decide what a global name stands for, in order."""
        bound = self.bindings.get(name, [])
        is_fixed = bool(bound) and all(_binds_fixed_value(part.node) for part in bound)
        names = {name} if is_fixed else self._aliases(name)
        return [
            part
            for part in self.parts or ()
            # A function with `global name` may bind it anew, whatever it is.
            if name in part.binds
            or (names & part.changes and (not is_fixed or isinstance(part.node, _DEFINITIONS)))
        ]

    def _aliases(self, name: str) -> set[str]:
        """A name, and those that stand for the same object, as after `b = a`."""
        found, waiting = {name}, [name]
        while waiting:
            one = waiting.pop()
            near = {other for pair in self._equal_names if one in pair for other in pair} - found
            found |= near
            waiting += near
        return found

    @functools.cached_property
    def _equal_names(self) -> list[tuple[str, str]]:
        return [
            (target.id, part.node.value.id)
            for part in self.parts or ()
            if isinstance(part.node, ast.Assign) and isinstance(part.node.value, ast.Name)
            for target in part.node.targets
            if isinstance(target, ast.Name)
        ]

    def is_movable(self, part: Part) -> bool:
        """Whether a part means the same wherever it stands: a plain function, or the one binding of a constant."""
        if any(len(self.bindings.get(name, [])) > 1 for name in part.binds):
            return False
        if isinstance(part.node, ast.FunctionDef):
            defaults = [*part.node.args.defaults, *(one for one in part.node.args.kw_defaults if one)]
            return not part.node.decorator_list and all(isinstance(one, ast.Constant) for one in defaults)
        return isinstance(part.node, (ast.Assign, ast.AnnAssign)) and _binds_fixed_value(part.node)

    @functools.cached_property
    def effects(self) -> list[Part]:
        """The parts that act when the module is loaded, whatever is taken from it."""
        found = [part for part in self.parts or () if self._acts(part) and not self._runs_pipeline(part)]
        return [*found, *self._unused_imports()]

    def _acts(self, part: Part) -> bool:
        """Whether a statement calls or changes something that is more than a variable of this module."""
        return any(
            name in self.imports
            or all(isinstance(one.node, _DEFINITIONS) for one in self.bindings.get(name, []))
            for name in part.acts_on
            if name != "print"
        )

    def _unused_imports(self) -> Iterator[Part]:
        """Modules that are imported for what they do, since nothing here uses their name."""
        parts = self.parts or ()
        used = {chain.partition(".")[0] for part in parts for chain in part.chains}
        for part in parts:
            if isinstance(part.node, _IMPORTS) and not (part.binds & used) and not _is_future(part.node):
                yield part

    def _runs_pipeline(self, part: Part) -> bool:
        """Whether a statement runs or shows the pipeline, itself or through a function of this module."""
        waiting, seen = [part], set[str]()
        while waiting:
            for name in waiting.pop().needs - seen:
                seen.add(name)
                if any(i.module.partition(".")[0] in _PIPELINE_PACKAGES for i in self.imports.get(name, [])):
                    return True
                waiting += self.bindings.get(name, [])
        return False


@functools.lru_cache(maxsize=4096)
def _read(path: str, modified: int, size: int) -> Module:
    """Parse a file; time and size only tell whether it was parsed before."""
    with open(path, "rb") as file:
        return _parse(path, file.read())


@functools.lru_cache(maxsize=256)
def _parse(path: str, data: bytes) -> Module:
    try:
        tree = ast.parse(data)
        text = data.decode("utf-8-sig")
    except (SyntaxError, ValueError, RecursionError):
        return Module(path, data.decode("utf-8", errors="replace"), None)
    parts = tuple(_part(node) for node in _flat(tree.body))
    module = Module(path, text, parts)
    for part in parts:
        for name in part.binds:
            module.bindings.setdefault(name, []).append(part)
    return module


def read_now(path: str) -> Module:
    """Parse a file as it is now."""
    info = os.stat(path)
    if abs(time.time_ns() - info.st_mtime_ns) > _RACY_NS:
        return _read(path, info.st_mtime_ns, info.st_size)
    # A second change within one tick of the file system's clock leaves no trace in its time.
    with open(path, "rb") as file:
        return _parse(path, file.read())


def segment(module: Module, parts: Iterable[Part]) -> str:
    """Return the source lines of some parts, in the module's order, with the comments inside of them."""
    lines = module.text.splitlines()
    texts = []
    for part in sorted(parts, key=lambda part: part.node.lineno):
        decorators = getattr(part.node, "decorator_list", [])
        first = min([part.node.lineno, *(decorator.lineno for decorator in decorators)])
        texts.append("\n".join(lines[first - 1 : part.node.end_lineno]))
    return "\n".join(dict.fromkeys(texts)) + "\n"


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that a loader runs; imports that stand in a `with` or `try` of imports alone are apart."""
    for node in body:
        if isinstance(node, ast.If) and _is_main_guard(node.test):
            yield from _flat(node.orelse)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in chain_of(node.test):
            # No loader comes there.
            yield from _flat(node.orelse)
        elif isinstance(node, (ast.With, ast.Try)) and _holds_imports_only(node):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, _IMPORTS))
        else:
            yield node


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == "__main__"
    )


def _holds_imports_only(node: ast.stmt) -> bool:
    bodies = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    bodies += [handler.body for handler in getattr(node, "handlers", [])]
    return all(isinstance(inner, (*_IMPORTS, ast.Pass)) for body in bodies for inner in body)


def _part(node: ast.stmt) -> Part:
    imports = tuple(_imported(node))
    if isinstance(node, _DEFINITIONS):
        declared = {name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names}
        return Part(node, frozenset({node.name}), frozenset(declared), imports, frozenset())
    if isinstance(node, _IMPORTS):
        return Part(node, frozenset(name for name, _ in imports), frozenset(), imports, frozenset())
    binds = frozenset(_bound(node))
    acts_on = set(_stored_roots(node))
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        acts_on.update(chain_of(call.func).partition(".")[0] for call in _calls(node))
    return Part(node, binds, frozenset(_changed(node)) - binds, imports, frozenset(acts_on - {""}))


def _imported(node: ast.AST) -> Iterator[tuple[str, Imported]]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            for alias in inner.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, Imported(alias.name if alias.asname else top, "", alias.name)
        elif isinstance(inner, ast.ImportFrom):
            base = "." * inner.level + (inner.module or "")
            for alias in inner.names:
                yield alias.asname or alias.name, Imported(base, alias.name, base)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement's nodes without the bodies of functions and classes in it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*_DEFINITIONS, ast.Lambda)):
            yield from _own_nodes(child)


def _bound(node: ast.stmt) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, _DEFINITIONS):
            yield inner.name
        elif isinstance(inner, _IMPORTS):
            yield from (name for name, _ in _imported(inner))
        elif (isinstance(inner, ast.ExceptHandler) and inner.name) or (
            isinstance(inner, (ast.MatchAs, ast.MatchStar)) and inner.name
        ):
            yield inner.name
    for inner in _own_nodes(node):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield inner.id


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    yield from (inner for inner in _own_nodes(node) if isinstance(inner, ast.Call))


def _stored_roots(node: ast.AST) -> Iterator[str]:
    """Roots of the objects in which the statement sets an attribute or an item."""
    for inner in _own_nodes(node):
        if isinstance(inner, (ast.Attribute, ast.Subscript)) and not isinstance(inner.ctx, ast.Load):
            yield chain_of(inner).partition(".")[0]


def _changed(node: ast.stmt) -> Iterator[str]:
    yield from _stored_roots(node)
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        # A call of a method may change its object; an argument is taken to be only read here.
        yield from (
            chain_of(call.func).partition(".")[0]
            for call in _calls(node)
            if isinstance(call.func, ast.Attribute)
        )
        return
    yield from (inner.id for inner in _own_nodes(node) if isinstance(inner, ast.Name))


def _binds_fixed_value(node: ast.stmt) -> bool:
    """Whether what the statement binds cannot be changed by who only mentions it: a definition, a module, a constant."""
    if isinstance(node, (*_DEFINITIONS, *_IMPORTS)):
        return True
    value = getattr(node, "value", None)
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or value is None:
        return False
    return all(
        isinstance(
            inner,
            (ast.Constant, ast.Tuple, ast.expr_context, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator),
        )
        for inner in ast.walk(value)
    )


def _chains(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inner: ast.AST = child
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name):
            yield chain_of(child)
        else:
            yield from _chains(child)


def chain_of(node: ast.AST) -> str:
    """Return `a.b.c` for such an expression, also below calls and items (`a.b(1)[2]`); empty for another."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = chain_of(node.value)
        return f"{base}.{node.attr}" if base else ""
    if isinstance(node, ast.Subscript):
        return chain_of(node.value)
    return chain_of(node.func) if isinstance(node, ast.Call) else ""


def global_names(text: str) -> Iterator[str]:
    """Yield the names that a text reads from the globals or the built-ins, or rebinds there."""
    waiting = [symtable.symtable(text, "<part>", "exec")]
    is_top = True
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (is_top or symbol.is_global()):
                yield symbol.get_name()
        is_top = False


def without_docstrings(node: ast.stmt) -> ast.stmt:
    """Return a statement without the docstrings in it; itself where it has none."""
    if not any(_is_documented(inner) for inner in ast.walk(node)):
        return node
    node = copy.deepcopy(node)
    for inner in ast.walk(node):
        if isinstance(inner, _DEFINITIONS) and _is_documented(inner):
            inner.body = inner.body[1:] or [ast.Pass()]
    return node


def _is_documented(node: ast.AST) -> bool:
    return isinstance(node, _DEFINITIONS) and is_docstring(node.body[0])


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is a mere text."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def class_values(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Return what the body of a class assigns to its attributes."""
    found: dict[str, ast.expr] = {}
    for inner in node.body:
        if isinstance(inner, (ast.Assign, ast.AnnAssign)) and inner.value is not None:
            targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
            found.update({one.id: inner.value for one in targets if isinstance(one, ast.Name)})
    return found
