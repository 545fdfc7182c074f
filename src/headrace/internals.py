"""Private parts of other libraries that Headrace builds on, in the form in which they are known.

What a library keeps to itself may change with any of its releases. A field that was renamed reads as "not set", one
that is new may change what is computed, and nothing raises: the numbers are wrong. So each library has a module
`*_internals.py` near those that use it, which alone names its underscored parts. It looks each one up with a `Library`,
which compares it with the form that is known; where one is absent or has another form, the library's own way is taken.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
from collections.abc import Iterable, Iterator
from typing import Any


class UnknownForm(ImportError):
    """A library lacks a part that is built on, or has it in another form; the text says which."""


class Library:
    """An installed library, as its internals module looks at it.

    Args:
        name: What people call it, such as `"TFMA"`.
        distribution: The package that brings it, whose version is told.

    Attributes:
        unknown: The parts that are absent or have another form, as `"no _split"` or `"another _split"`.
    """

    def __init__(self, name: str, distribution: str) -> None:
        self._name = name
        self._distribution = distribution
        self.unknown: list[str] = []

    @property
    def told(self) -> str:
        """Name and version, such as `"TFMA 0.47.1"`."""
        try:
            return f"{self._name} {importlib.metadata.version(self._distribution)}"
        except importlib.metadata.PackageNotFoundError:
            return self._name

    @property
    def reason(self) -> str:
        """What is absent or has another form, as `"TFMA 0.47.1 has another _Foo"`; empty where all is as known."""
        return f"{self.told} has {', '.join(dict.fromkeys(self.unknown))}" if self.unknown else ""

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Import internal modules inside this context.

        Raises:
            UnknownForm: In place of what an import raises where the module or the name is not there.
        """
        try:
            yield
        except UnknownForm:
            raise
        except ImportError as error:
            raise UnknownForm(f"{self.told} is another one: {error}") from error

    def part(self, owner: Any, name: str, parameters: str | None = None) -> Any:
        """Return a part of a module or class, where it has the form that is known.

        Args:
            owner: The module or class; `None` where that is absent.
            name: The part's name there.
            parameters: Names of all its parameters, of a class those of its constructor, in their order and separated
                by spaces; of a class of named tuples its fields. `None` for a part that is not called.

        Returns:
            The part; `None`, with a line in `unknown`, where it is absent or has other parameters.
        """
        found = getattr(owner, name, None)
        if found is None:
            self.unknown.append(f"no {name}")
        elif parameters is not None and not takes(found, parameters):
            self.unknown.append(f"another {name}")
            found = None
        return found

    def parts(self, owner: Any, forms: dict[str, str | None]) -> None:
        """Compare parts that are used where they are; see `part`."""
        for name, parameters in forms.items():
            self.part(owner, name, parameters)

    def require(self) -> None:
        """Check that all is as it is known.

        Raises:
            UnknownForm: If a part is absent or has another form.
        """
        if self.unknown:
            raise UnknownForm(self.reason)


def fields_of(value: Any) -> frozenset[str]:
    """Return the names of an object's fields, those of `__slots__` too."""
    slots: list[str] = []
    for kind in type(value).__mro__:
        declared: str | Iterable[str] = vars(kind).get("__slots__", ())
        slots += [declared] if isinstance(declared, str) else declared
    return frozenset(getattr(value, "__dict__", {})) | {name for name in slots if not name.startswith("__")}


def takes(found: Any, parameters: str) -> bool:
    """Whether a function, class or class of named tuples has these parameters or fields and no others.

    Args:
        found: The function or class.
        parameters: Their names in order, separated by spaces.
    """
    fields = getattr(found, "_fields", None)
    if isinstance(fields, tuple):
        return list(fields) == parameters.split()
    try:
        return list(inspect.signature(found).parameters) == parameters.split()
    except (TypeError, ValueError):
        return False
