"""A component's outputs by name: `component.outputs.examples` beside TFX's `component.outputs["examples"]`.

A component declares its outputs for editors and type checkers as a class::

    class StatisticsGenOutputs(Outputs):
        statistics: OutputOf[standard_artifacts.ExampleStatistics]

    class StatisticsGen(Component[StatisticsGenOutputs]): ...

What there is when a pipeline is written follows from the component's arguments: an output that it does not make is no
attribute then, and the error names those that are.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any, NoReturn

from typing_extensions import TypeVar

from headrace.authoring.light import authoring
from headrace.errors import UnknownOutputError, did_you_mean, listed

with authoring():
    from tfx.types.artifact import Artifact
    from tfx.types.channel import BaseChannel, OutputChannel

ArtifactT = TypeVar("ArtifactT", bound=Artifact)

if TYPE_CHECKING:
    from typing import Generic

    class OutputOf(OutputChannel, Generic[ArtifactT]):
        """TFX's `OutputChannel` of artifacts of one type; TFX's own class does not say which."""

        @property
        def type(self) -> type[ArtifactT]: ...

else:
    OutputOf = BaseChannel


class Outputs(dict[str, OutputChannel]):
    """The outputs of a component: TFX's mapping of keys to channels, whose keys are attributes too.

    An output whose key is a method of a mapping, such as `items`, is reached as `outputs["items"]` alone.

    Raises:
        UnknownOutputError: If there is no such output: an `AttributeError` and a `KeyError`.
    """

    def __missing__(self, key: str) -> NoReturn:
        producers = {channel.producer_component_id for channel in self.values()}
        where = f"{producers.pop()}: there" if len(producers) == 1 else "There"
        raise UnknownOutputError(
            f"{where} is no output '{key}'; there are {listed(self)}.",
            f"{did_you_mean(key, self)}Take one of these; some outputs are made with certain arguments only.",
        )

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *filter(_is_attribute, self)})

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> OutputChannel:
            if name.startswith("__"):  # What copy, pickle and notebooks ask any object for.
                raise AttributeError(name)
            return self[name]


def _is_attribute(key: str) -> bool:
    return key.isidentifier() and not keyword.iskeyword(key)


class UndeclaredOutputs(Outputs):
    """The outputs of a component that declares no class of them: each attribute is taken for an output."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> OutputOf[Any]: ...


OutputsT = TypeVar("OutputsT", bound=Outputs, default=UndeclaredOutputs)
