"""`example_source`: a generator function becomes an ExampleGen. Light."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace.errors import DefinitionError, did_you_mean, listed

if TYPE_CHECKING:
    from headrace.components.example_gen.function_component import FunctionExampleGen

# The library names components, and never imports them at its top.
_COMPONENT = "headrace.components.example_gen.function_component"
_PATH = "path"


class ExampleSource:
    """What `example_source` makes of a function: called, it gives the component.

    Attributes:
        function: The function itself, to try it: `next(rows.function("data/a.txt"))`.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function
        functools.update_wrapper(self, function)
        self._parameters = _parameters(function)

    def __call__(self, **given: Any) -> FunctionExampleGen:
        """Return the component, with the function's name as its id.

        Args:
            given: The arguments of `FunctionExampleGen`, such as `input_base`, and the function's own, by name.

        Raises:
            DefinitionError: If a name is neither, or a parameter without a default is missing.
        """
        kind: type[FunctionExampleGen] = importlib.import_module(_COMPONENT).FunctionExampleGen
        options = [
            name for name in inspect.signature(kind).parameters if name not in ("function", "parameters")
        ]
        name = self.function.__name__
        both = sorted(self._parameters.keys() & set(options))
        if both:
            raise DefinitionError(
                f"{name}: its parameter '{both[0]}' is called like an option of the component.",
                f"call it otherwise; the options are {listed(options)}.",
            )
        known = [*self._parameters, *options]
        for given_name in given:
            if given_name not in known:
                raise DefinitionError(
                    f"{name} takes no '{given_name}'. It takes {listed(self._parameters)}; its component, {listed(options)}.",
                    f"{did_you_mean(given_name, known)}Correct the name.",
                )
        missing = [
            one.name
            for one in self._parameters.values()
            if one.default is one.empty and one.name not in given
        ]
        if missing:
            raise DefinitionError(
                f"{name}: '{missing[0]}' is not given.", f"give it: {name}({missing[0]}=...)."
            )
        return kind(
            self.function,
            {key: value for key, value in given.items() if key in self._parameters},
            **{key: value for key, value in given.items() if key in options},
        ).with_id(name)

    def __repr__(self) -> str:
        return f"<example source {self.function.__name__}>"


def example_source(function: Callable[..., object]) -> ExampleSource:
    """Make an ExampleGen of a generator function, which yields rows: mappings of feature names to values.

    With `path` as its first parameter, it is called with each file that matches; else once. It stands at the top level
    of a script, a module or a notebook's cell. See `headrace.components.FunctionExampleGen` for what it may yield
    and for the arguments of what this returns.

    Raises:
        DefinitionError: If it is no function, or takes arguments that cannot be given by name.

    Example:
        >>> @example_source
        ... def words(path, lower=False):
        ...     with open(path) as file:
        ...         for line in file:
        ...             yield {"word": line.strip().lower() if lower else line.strip()}
        >>> words
        <example source words>
        >>> example_gen = words(input_base="data", pattern="*.txt", lower=True)  # doctest: +SKIP
    """
    if not inspect.isfunction(function):
        raise DefinitionError(
            f"example_source takes a function, and was given a {type(function).__name__}.",
            "write @example_source, without brackets, above `def`.",
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise DefinitionError(
            f"{function.__name__} is asynchronous.", "write a plain `def` that yields rows."
        )
    return ExampleSource(function)


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return what a function takes beside the path.

    Raises:
        DefinitionError: If it takes what cannot be given by name.
    """
    found = list(inspect.signature(function).parameters.values())
    if found and found[0].name == _PATH and found[0].kind is not inspect.Parameter.KEYWORD_ONLY:
        found = found[1:]
    for one in found:
        if one.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
            raise DefinitionError(
                f"{function.__name__}: its parameter '{one}' cannot be given by name.", "name each parameter."
            )
        if one.name == _PATH:
            raise DefinitionError(f"{function.__name__}: `path` is not its first parameter.", "put it first.")
    return {one.name: one for one in found}
