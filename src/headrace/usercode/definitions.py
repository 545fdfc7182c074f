"""What a source text defines at its top level, and which names it needs from elsewhere."""

from __future__ import annotations
import __future__

import ast
import builtins
import math
import pprint
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

FUTURE_ANNOTATIONS: int = __future__.annotations.compiler_flag
_LINE_COLUMNS = 100
_MAX_LITERAL_LENGTH = 100_000


@dataclass(frozen=True)
class Binding:
    """A statement that binds a name at the top level of a text.

    Attributes:
        text: The statement's source, with its decorators; an import of this one name alone.
        node: The statement.
    """

    text: str
    node: ast.stmt

    @property
    def is_import(self) -> bool:
        """Whether the name is imported."""
        return isinstance(self.node, (ast.Import, ast.ImportFrom))


def find_bindings(texts: Sequence[str]) -> dict[str, Binding]:
    """Return the last binding of each name; a text that is not Python is left out."""
    bindings: dict[str, Binding] = {}
    for text in texts:
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in _statements(tree.body):
            for name, statement in _bound(node, text):
                bindings[name] = Binding(statement, node)
    return bindings


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements, and imports that stand in a `try`, `if` or `with` there."""
    for node in body:
        yield node
        if isinstance(node, (ast.Try, ast.If, ast.With)):
            inner = [item for item in ast.walk(node) if isinstance(item, (ast.Import, ast.ImportFrom))]
            yield from inner


def _bound(node: ast.stmt, text: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            shown = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            yield alias.asname or alias.name.split(".")[0], shown
    elif isinstance(node, ast.ImportFrom):
        if node.module == "__future__":
            return
        for alias in node.names:
            shown = f"from {'.' * node.level}{node.module or ''} import {alias.name}"
            yield alias.asname or alias.name, shown + (f" as {alias.asname}" if alias.asname else "")
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, _segment(text, node)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for item in ast.walk(target):
                if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
                    yield item.id, _segment(text, node)


def _segment(text: str, node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def free_names(text: str) -> list[str]:
    """Return the names that a text takes from the globals and does not bind itself, sorted."""
    table = symtable.symtable(text, "<cell>", "exec")
    bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    bound |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        inner = waiting.pop()
        waiting.extend(inner.get_children())
        found |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
    return sorted(name for name in found - bound if not hasattr(builtins, name))


def is_same_value(binding: Binding, value: Any) -> bool:
    """Whether an assignment of a literal still says what the value is; a later cell may have changed it."""
    if not isinstance(binding.node, (ast.Assign, ast.AnnAssign)) or binding.node.value is None:
        return False
    try:
        return bool(ast.literal_eval(binding.node.value) == value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False


def literal_text(value: Any) -> str | None:
    """Return a value as a Python literal, equal in every process; `None` where it has no such form."""
    if not _is_literal(value):
        return None
    text = pprint.pformat(value, width=_LINE_COLUMNS, sort_dicts=False)
    return text if len(text) <= _MAX_LITERAL_LENGTH else None


def _is_literal(value: Any) -> bool:
    if value is None or type(value) in (bool, int, str, bytes):
        return True
    if type(value) is float:
        return math.isfinite(value)
    if type(value) in (list, tuple, set):
        # pprint sorts a set; an empty one has no literal.
        return (bool(value) or type(value) is not set) and all(_is_literal(item) for item in value)
    if type(value) is dict:
        return all(_is_literal(key) and _is_literal(item) for key, item in value.items())
    return False


def import_module_line(module: str, name: str) -> str:
    """Return the statement that binds a module to a name."""
    if module == name:
        return f"import {module}"
    package, _, last = module.rpartition(".")
    return f"from {package} import {last}" if package and last == name else f"import {module} as {name}"


def without_cell_magic(text: str) -> str:
    """Return the code below `%%time` and its like, which IPython's history holds as a call with a string."""
    if not text.startswith("get_ipython().run_cell_magic("):
        return text
    try:
        [statement] = ast.parse(text).body
        arguments = statement.value.args  # type: ignore[attr-defined]
        magic, _, body = (ast.literal_eval(argument) for argument in arguments)
    except (SyntaxError, ValueError, AttributeError):
        return text
    return str(body) if magic in ("time", "capture", "prun") else ""
