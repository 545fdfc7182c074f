"""What is said of a function component that does not fit: where it is defined, and in each execution.

TFX says of a wrong annotation which it is by the function's address, and of a function that returned nothing that an
output was not received, from within TFX.
"""

from __future__ import annotations

import functools
import inspect
import os
import typing
from collections.abc import Callable, Mapping
from typing import Any

from headrace.authoring import declarations, tfx_internals
from headrace.authoring.light import authoring
from headrace.errors import DefinitionError, HeadraceError, UserFunctionError, did_you_mean, listed
from headrace.files import files_below, is_folder

with authoring():
    from tfx.types.artifact import Artifact

_FORMS = (
    "InputArtifact[Examples], OutputArtifact[Model], Parameter[int], or a plain int, float, str, bytes, bool, dict or "
    "list for the value of an artifact"
)


def check(function: object) -> None:
    """Check what is given to the decorator `component`.

    Raises:
        DefinitionError: If it is no function of the top level of a file, an argument has no annotation or one of another
            form, or it returns something else than a dictionary of values.
    """
    if not inspect.isfunction(function):
        told = f"the class {function.__name__}" if isinstance(function, type) else repr(function)
        raise DefinitionError(
            f"component makes a component of a function, and was given {told}.",
            "write @component above a function; a class of your own derives from headrace.sdk.Component.",
        )
    where = where_of(function)
    if "." in function.__qualname__:
        raise DefinitionError(
            f"{where} is defined inside of {function.__qualname__.rpartition('.<locals>')[0].rpartition('.')[0] or 'a class'}.",
            "define it at the top level of its file: workers import it from there.",
        )
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise DefinitionError(
                f"{where}: argument '{parameter}' stands for any number of arguments.",
                "name each argument: a component's inputs and parameters are those of its function.",
            )
        if name not in function.__annotations__:
            raise DefinitionError(f"{where}: argument '{name}' has no annotation.", f"annotate it: {_FORMS}.")
        kind = function.__annotations__[name]
        if isinstance(kind, type) and issubclass(kind, Artifact):
            raise DefinitionError(
                f"{where}: argument '{name}' is annotated as {kind.__name__}, which does not say whether it comes in or "
                "goes out.",
                f"write InputArtifact[{kind.__name__}] or OutputArtifact[{kind.__name__}].",
            )
    returned = function.__annotations__.get("return")
    if returned is not None and not typing.is_typeddict(returned) and not hasattr(returned, "kwargs"):
        raise DefinitionError(
            f"{where}: its return annotation is {_told(returned)}, and a component returns values by name.",
            "derive a class from typing.TypedDict with a value for each output, and annotate it as that; artifacts "
            "are arguments: OutputArtifact[...].",
        )


def definition_error(function: Any, error: Exception) -> DefinitionError:
    """Return what TFX says of a function in a sentence of ours, with the function's place."""
    where = where_of(function)
    text = " ".join(str(error).split()).rstrip(".")
    for name in inspect.signature(function).parameters:
        if repr(name) in text:
            kind = _told(function.__annotations__.get(name))
            return DefinitionError(
                f"{where}: argument '{name}' is annotated as {kind}, which does not fit: {_without(function, text)}.",
                f"annotate it: {_FORMS}.",
            )
    return DefinitionError(f"{where}: {_without(function, text)}.", "correct the function's annotations.")


def watch(factory: Any, function: Callable[..., object]) -> None:
    """Let the executor of a component look at what its function gave, after each call."""
    tfx_internals.check_calls(factory, lambda values: _checked(function, values))
    make = factory.__init__

    def initialize(self: Any, *given: object, **arguments: object) -> None:
        check_call(factory, given, arguments)
        try:
            make(self, **arguments)
        except (TypeError, ValueError) as error:
            if isinstance(error, HeadraceError):
                raise
            text = " ".join(str(error).split()).rstrip(".")
            raise DefinitionError(f"{factory.__name__}: {text}.", "correct the arguments.") from error

    factory.__init__ = initialize


def where_of(function: Any) -> str:
    """Return a function with its place, such as `"function component Clean (features.py:12)"`."""
    code = function.__code__
    return (
        f"function component {function.__name__} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"
    )


