"""The files of modules, parsed: read again only where they changed."""

from __future__ import annotations

import ast
import functools
import io
import os
import time
import tokenize
from collections.abc import Iterator, Sequence

from headrace.usercode.module_parts import Module, Part
from headrace.usercode.syntax_trees import IMPORTS, chain_of

_RACY_NS = 2_000_000_000


def read_now(path: str) -> Module:
    """Parse a file as it is now."""
    info = os.stat(path)
    if abs(time.time_ns() - info.st_mtime_ns) > _RACY_NS:
        return _read(path, info.st_mtime_ns, info.st_size)
    # A second change within one tick of the file system's clock leaves no trace in its time.
    with open(path, "rb") as file:
        return _parse(path, file.read())


@functools.lru_cache(maxsize=4096)
def _read(path: str, modified: int, size: int) -> Module:
    """Parse a file; time and size only tell whether it was parsed before."""
    with open(path, "rb") as file:
        return _parse(path, file.read())


@functools.lru_cache(maxsize=256)
def _parse(path: str, data: bytes) -> Module:
    try:
        tree = ast.parse(data)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Module(path, data.decode("utf-8", errors="replace"), None)
    return Module(path, text, tuple(Part(node) for node in _flat(tree.body)))


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that a loader runs; imports that stand in a `with` or `try` of imports alone are apart."""
    for node in body:
        if isinstance(node, ast.If) and _is_main_guard(node.test):
            yield from _flat(node.orelse)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in chain_of(node.test):
            # No loader comes there.
            yield from _flat(node.orelse)
        elif isinstance(node, (ast.With, ast.Try)) and _holds_imports_only(node):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, IMPORTS))
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
    return all(isinstance(inner, (*IMPORTS, ast.Pass)) for body in bodies for inner in body)
