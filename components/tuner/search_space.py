"""The values that a Tuner may try, and the ways to search among them: checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.authoring import RuntimeParameter
from headrace.errors import DefinitionError, did_you_mean, listed

AUTO, RANDOM, GRID, BAYESIAN, HYPERBAND = "auto", "random", "grid", "bayesian", "hyperband"
METHODS = (RANDOM, GRID, BAYESIAN, HYPERBAND)

Space = Mapping[str, Any]
Values = dict[str, Any]

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


def check_method(method: str | None, space: Mapping[str, Any]) -> None:
    """Check that there is such a way to search, and that a grid has a number of values for each hyperparameter.

    Raises:
        DefinitionError: If not.
    """
    if method is None:
        return
    if method not in METHODS:
        raise DefinitionError(
            f"Tuner: search is {method!r}. There are {listed(METHODS)}.",
            f"{did_you_mean(str(method), METHODS)}Correct it.",
        )
    endless = [name for name, values in space.items() if math.isinf(num_combinations({name: values}))]
    if method == GRID and endless:
        raise DefinitionError(
            f"Tuner: search is 'grid', and the range of {listed(endless)} has no step.",
            "give it a 'step', or a list of values; or search at random.",
        )


def checked_minutes(minutes: Any) -> Any:
    """Return `max_minutes`, checked.

    Raises:
        DefinitionError: If it is no number above 0.
    """
    if isinstance(minutes, RuntimeParameter):
        return minutes
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 0 < minutes < math.inf:
        raise DefinitionError(f"Tuner: max_minutes is {minutes!r}.", "give a number of minutes above 0.")
    return float(minutes)


def num_combinations(space: Space) -> float:
    """Return how many combinations a space has; infinity where a range has no step."""
    return math.prod(num_values(values) for values in space.values())


def combination(space: Space, place: int) -> Values:
    """Return one of the combinations of a space, by its place among them: the last hyperparameter changes first."""
    found: Values = {}
    for name, values in reversed(list(space.items())):
        place, own = divmod(place, int(num_values(values)))
        found[name] = value_at(values, own)
    return {name: found[name] for name in space}


def is_whole(values: Mapping[str, Any]) -> bool:
    """Whether a range is of whole numbers."""
    return all(isinstance(values.get(key, 0), int) for key in ("min", "max", "step"))


def is_stepped(values: Mapping[str, Any]) -> bool:
    """Whether a range has a number of values."""
    return "step" in values or (is_whole(values) and not _is_logarithmic(values))


def num_values(values: Any) -> float:
    """Return how many values a hyperparameter has; infinity where it is a range without a step."""
    if isinstance(values, list):
        return len(values)
    if not is_stepped(values):
        return math.inf
    low, high, step = values["min"], values["max"], values.get("step", 1)
    if is_whole(values) and not _is_logarithmic(values):
        return (high - low) // step + 1
    # So little is lost in the division.
    steps = math.log(high / low, step) if _is_logarithmic(values) else (high - low) / step
    return int(steps + 1e-9) + 1


def value_at(values: Any, place: int) -> Any:
    """Return a value of a list or a stepped range by its place."""
    if isinstance(values, list):
        return values[place]
    low, step = values["min"], values.get("step", 1)
    found = low * step**place if _is_logarithmic(values) else low + place * step
    if values.get("sampling") == "reverse_log":
        found = low + values["max"] - found
    return int(found) if is_whole(values) else float(f"{found:.12g}")


def _is_logarithmic(values: Mapping[str, Any]) -> bool:
    """Whether a step is a factor."""
    return bool(values.get("sampling", "linear") != "linear")
