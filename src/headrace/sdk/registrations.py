"""Definitions that are found without their name: entered in a table by a decorator, or by the class they derive from."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headrace.sdk import module_parts
from headrace.sdk.module_files import absolute_name, find_module, import_folder, is_followed
from headrace.sdk.module_parts import Module, Part, chain_of

_MAX_DEPTH = 20
_ENTERS = frozenset(
    {"append", "add", "update", "setdefault", "extend", "insert", "register", "put", "connect"}
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Place = tuple[Module, str, str]


def find(module: Module, dotted: str = "") -> Iterator[Part]:
    """Yield the functions and classes of a module that loading it enters somewhere.

    Args:
        module: The module.
        dotted: Its name where it has one.
    """
    for part in module.parts or ():
        decorators = getattr(part.node, "decorator_list", [])
        if any(_is_registering(decorator, module, dotted) for decorator in decorators) or (
            isinstance(part.node, ast.ClassDef) and _is_entered_by_base(part.node, module, dotted, 0)
        ):
            yield part


def _is_registering(decorator: ast.expr, module: Module, dotted: str) -> bool:
    chain = chain_of(decorator)
    if "regist" in chain.lower():
        return True
    place = _place(chain, module, dotted, 0)
    if place is None:
        return False
    home, _, name = place
    bound = home.bindings[name]
    if not all(isinstance(part.node, _FUNCTIONS) for part in bound):
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
    home = module_parts.read_now(file)
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
            if any(isinstance(i, _FUNCTIONS) and i.name == "__init_subclass__" for i in part.node.body):
                return True
            if _is_entered_by_base(part.node, home, home_dotted, depth + 1):
                return True
    return False
