"""All checks by their names, and how those that a configuration file or a component gives are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.checks import values
from headrace.checks.items import images, numbers, sounds, texts
from headrace.checks.together import balance, duplicates, leaks, series
from headrace.checks.values import CHECK, Spec
from headrace.errors import DefinitionError

_FUNCTIONS: dict[str, Callable[..., Spec]] = {
    function.__name__: function
    for function in (images, texts, sounds, numbers, balance, duplicates, leaks, series)
}


def checked(given: Any, where: str) -> list[Spec]:
    """Return checks with all their defaults.

    Raises:
        DefinitionError: If the list is none, is empty, or one of its members is no check.
    """
    if not isinstance(given, (list, tuple)) or not given:
        raise DefinitionError(
            f"{where}: checks is {given!r}, no list of checks.",
            "give what functions of headrace.checks return: checks=[headrace.checks.duplicates()].",
        )
    return [values.called(_FUNCTIONS, CHECK, one, f"{where}: checks", "a check") for one in given]
