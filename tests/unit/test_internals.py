"""Private parts of other libraries: compared with the form that is known, and named in one module of each library."""

from __future__ import annotations

import ast
import functools
import re
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.internals import Library, UnknownForm, fields_of

ROOT = Path(__file__).parents[2]
# What these libraries document, beside what their top package holds.
PUBLIC = {
    "tensorflow_model_analysis": ("proto",),
    "tensorflow_transform": ("beam", "beam.analyzer_cache", "tf_metadata"),
    "tensorflow_data_validation": ("anomalies.proto",),
    "tfx_bsl": ("public",),
    "apache_beam": ("metrics", "options"),
    "tensorflow": ("core",),
}


class Part:
    """A class with slots and a field."""

    __slots__ = ("__dict__", "one")

    def __init__(self, first: int, second: int) -> None:
        self.two = first + second


OWNER = SimpleNamespace(
    function=lambda first, second: None, Part=Part, Fields=namedtuple("Fields", "first second"), NAME="x"
)


def library() -> Library:
    return Library("Click", "click")


@pytest.mark.parametrize("name", ["function", "Part", "Fields"])
@pytest.mark.parametrize(
    ("parameters", "is_known"),
    [
        ("first second", True),
        (None, True),
        ("first", False),
        ("first second third", False),
        ("first 2nd", False),
    ],
)
def test_a_part_counts_with_exactly_the_parameters_that_are_known(
    name: str, parameters: str | None, is_known: bool
) -> None:
    """A parameter that is new, renamed or gone may change what is computed."""
    looked = library()

    found = looked.part(OWNER, name, parameters)

    assert found == (getattr(OWNER, name) if is_known else None)
    assert looked.unknown == ([] if is_known else [f"another {name}"])


@pytest.mark.parametrize("owner", [OWNER, None])
def test_a_part_that_is_gone_is_told(owner: Any) -> None:
    """Also one of a class that is gone itself."""
    looked = library()
    assert looked.reason == ""
    looked.require()

    looked.parts(owner, {"_gone": None, "_lost": "x"})

    assert looked.reason.startswith("Click 8.")
    assert looked.reason.endswith(" has no _gone, no _lost")
    with pytest.raises(UnknownForm, match=r"has no _gone, no _lost$"):
        looked.require()


def test_a_module_that_is_gone_is_told_with_the_version() -> None:
    """In place of the import's own words alone."""
    with (
        pytest.raises(UnknownForm, match=r"^Click 8\.\S+ is another one: .*no_such_module"),
        library().importing(),
    ):
        import click.no_such_module  # type: ignore[import-not-found]  # noqa: F401


def test_fields_are_those_of_the_object_and_of_its_slots() -> None:
    """Whether they have a value or not."""
    assert fields_of(Part(1, 2)) == {"one", "two"}


# To parse all modules takes seconds: a text that has neither is not looked at closer.
_MAY_IMPORT_INTERNALS = re.compile(
    rf"\b(?:{'|'.join(PUBLIC)})\b|^\s*(?:from\s+(?!headrace)\S+\s+)?import\s(?:\([^)]*|.*)\b_[a-z]",
    re.MULTILINE,
)
_MAY_READ_NAMES = re.compile(r"attr\(")


@functools.cache
def texts() -> dict[str, str]:
    """All modules but those that name private parts, by their place."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("src/headrace", "components", "pipelines")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.name.endswith("_internals.py")
    }


def trees(pattern: re.Pattern[str]) -> Iterator[tuple[str, ast.Module]]:
    """The modules in whose text a pattern is, parsed."""
    return ((place, ast.parse(text)) for place, text in texts().items() if pattern.search(text))


def is_private(name: str) -> bool:
    """Whether a name begins with one underscore; that of named tuples is documented."""
    return name.startswith("_") and not name.startswith("__") and name != "_fields"


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_public(name: str) -> bool:
    """Whether a library documents a module, or it is one of a library that is not looked at."""
    package, *parts = name.split(".")
    if package not in PUBLIC or len(parts) < 2:
        return True
    return any(".".join(parts).startswith(known) for known in PUBLIC[package])


def test_internal_modules_of_libraries_are_imported_in_one_module_of_each() -> None:
    """Where they are compared with the form that is known."""
    found = [
        f"{place}: {name}"
        for place, tree in trees(_MAY_IMPORT_INTERNALS)
        for name in imported(tree)
        if not is_public(name) or (not name.startswith("headrace.") and is_private(name.rpartition(".")[2]))
    ]

    assert found == []


def test_private_names_of_others_are_not_read_as_text() -> None:
    """`getattr(x, "_name", None)` takes a renamed field for one that is not set. Ruff finds `x._name`."""
    found = [
        f"{place}:{node.lineno}: {node.args[1].value}"
        for place, tree in trees(_MAY_READ_NAMES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in ("getattr", "setattr", "hasattr")
        and isinstance(node.args[1], ast.Constant)
        and is_private(str(node.args[1].value))
    ]

    assert found == []
