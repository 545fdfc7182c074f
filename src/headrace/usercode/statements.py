"""What one statement at the top level of a module does: names it binds, objects it changes, what it imports and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from headrace.usercode.syntax_trees import DEFINITIONS, IMPORTS, chain_of

_ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
_FIXED = (ast.Constant, ast.Tuple, ast.expr_context, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator)


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


def imports_in(node: ast.AST) -> Iterator[tuple[str, Imported]]:
    """Yield the names that import statements bind, at any depth, and to what."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            for alias in inner.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, Imported(alias.name if alias.asname else top, "", alias.name)
        elif isinstance(inner, ast.ImportFrom):
            base = "." * inner.level + (inner.module or "")
            for alias in inner.names:
                yield alias.asname or alias.name, Imported(base, alias.name, base)


def is_future(node: ast.stmt) -> bool:
    """Whether a statement is `from __future__ import`."""
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def bound_names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds at the top level."""
    if isinstance(node, DEFINITIONS):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, DEFINITIONS):
            yield inner.name
        elif isinstance(inner, IMPORTS):
            yield from (name for name, _ in imports_in(inner))
        elif isinstance(inner, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and inner.name:
            yield inner.name
    for inner in _own_nodes(node):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield inner.id


def changed_names(node: ast.stmt) -> Iterator[str]:
    """Yield the names whose objects a statement may change; also those that it binds."""
    if isinstance(node, DEFINITIONS):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Global):
                yield from inner.names
    elif isinstance(node, _ASSIGNMENTS):
        # A call of a method may change its object; an argument is taken to be only read here.
        yield from _stored_roots(node)
        yield from (_root(call.func) for call in _calls(node) if isinstance(call.func, ast.Attribute))
    elif not isinstance(node, IMPORTS):
        yield from _stored_roots(node)
        yield from (inner.id for inner in _own_nodes(node) if isinstance(inner, ast.Name))


def acted_on(node: ast.stmt) -> Iterator[str]:
    """Yield the roots of what a statement calls or sets when it runs; calls in an assignment are left out."""
    if isinstance(node, (*DEFINITIONS, *IMPORTS)):
        return
    yield from _stored_roots(node)
    if not isinstance(node, _ASSIGNMENTS):
        yield from (_root(call.func) for call in _calls(node))


def binds_fixed_value(node: ast.stmt) -> bool:
    """Whether what the statement binds cannot be changed by who only mentions it: a definition, a module, a constant."""
    if isinstance(node, (*DEFINITIONS, *IMPORTS)):
        return True
    value = getattr(node, "value", None)
    if not isinstance(node, _ASSIGNMENTS) or value is None:
        return False
    return all(isinstance(inner, _FIXED) for inner in ast.walk(value))


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement's nodes without the bodies of functions and classes in it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*DEFINITIONS, ast.Lambda)):
            yield from _own_nodes(child)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    yield from (inner for inner in _own_nodes(node) if isinstance(inner, ast.Call))


def _stored_roots(node: ast.AST) -> Iterator[str]:
    """Roots of the objects in which the statement sets an attribute or an item."""
    for inner in _own_nodes(node):
        if isinstance(inner, (ast.Attribute, ast.Subscript)) and not isinstance(inner.ctx, ast.Load):
            yield _root(inner)


def _root(node: ast.AST) -> str:
    return chain_of(node).partition(".")[0]