def _checked(function: Callable[..., object], values: Mapping[str, bool]) -> Callable[..., object]:
    """Return a function that calls another and looks at what it gave.

    Args:
        function: The function.
        values: What it returns by name, and whether that may be None.
    """
    where = where_of(function)

    @functools.wraps(function)
    def called(**arguments: Any) -> object:
        outputs = {
            name: arguments[name]
            for name, kind in function.__annotations__.items()
            if tfx_internals.is_output(kind) and isinstance(arguments.get(name), Artifact)
        }
        before = {name: _properties(artifact) for name, artifact in outputs.items()}
        returned = function(**arguments)
        _check_returned(returned, values, function, where)
        for name, artifact in outputs.items():
            if _properties(artifact) == before[name] and not _is_written(artifact.uri):
                raise UserFunctionError(
                    f"{where} wrote nothing to its output '{name}', a folder: {artifact.uri}.",
                    f"write files below {name}.uri, or set a property of {name}, such as "
                    f'{name}.set_int_custom_property("rows", 0).',
                )
        return returned

    return called


def _check_returned(
    returned: object, values: Mapping[str, bool], function: Callable[..., object], where: str
) -> None:
    needed = [name for name, may_be_none in values.items() if not may_be_none]
    form = f"return {{{', '.join(f'{name!r}: ...' for name in values)}}}"
    if returned is None and needed:
        raise UserFunctionError(
            f"{where} returned nothing, and its annotation names {listed(values)}.", f"{form}."
        )
    if returned is None or not values:
        return
    if not isinstance(returned, Mapping):
        raise UserFunctionError(
            f"{where} returned {returned!r:.80}, of type {type(returned).__name__}, and its annotation names "
            f"{listed(values)}.",
            f"{form}.",
        )
    for name in values:
        if name not in returned:
            raise UserFunctionError(
                f"{where} returned no '{name}', which its annotation names. It returned {listed(map(str, returned))}.",
                f"{did_you_mean(name, map(str, returned))}Correct it: {form}.",
            )
        if returned[name] is None and name in needed:
            raise UserFunctionError(
                f"{where} returned None for '{name}', which may not be None.",
                "return a value, or annotate it as Optional.",
            )
        _check_type(
            returned[name], typing.get_type_hints(function.__annotations__["return"]).get(name), name, where
        )


def _check_type(value: object, kind: Any, name: str, where: str) -> None:
    """Check the plain kinds, as TFX does; of others TFX itself says what it expects."""
    is_wrong = kind in (int, float, str, bytes, bool) and not isinstance(value, kind)
    if is_wrong and not (kind is float and isinstance(value, int)):
        raise UserFunctionError(
            f"{where} returned {value!r:.80} for '{name}', of type {type(value).__name__}, and its annotation says "
            f"{kind.__name__}.",
            "return a value of that type, or correct the annotation.",
        )


def _properties(artifact: Any) -> bytes:
    proto = artifact.mlmd_artifact
    return bytes(proto.SerializeToString(deterministic=True))


def _is_written(uri: str) -> bool:
    if "://" in uri:
        return True
    return bool(next(iter(files_below(uri)), None)) if is_folder(uri) else os.path.exists(uri)


def _without(function: Any, text: str) -> str:
    """A text of TFX's without the address of the function."""
    return text.replace(repr(function), function.__name__).replace(str(function), function.__name__)


def _told(kind: Any) -> str:
    return str(getattr(kind, "__name__", None) or kind)


def check_call(factory: Any, given: tuple[object, ...], arguments: Mapping[str, object]) -> None:
    """Check the arguments with which a component is made of a function.

    Raises:
        ConnectionTypeError: If an input is no channel, or one of another artifact type.
        DefinitionError: If an argument is unknown or missing, or not given by name.
    """
    where, spec = factory.__name__, factory.SPEC_CLASS
    known = [*spec.INPUTS, *spec.PARAMETERS]
    if given:
        raise DefinitionError(
            f"{where} takes its arguments by name, and was given {len(given)} without.",
            f"write {where}({', '.join(f'{name}=...' for name in known)}).",
        )
    for name in arguments:
        if name not in known and name in spec.OUTPUTS:
            raise DefinitionError(
                f"{where}: '{name}' is an output, which is not given.",
                f"leave it out, and connect others with {where}(...).outputs.{name}.",
            )
        if name not in known:
            raise DefinitionError(
                f"{where} has no argument '{name}'. It has {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the name.",
            )
    for name, declared in [*spec.INPUTS.items(), *spec.PARAMETERS.items()]:
        is_input = name in spec.INPUTS
        if arguments.get(name) is None:
            if not declared.optional and name not in arguments:
                kind = f"a channel of {declared.type.__name__}" if is_input else _told(declared.type)
                raise DefinitionError(
                    f"{where}: '{name}' is missing. It takes {kind}.", f"give it: {name}=..."
                )
        elif is_input:
            declarations.check_channel(where, name, declared.type, arguments[name])
