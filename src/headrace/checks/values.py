"""Checks of the arguments of checks: each error names the check, what was given, and what can be."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headrace.errors import DefinitionError, did_you_mean, listed

FAIL_ON = ("never", "error", "any")
# The key that names the check, and what a share may be.
CHECK = "check"
SHARE = (0, 1)

Spec = dict[str, Any]


def number(where: str, name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return a number within bounds.

    Raises:
        DefinitionError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        bounds = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
        raise DefinitionError(f"{where}: {name} is {value!r}. It is a number {bounds}.", f"correct {name}.")
    return value


def optional_number(where: str, name: str, value: Any, low: float, high: float = math.inf) -> float | None:
    """Return a number within bounds, or `None`; see `number`."""
    return None if value is None else number(where, name, value, low, high)


def whole(where: str, name: str, value: Any, low: int, high: float = math.inf) -> int:
    """Return a whole number within bounds; see `number`."""
    found = number(where, name, value, low, high)
    if found != int(found):
        raise DefinitionError(f"{where}: {name} is {value!r}. It is a whole number.", f"correct {name}.")
    return int(found)


def text(where: str, name: str, value: Any) -> str | None:
    """Return a name, or `None`.

    Raises:
        DefinitionError: If it is no text.
    """
    if value is not None and (not isinstance(value, str) or not value):
        raise DefinitionError(f"{where}: {name} is {value!r}, no name.", f"give {name} as text.")
    return value


def names(where: str, name: str, value: Any) -> list[str] | None:
    """Return a list of names, or `None`; a single name is a list of one.

    Raises:
        DefinitionError: If it is no list of texts.
    """
    if value is None:
        return None
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, (list, tuple, set, frozenset)) or not all(
        isinstance(one, str) and one for one in given
    ):
        raise DefinitionError(
            f"{where}: {name} is {value!r}, no list of names.", f"give {name} a list of texts."
        )
    return sorted(given) if isinstance(given, (set, frozenset)) else list(given)


def flag(where: str, name: str, value: Any) -> bool:
    """Return a truth value.

    Raises:
        DefinitionError: If it is none.
    """
    if not isinstance(value, bool):
        raise DefinitionError(f"{where}: {name} is {value!r}. It is True or False.", f"correct {name}.")
    return value


def pair(where: str, name: str, value: Any, low: float = 0) -> list[float] | None:
    """Return two rising numbers, or `None`; a single number stands for both.

    Raises:
        DefinitionError: If these are none.
    """
    if value is None:
        return None
    given = [value, value] if isinstance(value, (int, float)) else value
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise DefinitionError(f"{where}: {name} is {value!r}. It is a pair of numbers.", f"correct {name}.")
    return [number(where, name, one, low) for one in given]


def rising(where: str, name: str, value: Any, low: float = 0) -> list[float] | None:
    """Return the least and the greatest allowed, or `None`; see `pair`."""
    found = pair(where, name, value, low)
    if found is not None and found[0] > found[1]:
        raise DefinitionError(
            f"{where}: {name} is {value!r}, whose first is the larger.", "give the least, then the greatest."
        )
    return found


def chosen(where: str, name: str, value: Any, known: Sequence[str]) -> str | None:
    """Return one of some words, or `None`.

    Raises:
        DefinitionError: If it is another.
    """
    if value is not None and value not in known:
        raise DefinitionError(
            f"{where}: {name} is {value!r}. It can be {listed(known)}.",
            f"{did_you_mean(str(value), known)}Correct {name}.",
        )
    return value


def called(functions: Mapping[str, Callable[..., Spec]], key: str, spec: Any, where: str, what: str) -> Spec:
    """Return a plain mapping as the function that makes such mappings returns it, with all defaults.

    Args:
        functions: By the word under `key`.
        key: What tells kinds of mappings.
        spec: The mapping, of the function or of a configuration file.
        where: The node, for messages.
        what: What it is to be, such as `"a check"`.

    Raises:
        DefinitionError: If it is no such mapping, or has keys that the function does not take.
    """
    if not isinstance(spec, Mapping) or spec.get(key) not in functions:
        given = spec.get(key) if isinstance(spec, Mapping) else spec
        raise DefinitionError(
            f"{where}: {given!r} is not {what}. There are {listed(functions)}.",
            f"{did_you_mean(str(given), functions)}Make one with a function of headrace.checks, or give a mapping "
            f'with "{key}".',
        )
    function = functions[spec[key]]
    arguments = {name: value for name, value in spec.items() if name != key}
    known = list(inspect.signature(function).parameters)
    for name in arguments:
        if name not in known:
            raise DefinitionError(
                f"{where}: {function.__name__} takes no '{name}'. It takes {listed(known)}.",
                f"{did_you_mean(str(name), known)}Correct the name.",
            )
    return function(**arguments)


def given(key: str, kind: str, arguments: Mapping[str, Any]) -> Spec:
    """Return the mapping of a kind with its arguments, `None` among them: that may not be the default."""
    return {key: kind, **arguments}
