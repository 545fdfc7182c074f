"""Questions about syntax trees: the names in a piece of code, its docstrings, what a class assigns."""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


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


def dotted_name(node: ast.AST) -> str:
    """Return `a.b.c` for such an expression, with `?` for what is no name in it: `?.c` for `a.b().c`."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "?", *reversed(attributes)])


def chains(node: ast.AST) -> Iterator[str]:
    """Yield the chains in a piece of code, each as long as it is written."""
    for child in ast.iter_child_nodes(node):
        inner: ast.AST = child
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name):
            yield chain_of(child)
        else:
            yield from chains(child)


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
        if isinstance(inner, DEFINITIONS) and _is_documented(inner):
            inner.body = inner.body[1:] or [ast.Pass()]
    return node


def _is_documented(node: ast.AST) -> bool:
    return isinstance(node, DEFINITIONS) and is_docstring(node.body[0])


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
