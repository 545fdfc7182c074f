"""Which artifact is that of the previous span."""

from __future__ import annotations

import pytest
from ml_metadata.proto import metadata_store_pb2

from headrace.authoring import (
    Artifact,
    Channel,
    Importer,
    PreviousSpanStrategy,
    previous_span_of,
    standard_artifacts,
)
from headrace.errors import DefinitionError, InputResolutionError


def statistics(artifact_id: int, span: int) -> Artifact:
    artifact = standard_artifacts.ExampleStatistics()
    artifact.id = artifact_id
    artifact.span = span
    return artifact


def examples(artifact_id: int, span: int, version: int) -> Artifact:
    artifact = standard_artifacts.Examples()
    artifact.id = artifact_id
    artifact.span = span
    artifact.version = version
    return artifact


def as_custom(artifact_id: int, span: str) -> Artifact:
    """As ExampleGen of older TFX recorded it."""
    artifact = standard_artifacts.Model()
    artifact.id = artifact_id
    artifact.set_string_custom_property("span", span)
    return artifact


@pytest.mark.parametrize(
    ("current", "others", "found"),
    [
        # First run of span 3, and the second run, which sees what the first one made.
        ([statistics(3, 3)], [statistics(1, 1), statistics(2, 2), statistics(3, 3)], [2]),
        ([statistics(4, 3)], [statistics(1, 1), statistics(2, 2), statistics(3, 3), statistics(4, 3)], [2]),
        # An older span again, after newer ones.
        ([statistics(9, 2)], [statistics(1, 1), statistics(2, 2), statistics(3, 3), statistics(9, 2)], [1]),
        # Spans that came in another order than their numbers, and one that is missing.
        ([statistics(5, 7)], [statistics(1, 4), statistics(2, 2), statistics(5, 7)], [1]),
        # The newest of several of one span.
        ([statistics(5, 3)], [statistics(4, 2), statistics(2, 2), statistics(5, 3)], [4]),
        # A version counts before the time at which it was read.
        ([examples(9, 3, 0)], [examples(1, 2, 1), examples(2, 2, 0)], [1]),
        # There is no earlier one.
        ([statistics(2, 0)], [statistics(1, 0), statistics(2, 0)], []),
        ([statistics(1, 1)], [], []),
        # What comes before a window of spans.
        ([examples(5, 3, 0), examples(4, 2, 0)], [examples(n, n - 2, 0) for n in (3, 4, 5)], [3]),
        ([as_custom(3, "3")], [as_custom(1, "1"), as_custom(2, "2"), as_custom(3, "3")], [2]),
    ],
)
def test_the_newest_of_the_last_span_before_the_current_one_is_found(current, others, found):
    resolved = PreviousSpanStrategy().resolve_artifacts(None, {"current": current, "earlier": others})

    assert [artifact.id for artifact in resolved["earlier"]] == found
    assert resolved["current"] == current


class Store:
    """Statistics 11, 12 and 13 without a span, made of examples 1, 2 and 3, whose spans are custom properties."""

    def get_events_by_artifact_ids(self, artifact_ids: list[int]) -> list[metadata_store_pb2.Event]:
        return [event(number - 10, number, "OUTPUT") for number in artifact_ids if number > 10]

    def get_events_by_execution_ids(self, execution_ids: list[int]) -> list[metadata_store_pb2.Event]:
        return [
            one
            for number in execution_ids
            for one in (event(number, number, "INPUT"), event(number, number + 10, "OUTPUT"))
        ]

    def get_artifacts_by_id(self, artifact_ids: list[int]) -> list[metadata_store_pb2.Artifact]:
        return [as_custom(number, str(number)).mlmd_artifact for number in artifact_ids]


def event(execution_id: int, artifact_id: int, kind: str) -> metadata_store_pb2.Event:
    return metadata_store_pb2.Event(execution_id=execution_id, artifact_id=artifact_id, type=kind)


def test_statistics_that_record_no_span_have_that_of_their_examples():
    """StatisticsGen of TFX reads it where ExampleGen does not write it: all would be of span 0."""
    others = [statistics(number, 0) for number in (11, 12, 13)]

    found = PreviousSpanStrategy().resolve_artifacts(Store(), {"current": others[2:], "earlier": others})
    first = PreviousSpanStrategy().resolve_artifacts(Store(), {"current": others[:1], "earlier": others})

    assert [artifact.id for artifact in found["earlier"]] == [12]
    assert first["earlier"] == []


def test_what_a_node_makes_is_looked_up_under_the_id_that_it_has_in_the_end():
    """`with_id` may come after the channel was connected."""
    node = Importer("somewhere", standard_artifacts.Schema).with_id("Before")
    found = previous_span_of(node.outputs["result"])
    node.with_id("After")

    assert found.type is standard_artifacts.Schema
    assert found.get_data_dependent_node_ids() == {"After"}


def test_what_no_single_node_makes_has_no_previous_span():
    with pytest.raises(DefinitionError) as caught:
        previous_span_of(Channel(type=standard_artifacts.ExampleStatistics))

    assert str(caught.value) == (
        "previous_span_of: it is given a Channel, which no single node of this pipeline makes, so there is nobody whose "
        "earlier outputs it could find.\n"
        "  Fix: give an output of a node, such as statistics_gen.outputs['statistics']; or look it up with a Resolver and "
        "PreviousSpanStrategy."
    )


def test_the_input_whose_span_counts_may_have_another_name():
    strategy = PreviousSpanStrategy(current="today")
    resolved = strategy.resolve_artifacts(
        None, {"today": [statistics(2, 2)], "yesterday": [statistics(1, 1)]}
    )

    assert [artifact.id for artifact in resolved["yesterday"]] == [1]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"statistics": []}, r"there is no input 'current'.* There are 'statistics'\."),
        ({"current": [], "statistics": []}, r"its input 'current' has no artifact"),
        (
            {"current": [statistics(1, 1)], "model": [standard_artifacts.Model()]},
            r"Model artifact \d+ has no span",
        ),
    ],
)
def test_what_has_no_span_is_refused(inputs, message):
    with pytest.raises(InputResolutionError, match=message):
        PreviousSpanStrategy().resolve_artifacts(None, inputs)
