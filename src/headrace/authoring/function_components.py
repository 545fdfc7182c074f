"""TFX's function components, with their outputs as attributes too, and with types for editors and type checkers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, cast, overload

from headrace.authoring import function_checks
from headrace.authoring.light import authoring
from headrace.authoring.outputs import Outputs, UndeclaredOutputs
from headrace.errors import DefinitionError

with authoring():
    from tfx.dsl.component.experimental import decorators
    from tfx.types.system_executions import SystemExecution

if TYPE_CHECKING:
    # In the function, an artifact is one, and a parameter its value.
    GivenT = TypeVar("GivenT")
    BeamComponentParameter = Annotated[GivenT, "Beam"]
    InputArtifact = Annotated[GivenT, "input"]
    OutputArtifact = Annotated[GivenT, "output"]
    Parameter = Annotated[GivenT, "parameter"]
else:
    with authoring():
        from tfx.dsl.component.experimental.annotations import (  # noqa: F401
            BeamComponentParameter,
            InputArtifact,
            OutputArtifact,
            Parameter,
        )


class FunctionComponent(decorators.BaseFunctionalComponent):
    """A component that a function makes."""

    @property
    def outputs(self) -> UndeclaredOutputs:
        """The channels of the output artifacts and of the values that the function returns."""
        if not isinstance(self.spec.outputs, Outputs):
            self.spec.outputs = UndeclaredOutputs(self.spec.outputs)
        return cast("UndeclaredOutputs", self.spec.outputs)


class FunctionComponentFactory(Protocol):
    """What `component` makes of a function: called with channels and parameters by name, it gives a component."""

    def __call__(self, **arguments: Any) -> FunctionComponent: ...

    def test_call(self, *args: Any, **arguments: Any) -> Any:
        """Call the function itself."""
        ...


@overload
def component(func: Callable[..., object], /) -> FunctionComponentFactory: ...


@overload
def component(
    *, component_annotation: type[SystemExecution] | None = None, use_beam: bool = False
) -> Callable[[Callable[..., object]], FunctionComponentFactory]: ...


def component(
    func: Callable[..., object] | None = None,
    /,
    *,
    component_annotation: type[SystemExecution] | None = None,
    use_beam: bool = False,
) -> FunctionComponentFactory | Callable[[Callable[..., object]], FunctionComponentFactory]:
    """Make a component of a function, as TFX's decorator `tfx.dsl.components.component` does.

    The file may say `from __future__ import annotations`.

    Args:
        func: At the top level of its file. Its annotations say what it takes: `InputArtifact`, `OutputArtifact`,
            `Parameter`, or a plain type for the value of an artifact; a `TypedDict` says what values it returns.
        component_annotation: TFX's kind of what it does, such as `system_executions.Train`.
        use_beam: Whether it takes a Beam pipeline, as `BeamComponentParameter`.

    Raises:
        DefinitionError: If this is no function of the top level of a file, or an annotation is missing, of another form,
            or names what the file does not define.

    When it runs, a function that returns something else than its annotation says, or leaves an output without files and
    without a property, fails the node with a `UserFunctionError`.

    Example:
        >>> @component  # doctest: +SKIP
        ... def Rename(examples: InputArtifact[Examples], renamed: OutputArtifact[Examples]):
        ...     ...
        >>> Rename(examples=rows.outputs.examples).outputs.renamed  # doctest: +SKIP
    """

    def made(function: Callable[..., object]) -> FunctionComponentFactory:
        if inspect.isfunction(function):
            function.__annotations__ = _evaluated(function)
        function_checks.check(function)
        try:
            factory: Any = decorators.component(
                cast("FunctionType", function), component_annotation=component_annotation, use_beam=use_beam
            )
        except (TypeError, ValueError) as error:
            raise function_checks.definition_error(function, error) from error
        function_checks.watch(factory, function)
        factory.outputs = FunctionComponent.outputs
        FunctionComponent.register(factory)
        return cast("FunctionComponentFactory", factory)

    return made if func is None else made(func)


def _evaluated(function: Callable[..., object]) -> dict[str, Any]:
    """What a function's annotations say; TFX does not look for them behind texts."""
    try:
        return inspect.get_annotations(function, eval_str=True)
    except NameError as error:
        raise DefinitionError(
            f"function component {function.__name__}: an annotation cannot be read: {error}.",
            "import or define what the annotations name at the top level of the file, also where it runs.",
        ) from error
