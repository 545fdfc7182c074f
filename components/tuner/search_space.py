"""The values that a Tuner tries, checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.errors import DefinitionError

_RANGE_KEYS = {"min", "max", "step", "sampling"}
_SAMPLINGS = ("linear", "log", "reverse_log")


def check_space(space: Mapping[str, Any]) -> None:
    """Check that each hyperparameter has a list of values of one kind, or a range.

    Raises:
        DefinitionError: If one has not, naming it and what is wrong.
    """
    for name, values in space.items():
        if isinstance(values, Mapping):
            problem = _range_problem(values)
        elif isinstance(values, Sequence) and not isinstance(values, str) and len(values):
            problem = _list_problem(values)
        else:
            problem = f"is {values!r}"
        if problem:
            raise DefinitionError(
                f"Tuner: search_space['{name}'] {problem}.",
                "give a list of values, or a range {'min': 0.001, 'max': 0.1} with min below max, and 'step' or "
                "'sampling' if wanted.",
            )


def _list_problem(values: Sequence[Any]) -> str:
    if not all(isinstance(value, (bool, int, float, str)) for value in values):
        return "is a list with something else than numbers, strings and booleans"
    kinds = {float if type(value) is int else type(value) for value in values}
    return "is a list with values of several kinds" if len(kinds) > 1 else ""


def _range_problem(values: Mapping[str, Any]) -> str:
    if not {"min", "max"} <= set(values) <= _RANGE_KEYS:
        return f"is a range with {sorted(values.items())}"
    if not all(_is_number(values[key]) for key in ("min", "max", "step") if key in values):
        return "is a range with something else than numbers"
    low, high, sampling = values["min"], values["max"], values.get("sampling", "linear")
    if low >= high:
        return f"is a range with {sorted(values.items())}"
    if sampling not in _SAMPLINGS:
        return f"has sampling {sampling!r}, which is none of {', '.join(map(repr, _SAMPLINGS))}"
    if sampling != "linear" and low <= 0:
        return f"has sampling {sampling!r} and min {low}, of which there is no logarithm"
    # Of a logarithmic range a step is a factor.
    least = 0 if sampling == "linear" else 1
    if values.get("step", math.inf) <= least:
        return f"has step {values['step']} where more than {least} is needed"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
