"""The callbacks that a user gives: those that a function returns, or classes of Keras by name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from headrace.errors import DefinitionError, TrainingError, did_you_mean, listed
from headrace.usercode import functions

# Headrace reports progress and the result itself, and these change nothing but what is printed.
_NOT_BY_NAME = ("Callback", "CallbackList", "History", "ProgbarLogger")


def make(text: str | None, given: Mapping[str, Any], where: str) -> list[keras.callbacks.Callback]:
    """Return the callbacks of the parameter `callbacks`.

    Args:
        text: As it is recorded: a function's text, or a JSON list of names.
        given: What a function may ask for, by the name of its parameter.
        where: The node, for messages.

    Raises:
        DefinitionError: If a name is none of Keras' callbacks, or takes other arguments.
        TrainingError: If the function returns something else than callbacks, or asks for what there is not. What it
            raises itself passes through.
        UserFunctionError: If there is no such function.
    """
    if not text:
        return []
    if text.startswith("["):
        return [_by_name(one, where) for one in json.loads(text)]
    function = functions.load(text, f"{where}: callbacks")
    made = function(**_arguments(function, given, text, where))
    several = list(made) if isinstance(made, (list, tuple)) else [made]
    for one in several:
        if not isinstance(one, keras.callbacks.Callback):
            raise TrainingError(
                f"{where}: callbacks ({text}) returned {_told(one)}, which is no keras.callbacks.Callback.",
                "return a list of callbacks: [keras.callbacks.ReduceLROnPlateau(patience=3)].",
            )
    return several


def _arguments(
    function: Callable[..., Any], given: Mapping[str, Any], text: str, where: str
) -> dict[str, Any]:
    """Return what a function is called with: that of `given` which it has a parameter for."""
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return dict(given)
    asked = {}
    for one in parameters:
        if one.name in given and one.kind is not one.POSITIONAL_ONLY:
            asked[one.name] = given[one.name]
        elif one.default is one.empty and one.kind is not one.VAR_POSITIONAL:
            raise TrainingError(
                f"{where}: callbacks ({text}) asks for '{one.name}'. It can be given {listed(given)}.",
                f"{did_you_mean(one.name, given)}Correct the name of the parameter, or give it a default.",
            )
    return asked


def _by_name(entry: str | Mapping[str, Any], where: str) -> keras.callbacks.Callback:
    ((name, arguments),) = [(entry, {})] if isinstance(entry, str) else entry.items()
    known = [
        one
        for one, kind in vars(keras.callbacks).items()
        if isinstance(kind, type) and issubclass(kind, keras.callbacks.Callback) and one not in _NOT_BY_NAME
    ]
    if name not in known:
        raise DefinitionError(
            f"{where}: callbacks names '{name}', and keras.callbacks has no such class. There are {listed(known)}.",
            f"{did_you_mean(name, known)}Correct it, or make callbacks of your own in a function.",
        )
    try:
        made: keras.callbacks.Callback = getattr(keras.callbacks, name)(**arguments)
    except (TypeError, ValueError) as error:
        raise DefinitionError(
            f"{where}: callbacks cannot make a {name} with {dict(arguments)!r}: {error}",
            f"give arguments of keras.callbacks.{name}.",
        ) from error
    return made


def early_stopping(callbacks: Sequence[Any]) -> keras.callbacks.EarlyStopping | None:
    """Return the first of them that stops training early, if one does."""
    return next((one for one in callbacks if isinstance(one, keras.callbacks.EarlyStopping)), None)


def _told(thing: Any) -> str:
    return "None" if thing is None else f"a {type(thing).__module__}.{type(thing).__qualname__}"
