"""The previous span: what a check for drift compares with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headrace.authoring.light import authoring
from headrace.errors import InputResolutionError, listed

with authoring():
    from tfx.dsl.components.common import resolver
    from tfx.types.artifact import Artifact

if TYPE_CHECKING:
    from ml_metadata.metadata_store import MetadataStore

_SPAN = "span"
_VERSION = "version"

Artifacts = Mapping[str, Sequence[Artifact]]


class PreviousSpanStrategy(resolver.ResolverStrategy):
    """Resolves, for each input but one, the newest artifact of the last span before that of this one.

    "The latest" of `LatestArtifactStrategy` is, when the same span is run a second time, what the first time
    made: statistics are compared with themselves, and a check that failed passes. What this finds depends on
    the span at hand, not on how often or in which order spans were run: running again and resuming give the same.

    Where there is no earlier span, it finds nothing, and what follows must be able to do without: an input that
    is optional, such as the baseline of ExampleValidator. Data that no pattern with `{SPAN}` divides are all of
    span 0.

    Args:
        current: The input whose span counts. It is handed on as it is.

    Example:
        >>> from headrace.authoring import Channel, Resolver, standard_artifacts
        >>> previous = Resolver(  # doctest: +SKIP
        ...     strategy_class=PreviousSpanStrategy,
        ...     current=statistics_gen.outputs["statistics"],
        ...     statistics=Channel(
        ...         type=standard_artifacts.ExampleStatistics, producer_component_id=statistics_gen.id
        ...     ),
        ... ).with_id("PreviousStatistics")
        >>> previous.outputs["statistics"]  # doctest: +SKIP
    """

    def __init__(self, current: str = "current") -> None:
        self._current = current

    def resolve_artifacts(self, store: MetadataStore, input_dict: Artifacts) -> dict[str, list[Artifact]]:
        """See TFX.

        Raises:
            InputResolutionError: If there is no input `current`, it has no artifact, or one without a span.
        """
        if self._current not in input_dict:
            raise InputResolutionError(
                f"PreviousSpanStrategy: there is no input '{self._current}', whose span would count. There are "
                f"{listed(input_dict)}.",
                f"give the resolver {self._current}=..., or name the input in config={{'current': ...}}.",
            )
        current = list(input_dict[self._current])
        if not current:
            raise InputResolutionError(
                f"PreviousSpanStrategy: its input '{self._current}' has no artifact.",
                "connect it to an output of this pipeline: its span counts.",
            )
        span = min(_span(artifact) for artifact in current)
        found = {key: _newest_before(span, artifacts) for key, artifacts in input_dict.items()}
        return {**found, self._current: current}


def _newest_before(span: int, artifacts: Sequence[Artifact]) -> list[Artifact]:
    earlier = [artifact for artifact in artifacts if _span(artifact) < span]
    return sorted(earlier, key=lambda a: (_span(a), _number(a, _VERSION) or 0, a.id))[-1:]


def _span(artifact: Artifact) -> int:
    span = _number(artifact, _SPAN)
    if span is None:
        raise InputResolutionError(
            f"PreviousSpanStrategy: {artifact.type_name} artifact {artifact.id} has no span.",
            "look among artifacts that have one, such as Examples and ExampleStatistics.",
        )
    return span


def _number(artifact: Artifact, name: str) -> int | None:
    """A property; ExampleGen of older TFX wrote spans as custom ones, and as text. `None` where there is none."""
    proto = artifact.mlmd_artifact
    for properties in (proto.properties, proto.custom_properties):
        if name in properties:
            value = properties[name]
            return int(getattr(value, value.WhichOneof("value")))
    return 0 if name in (artifact.PROPERTIES or {}) else None
