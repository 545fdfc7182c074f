"""The keys of a shape: what tests hold against the number of the shape."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any


def keys_of(shape: type, around: tuple[type, ...] = ()) -> dict[str, str]:
    """Return the keys of a TypedDict with their types as they are written; those of an inner one behind a dot."""
    found = {}
    for name, kind in typing.get_type_hints(shape).items():
        written = shape.__annotations__[name]
        found[name] = written.__forward_arg__ if isinstance(written, typing.ForwardRef) else str(written)
        for inner in _shapes_in(kind):
            if inner not in around:
                below = keys_of(inner, (*around, shape))
                found.update({f"{name}.{key}": value for key, value in below.items()})
    return found


def misfits(value: Any, kind: Any, path: str = "") -> Iterator[str]:
    """Yield where JSON data have other keys than a shape, or than the shapes in a list or mapping."""
    for shape in _shapes_in(kind):
        hints = typing.get_type_hints(shape)
        items = value if isinstance(value, list) else [] if value is None else [value]
        for item in list(value.values()) if typing.get_origin(kind) is dict else items:
            if item.keys() != hints.keys():
                yield f"{path}: {sorted(item.keys() ^ hints.keys())}"
            for name in item.keys() & hints.keys():
                yield from misfits(item[name], hints[name], f"{path}.{name}")


def _shapes_in(kind: Any) -> list[type]:
    """The TypedDicts that a type is made of."""
    if typing.get_origin(kind) in (list, dict, types.UnionType, typing.Union):
        return [shape for argument in typing.get_args(kind) for shape in _shapes_in(argument)]
    return [kind] if typing.is_typeddict(kind) else []
