"""The previous span: what a check for drift compares with.

`previous_span_of(statistics)` is all that is needed; `PreviousSpanStrategy` is for a Resolver of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError, InputResolutionError, listed

with authoring():
    from tfx.dsl.components.common import resolver
    from tfx.dsl.input_resolution import resolver_op
    from tfx.types.artifact import Artifact
    from tfx.types.channel import BaseChannel, Channel, OutputChannel
    from tfx.types.resolved_channel import ResolvedChannel

if TYPE_CHECKING:
    from ml_metadata.metadata_store import MetadataStore
    from ml_metadata.proto import metadata_store_pb2

_SPAN = "span"
_VERSION = "version"

Artifacts = Mapping[str, Sequence[Artifact]]


_CURRENT, _EARLIER = "current", "earlier"


class _MadeBy(Channel):
    """All that a node made in earlier runs, under the id that it has when the pipeline is compiled."""

    def __init__(self, made: OutputChannel) -> None:
        super().__init__(type=made.type, output_key=made.output_key)
        self._made = made

    @property
    def producer_component_id(self) -> str | None:
        """The node's id, which `with_id` may give it after this channel was made."""
        return str(self._made.producer_component_id)


def previous_span_of(made: BaseChannel) -> BaseChannel:
    """Return what the same node made of the newest span before the one at hand.

    It is resolved where it is an input, without a node of its own: in scripts, notebooks and compiled pipelines, also
    under TFX's runners. See `PreviousSpanStrategy` for what is found: the same at a second try and when a run is
    resumed; nothing where there is no earlier span, so the input has to be optional.

    Args:
        made: An output of a node of this pipeline whose artifacts have a span, such as
            `statistics_gen.outputs["statistics"]`.

    Raises:
        DefinitionError: If it is no output of a node.

    Example:
        >>> ExampleValidator(  # doctest: +SKIP
        ...     statistics=statistics,
        ...     schema=schema,
        ...     baseline_statistics=previous_span_of(statistics),
        ... )
    """
    if not isinstance(made, OutputChannel):
        raise DefinitionError(
            f"previous_span_of: it is given a {type(made).__name__}, which no single node of this pipeline makes, so "
            "there is nobody whose earlier outputs it could find.",
            "give an output of a node, such as statistics_gen.outputs['statistics']; or look it up with a Resolver and "
            "PreviousSpanStrategy.",
        )
    channels = {_CURRENT: made, _EARLIER: _MadeBy(made)}
    found = resolver_op.OpNode(
        op_type=PreviousSpanStrategy,
        output_data_type=resolver_op.DataType.ARTIFACT_MULTIMAP,
        args=[
            resolver_op.DictNode({key: resolver_op.InputNode(channel) for key, channel in channels.items()})
        ],
    )
    return ResolvedChannel(made.type, found, _EARLIER)


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
        spans = _Spans(store, [artifact for artifacts in input_dict.values() for artifact in artifacts])
        span = min(spans.of(artifact) for artifact in current)
        found = {key: spans.newest_before(span, artifacts) for key, artifacts in input_dict.items()}
        return {**found, self._current: current}


class _Spans:
    """Spans of artifacts, of those that record none the newest of what they were made of.

    StatisticsGen of TFX, and Headrace's of earlier versions, records span 0 whatever the span of its examples.

    Args:
        store: Knows what artifacts were made of; without one, what they record counts.
        artifacts: All that will be asked for.
    """

    def __init__(self, store: MetadataStore | None, artifacts: Sequence[Artifact]) -> None:
        without = [artifact.id for artifact in artifacts if artifact.id and not _number(artifact, _SPAN)]
        self._origins = _spans_of_origins(store, without) if store is not None and without else {}

    def of(self, artifact: Artifact) -> int:
        return _span(artifact) or self._origins.get(artifact.id, 0)

    def newest_before(self, span: int, artifacts: Sequence[Artifact]) -> list[Artifact]:
        earlier = [artifact for artifact in artifacts if self.of(artifact) < span]
        return sorted(earlier, key=lambda a: (self.of(a), _number(a, _VERSION) or 0, a.id))[-1:]


def _spans_of_origins(store: MetadataStore, artifact_ids: Sequence[int]) -> dict[int, int]:
    """Return, for artifacts, the newest span among the inputs of what made them; nothing for those without one."""
    made = {
        event.artifact_id: event.execution_id
        for event in store.get_events_by_artifact_ids(list(dict.fromkeys(artifact_ids)))
        if event.type in (event.OUTPUT, event.INTERNAL_OUTPUT, event.DECLARED_OUTPUT)
    }
    if not made:
        return {}
    events = store.get_events_by_execution_ids(list(dict.fromkeys(made.values())))
    used = [
        (event.execution_id, event.artifact_id)
        for event in events
        if event.type in (event.INPUT, event.INTERNAL_INPUT, event.DECLARED_INPUT)
    ]
    protos = store.get_artifacts_by_id(list(dict.fromkeys(artifact_id for _, artifact_id in used)))
    spans = {proto.id: number for proto in protos if (number := _recorded(proto, _SPAN))}
    newest: dict[int, int] = {}
    for execution_id, artifact_id in used:
        newest[execution_id] = max(newest.get(execution_id, 0), spans.get(artifact_id, 0))
    return {artifact_id: newest.get(execution_id, 0) for artifact_id, execution_id in made.items()}


def _span(artifact: Artifact) -> int:
    span = _number(artifact, _SPAN)
    if span is None:
        raise InputResolutionError(
            f"PreviousSpanStrategy: {artifact.type_name} artifact {artifact.id} has no span.",
            "look among artifacts that have one, such as Examples and ExampleStatistics.",
        )
    return span


def _number(artifact: Artifact, name: str) -> int | None:
    """A property; 0 where its type has one that is not set, `None` where there is none."""
    found = _recorded(artifact.mlmd_artifact, name)
    if found is not None:
        return found
    return 0 if name in (artifact.PROPERTIES or {}) else None


def _recorded(proto: metadata_store_pb2.Artifact, name: str) -> int | None:
    """A property; ExampleGen of older TFX wrote spans as custom ones, and as text."""
    for properties in (proto.properties, proto.custom_properties):
        if name in properties:
            value = properties[name]
            return int(getattr(value, value.WhichOneof("value")))
    return None
