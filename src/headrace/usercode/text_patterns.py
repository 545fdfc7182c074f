"""The texts in code that may be names of files, and patterns of those that it puts together."""

from __future__ import annotations

import ast
import glob
import os
import re
from collections.abc import Iterator

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
        waiting += ast.iter_child_nodes(one)


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
        return _BRACES.sub("*", _constant(node.func.value))
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("Template"):
        return _DOLLAR.sub("*", _constant(node.args[0]))
    return ""


def _constant(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return glob.escape(os.fsdecode(node.value))
    return ""
