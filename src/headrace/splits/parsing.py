"""What configuration files give for `split_by`: a call's text, or a mapping."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any, TypeAlias

from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.splits.ways import WAYS, SplitBy

SplitByLike: TypeAlias = "SplitBy | str | Mapping[str, Any]"


def parse(given: SplitByLike, where: str) -> SplitBy:
    """Return what a value of `split_by` stands for: a `SplitBy`, a mapping, or a text.

    Raises:
        DefinitionError: If it is none of them, or has an argument that its function does not take.
    """
    if isinstance(given, SplitBy):
        return given
    if isinstance(given, str):
        kind, positional, named = _parsed_call(given, where)
    elif isinstance(given, Mapping):
        kind, positional, named = _parsed_mapping(given, where)
    else:
        raise DefinitionError(
            f"{where} is a {type(given).__name__}.",
            "give one of headrace.splits, such as stratify('quality').",
        )
    way = WAYS["hash" if kind == "by_hash" else kind]
    known = list(inspect.signature(way).parameters)
    for name in named:
        if name not in known:
            raise DefinitionError(
                f"{where}: {kind} has no argument '{name}'. It has {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the name.",
            )
    try:
        return way(*positional, **named)
    except TypeError as error:
        raise DefinitionError(
            f"{where}: {' '.join(str(error).split())}.", f"write it as {kind}{inspect.signature(way)} says."
        ) from error


def _parsed_call(text: str, where: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Read `stratify("quality")`, or the function's name alone."""
    name, opened, _ = text.strip().partition("(")
    _check_way(name.strip(), where)
    if not opened:
        return name.strip(), [], {}
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call):
            raise ValueError("it is no call")
        named = {keyword.arg or "": _literal(keyword.value) for keyword in call.keywords}
        return name.strip(), [_literal(value) for value in call.args], named
    except (SyntaxError, ValueError) as error:
        raise DefinitionError(
            f"{where} is {text!r}, which cannot be read: {error}.",
            'write a call such as stratify("quality"), or a mapping such as {stratify: quality}.',
        ) from error


def _literal(node: ast.expr) -> Any:
    """Return a plain value.

    Raises:
        ValueError: If it is none, in the words of who wrote it.
    """
    try:
        return ast.literal_eval(node)
    except ValueError:
        written = ast.unparse(node)
        hint = f": write '{written}'" if isinstance(node, ast.Name) else ""
        raise ValueError(f"{written} is no text, number or mapping{hint}") from None


def _parsed_mapping(given: Mapping[str, Any], where: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Read `{"time": "date", "gap": "24h"}`, whose one key is a function's name."""
    kinds = [str(name) for name in given if name in WAYS or name == "by_hash"]
    if len(kinds) > 1:
        raise DefinitionError(f"{where} names {' and '.join(kinds)}.", "name one way to divide.")
    if not kinds:
        _check_way(str(next(iter(given), "")), where)
    (kind,) = kinds
    named = {str(name): value for name, value in given.items() if name != kind}
    first = given[kind]
    if kind == "folders" and isinstance(first, Mapping):
        return kind, [], {"names": first, **named}
    return kind, [] if first is None or first is True else [first], named


def _check_way(name: str, where: str) -> None:
    if name not in WAYS and name != "by_hash":
        known = [way.__name__ for way in WAYS.values()]
        raise DefinitionError(
            f"{where} names '{name}', which is no way to divide rows. There are {listed(known)}.",
            f"{did_you_mean(name, known)}Give one of them: see headrace.splits.",
        )
