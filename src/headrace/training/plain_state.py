"""What an object holds in plain values: numbers, texts, arrays, and lists and mappings of these.

So a callback's counts can be kept without knowing the callback. What is a file, a function or a model is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Keras hands these over; and at the first epoch a callback of a monitor gives its `min_delta` a sign, which it does again
# when training goes on.
_NOT_STATE = {"model", "_model", "params", "validation_data", "monitor_op", "min_delta"}
_ARRAY, _TUPLE, _PAIRS = "array", "tuple", "pairs"


def of(thing: Any) -> dict[str, Any]:
    """Return its attributes that are plain values, by name; arrays and lists are not copied."""
    return {
        name: value
        for name, value in getattr(thing, "__dict__", {}).items()
        if name not in _NOT_STATE and is_plain(value)
    }


def is_plain(value: Any) -> bool:
    """Whether it is a plain value."""
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        return not isinstance(value, np.generic) or value.dtype.kind in "biuf"
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufV"
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return type(value) is dict and all(map(is_plain, [*value, *value.values()]))


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that have another value than before; lists may have changed in place, so they count."""
    return {
        name: value
        for name, value in now.items()
        if isinstance(value, (list, dict, np.ndarray))
        or name not in before
        or not _is_same(before[name], value)
    }


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def dumped(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    """Return a plain value as JSON holds it, and put its arrays into `arrays`, each under a name below `name`."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        key = f"{name}/{len(arrays)}"
        arrays[key] = value
        return {_ARRAY: key}
    if isinstance(value, Mapping):
        pairs = [[dumped(key, name, arrays), dumped(one, name, arrays)] for key, one in value.items()]
        return {_PAIRS: pairs}
    items = [dumped(one, name, arrays) for one in value]
    return {_TUPLE: items} if isinstance(value, tuple) else items


def loaded(value: Any, array: Callable[[str], Any]) -> Any:
    """Return the plain value that `dumped` gave, its arrays from `array`, by name."""
    if isinstance(value, list):
        return [loaded(one, array) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == _ARRAY:
        return array(content)
    if kind == _TUPLE:
        return tuple(loaded(one, array) for one in content)
    return {loaded(key, array): loaded(one, array) for key, one in content}


def give(thing: Any, state: Mapping[str, Any]) -> None:
    """Set attributes of an object."""
    for name, value in state.items():
        setattr(thing, name, value)


def class_path(thing: Any) -> str:
    """Return where the class of an object is defined."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
