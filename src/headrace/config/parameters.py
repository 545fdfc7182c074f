"""A pipeline's parameters: the keyword arguments of its `create_pipeline`, checked before it is called."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from headrace.config.document import Document
from headrace.errors import ConfigError, did_you_mean, listed


def check_parameters(
    function: Callable[..., Any], given: Mapping[str, Any], *, name: str, document: Document
) -> dict[str, Any]:
    """Check values against a function's signature and type hints.

    Args:
        function: `create_pipeline`, or what stands for it.
        given: Values by parameter name.
        name: The pipeline, for messages.
        document: Knows where each value was written, under `parameters`.

    Returns:
        The keyword arguments, with values converted to the hinted types (a whole number to a float).

    Raises:
        ConfigError: If a parameter is unknown, missing, or of another type.
    """
    signature = inspect.signature(function)
    known = {
        key: parameter
        for key, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
    for key in given:
        if key not in known and not takes_any:
            raise ConfigError(
                f"{document.origin(('parameters', key))}: pipeline '{name}' has no parameter '{key}'. "
                f"It has {listed(known)}.",
                f"{did_you_mean(key, known)}Correct or remove it.",
            )
    missing = [key for key, parameter in known.items() if parameter.default is parameter.empty]
    missing = [key for key in missing if key not in given]
    if missing:
        raise ConfigError(
            f"pipeline '{name}' needs a value for {listed(missing)}.",
            f"add --set {missing[0]}=VALUE, or write it below 'parameters:' in a configuration file.",
        )
    hints = _hints(function)
    return {
        key: _check_type(key, value, hints[key], known[key], document)
        if key in hints and key in known
        else value
        for key, value in given.items()
    }


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):
        # Names that only a type checker imports: such values go to the function unchecked.
        return {}


def _check_type(key: str, value: Any, hint: Any, parameter: inspect.Parameter, document: Document) -> Any:
    try:
        return TypeAdapter(hint).validate_python(value)
    except PydanticUserError:
        # A type that pydantic does not know, such as one of TFX's.
        return value
    except ValidationError:
        default = (
            "" if parameter.default is parameter.empty else f", such as the default {parameter.default!r}"
        )
        written = parameter.annotation
        wanted = written if isinstance(written, str) else inspect.formatannotation(written)
        raise ConfigError(
            f"{document.origin(('parameters', key))}: parameter '{key}' is {value!r} ({type(value).__name__}). "
            f"It takes {wanted}{default}.",
            "correct the value; text that looks like a number goes in quotes.",
        ) from None
