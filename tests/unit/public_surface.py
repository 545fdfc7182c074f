"""What is public, as README's table says, and what is said of its types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

README = Path(__file__).parents[2] / "README.md"


def table() -> dict[str, list[str]]:
    """The modules of README's table, and the words in code beside each row's."""
    section = README.read_text().partition("## What is public\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`headrace.*?) \| (.*) \|$", section, re.MULTILINE)
    return {
        module: re.findall(r"`(\w+)`", words)
        for modules, words in rows
        for module in re.findall(r"`([\w.]+)`", modules)
    }


def untyped(module: ModuleType) -> set[str]:
    """Where an annotation of a module's public names says `Any`, as `Class.method: argument`."""
    found: set[str] = set()
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if not getattr(value, "__module__", "").startswith("headrace"):
            continue  # TFX's own.
        classes = value.__mro__ if inspect.isclass(value) else ()
        for owner in classes:
            if owner.__module__.startswith("headrace"):
                found |= {f"{name}{place}" for place in _of_class(owner)}
        if inspect.isfunction(value):
            found |= {f"{name}: {argument}" for argument in _of(value)}
    return found


def _of_class(owner: type) -> Iterator[str]:
    yield from (f": {field}" for field in _of(owner))
    for name, member in vars(owner).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        # What a dataclass makes says of its fields what these say.
        is_made = name == "__init__" and hasattr(owner, "__dataclass_fields__")
        if inspect.isfunction(function) and not is_made and (name == "__init__" or not name.startswith("_")):
            yield from (f".{name}: {argument}" for argument in _of(function))


def _of(owner: Any) -> list[str]:
    annotations = inspect.get_annotations(owner)
    return [name for name, text in annotations.items() if re.search(r"\bAny\b", str(text))]
