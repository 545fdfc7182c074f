"""Which artifact is that of the previous span."""

from __future__ import annotations

import pytest

from headrace.authoring import Artifact, PreviousSpanStrategy, standard_artifacts
from headrace.errors import InputResolutionError


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
