"""The texts in code that may be names of files, and patterns of those that it puts together."""

from __future__ import annotations

import ast
import glob
import os
import re
from collections.abc import Iterator

from headrace.usercode.syntax_trees import dotted_name

# `%s`, `%05d`, `%(name)s`, `%-8.3f`.
_PERCENT = re.compile(r"%(\(\w+\))?[-+ #0]*[\d*]*(\.[\d*]+)?[a-zA-Z]")
_BRACES = re.compile(r"\{[^{}]*\}")
_DOLLAR = re.compile(r"\$(\w+|\{\w+\})")


def texts_in(node: ast.AST) -> Iterator[str]:
    """Yield the texts that are no docstrings, escaped, and patterns for those of more than constants.

    So `f"{name}.json"` gives `*.json`.
    """
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
            continue  # a docstring
        if isinstance(one, ast.Constant):
            yield from filter(None, [_constant(one)])
            continue
        if isinstance(one, (ast.JoinedStr, ast.BinOp, ast.Call)):
            yield from filter(None, [_pattern(one)])
        waiting += _terms(one) if _is_sum(one) else ast.iter_child_nodes(one)


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)


def _terms(node: ast.AST) -> list[ast.AST]:
    """The terms of a sum in their order: a sum of many is a tree of as many levels."""
    terms = list[ast.AST]()
    while isinstance(node, ast.BinOp) and _is_sum(node):
        terms.append(node.right)
        node = node.left
    return [node, *reversed(terms)]


def _pattern(node: ast.AST) -> str:
    """The pattern of the texts that an expression may put together, such as `*.json`; empty for no such expression."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            glob.escape(str(one.value)) if isinstance(one, ast.Constant) else "*" for one in node.values
        )
    if _is_sum(node):
        terms = [_pattern(term) or _constant(term) or "*" for term in _terms(node)]
        return "".join(terms) if set(terms) != {"*"} else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _PERCENT.sub("*", _constant(node.left))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _BRACES.sub("*", _constant(node.func.value))
    if isinstance(node, ast.Call) and node.args and dotted_name(node.func).endswith("Template"):
        return _DOLLAR.sub("*", _constant(node.args[0]))
    return ""


def _constant(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return glob.escape(os.fsdecode(node.value))
    return ""
