"""Statements that act on other modules when their own is loaded, without being asked for.

Definitions that are entered in a table, by a decorator or by the class they derive from; and assignments, defaults of
arguments and bodies of classes that change what another module of the project holds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headrace.usercode import parsed_modules
from headrace.usercode.module_files import absolute_name, find_module, import_folder, is_followed
from headrace.usercode.module_parts import Module, Part
from headrace.usercode.syntax_trees import DEFINITIONS, FUNCTIONS, chain_of

_MAX_DEPTH = 20
_ENTERS = frozenset(
    {"append", "add", "update", "setdefault", "extend", "insert", "register", "put", "connect"}
)

Place = tuple[Module, str, str]


def find(module: Module, dotted: str = "") -> Iterator[Part]:
    """Yield the statements of a module that enter or change something elsewhere when it is loaded.

    Args:
        module: The module.
        dotted: Its name where it has one.
    """
    for part in module.parts or ():
        decorators = getattr(part.node, "decorator_list", [])
        if (
            any(_is_registering(decorator, module, dotted) for decorator in decorators)
            or (isinstance(part.node, ast.ClassDef) and _is_entered_by_base(part.node, module, dotted, 0))
            or any(_changes_another(node, module, dotted) for node in _run_when_loaded(part.node))
        ):
            yield part


def _run_when_loaded(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement that its module's loading comes to: no bodies of functions."""
    yield node
    for name, value in ast.iter_fields(node):
        if isinstance(node, (*FUNCTIONS, ast.Lambda)) and name in ("body", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _run_when_loaded(child)


def _changes_another(node: ast.AST, module: Module, dotted: str) -> bool:
    """Whether an expression changes an object of another module of the project, itself or by a function."""
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return _is_of_another(chain_of(node), module, dotted)
    if not isinstance(node, ast.Call):
        return False
    chain = chain_of(node.func)
    if chain.rpartition(".")[2] in _ENTERS and _is_of_another(chain, module, dotted):
        return True
    place = _place(chain, module, dotted, 0)
    return place is not None and any(
        isinstance(part.node, DEFINITIONS) and _stores(part.node, place[0])
        for part in place[0].bindings[place[2]]
    )


def _is_of_another(chain: str, module: Module, dotted: str) -> bool:
    """Whether a chain leads to an object of another module, by its import or by a name given to it here."""
    place = _place(_resolved(chain, module), module, dotted, 0)
    return place is not None and place[0] is not module


def _resolved(chain: str, module: Module) -> str:
    """A chain without the names that stand for others, as `c.x` after `c = settings.table`."""
    for _ in range(_MAX_DEPTH):
        root, _, rest = chain.partition(".")
        bound = module.bindings.get(root, [])
        value = bound[0].node.value if len(bound) == 1 and isinstance(bound[0].node, ast.Assign) else None
        if not isinstance(value, (ast.Name, ast.Attribute)):
            break
        chain = f"{chain_of(value)}.{rest}" if rest else chain_of(value)
    return chain


def _is_registering(decorator: ast.expr, module: Module, dotted: str) -> bool:
    chain = chain_of(decorator)
    if "regist" in chain.lower():
        return True
    place = _place(chain, module, dotted, 0)
    if place is None:
        return False
    home, _, name = place
    bound = home.bindings[name]
    if not all(isinstance(part.node, FUNCTIONS) for part in bound):
        # A method of an object, or a class: who knows what it keeps.
        return True
    return any(_stores(part.node, home) for part in bound)


def _place(chain: str, module: Module, dotted: str, depth: int) -> Place | None:
    """The module of the project that binds what a chain such as `registry.add` begins with, its name, and the binding."""
    root, *attributes = chain.split(".")
    imported = module.imports.get(root, [])
    if not imported:
        return (module, dotted, root) if root in module.bindings else None
    if depth > _MAX_DEPTH:
        return None
    target = absolute_name(imported[0].module, dotted, module.path)
    names = [*([imported[0].name] if imported[0].name else []), *attributes]
    folder = import_folder(module.path, dotted)
    while names and find_module(f"{target}.{names[0]}", folder):
        target = f"{target}.{names.pop(0)}"
    file = find_module(target, folder)
    if not names or file is None or not file.endswith(".py") or not is_followed(file):
        return None
    home = parsed_modules.read_now(file)
    if names[0] not in home.bindings:
        return None
    return _place(names[0], home, target, depth + 1) if names[0] in home.imports else (home, target, names[0])


def _stores(function: ast.AST, module: Module) -> bool:
    """Whether a function keeps something in an object of its module."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return True
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            if chain_of(node).partition(".")[0] in module.bindings:
                return True
        elif isinstance(node, ast.Call):
            root, _, rest = chain_of(node.func).partition(".")
            if root in module.bindings and rest.rpartition(".")[2] in _ENTERS:
                return True
    return False


def _is_entered_by_base(node: ast.ClassDef, module: Module, dotted: str, depth: int) -> bool:
    """Whether a metaclass or `__init_subclass__` of the project sees a class when it is made."""
    if depth > _MAX_DEPTH:
        return False
    for keyword in node.keywords:
        if keyword.arg == "metaclass" and _place(chain_of(keyword.value), module, dotted, 0) is not None:
            return True
    for base in node.bases:
        place = _place(chain_of(base), module, dotted, 0)
        if place is None:
            continue
        home, home_dotted, name = place
        for part in home.bindings[name]:
            if not isinstance(part.node, ast.ClassDef) or part.node is node:
                continue
            if any(isinstance(i, FUNCTIONS) and i.name == "__init_subclass__" for i in part.node.body):
                return True
            if _is_entered_by_base(part.node, home, home_dotted, depth + 1):
                return True
    return False
