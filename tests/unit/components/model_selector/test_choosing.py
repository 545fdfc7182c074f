"""What is chosen: by value, direction, blessing and size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.components.model_selector.choosing import Asked, choose
from headrace.errors import DataError, DefinitionError
from headrace.formats.evaluations.metrics import OVERALL, Metric
from headrace.formats.selections import Candidate, Selection

NAN = float("nan")


def chosen(
    values: Mapping[str, Any],
    asked: Asked = Asked("auc"),  # noqa: B008 - frozen
    *,
    metric: str = "auc",
    sizes: Mapping[str, int] | None = None,
    blessed: Mapping[str, bool] | None = None,
) -> Selection:
    """Choose among candidates with a value each, of one metric of all rows."""
    candidates = {
        name: Candidate(name, None, (sizes or {}).get(name, 1), (blessed or {}).get(name)) for name in values
    }
    evaluated = {
        name: [Metric(OVERALL, metric, "", value)] if value is not None else []
        for name, value in values.items()
    }
    return choose(asked, candidates, evaluated)


def test_the_largest_is_chosen_and_all_are_listed() -> None:
    found = chosen({"a": 0.91, "forest": 0.95, "b": 0.90})

    assert [(one.name, one.value) for one in found.candidates] == [("forest", 0.95), ("a", 0.91), ("b", 0.90)]
    assert (found.chosen, found.reason, found.is_lower_better) == (
        "forest",
        "it has the largest value",
        False,
    )


@pytest.mark.parametrize(
    ("by", "metric"),
    [("AUC", "auc"), ("BinaryAccuracy", "binary_accuracy"), ("mean_absolute_error", "MeanAbsoluteError")],
)
def test_a_metric_goes_by_either_name(by: str, metric: str) -> None:
    assert chosen({"a": 1, "b": 2}, Asked(by), metric=metric).metric == metric


def test_errors_are_better_when_small_unless_said() -> None:
    values = {"a": 1.0, "b": 2.0}

    assert chosen(values, Asked("mean_absolute_error"), metric="mean_absolute_error").chosen == "a"
    assert (
        chosen(values, Asked("mean_absolute_error", better="largest"), metric="mean_absolute_error").chosen
        == "b"
    )
    assert chosen(values, Asked("auc", better="smallest")).chosen == "a"


def test_of_equals_the_smaller_or_the_first() -> None:
    values, sizes = {"a": 0.5, "b": 0.5, "c": 0.4}, {"a": 10, "b": 5, "c": 1}

    small, first = chosen(values, sizes=sizes), chosen(values, Asked("auc", tie="first"), sizes=sizes)
    assert (small.chosen, small.reason) == (
        "b",
        "it is the one with the fewest bytes of 2 with the largest value",
    )
    assert (first.chosen, first.reason) == ("a", "it is the first of 2 with the largest value")


def test_what_was_refused_is_chosen_only_if_all_were() -> None:
    some = chosen({"a": 0.9, "b": 0.5}, blessed={"a": False, "b": True})
    assert (some.chosen, some.reason) == (
        "b",
        "it has the largest value of those that were not refused (a)",
    )
    every = chosen({"a": 0.9, "b": 0.5}, blessed={"a": False, "b": False})
    assert (every.chosen, every.reason) == ("a", "it has the largest value; none was blessed")


@pytest.mark.parametrize("missing", [None, NAN])
def test_what_has_no_value_comes_last_and_is_told(missing: Any) -> None:
    found = chosen({"a": missing, "b": -5.0})

    assert found.chosen == "b"
    assert found.candidates[1].value is None
    assert found.remarks == ["a has no auc in this slice"]


def test_what_has_no_value_comes_before_what_was_refused() -> None:
    """A model that was refused is chosen only if all were."""
    found = chosen({"a": 0.9, "b": None}, blessed={"a": False, "b": True})

    assert (found.chosen, found.reason) == ("b", "the others were refused (a); it has no value")


def test_without_any_value_nothing_is_chosen() -> None:
    with pytest.raises(DataError, match=r"'auc' is NaN in every evaluation: no model is the best"):
        chosen({"a": NAN, "b": NAN, "c": None})


def test_infinity_is_a_value() -> None:
    assert chosen({"a": float("inf"), "b": 1.0}).chosen == "a"
    assert chosen({"a": float("inf"), "b": 1.0}, Asked("auc", better="smallest")).chosen == "b"


def test_a_slice_is_compared_and_baselines_are_not() -> None:
    evaluated = {
        "a": [Metric(OVERALL, "auc", "", 0.9), Metric("sex:f", "auc", "", 0.1)],
        "b": [
            Metric(OVERALL, "auc", "", 0.8),
            Metric("sex:f", "auc", "", 0.2),
            Metric("sex:f", "auc", "baseline", 0.9, is_baseline=True),
            Metric("sex:f", "auc", "", 0.7, is_difference=True),
        ],
    }
    found = choose(Asked("auc", slice_name="sex:f"), {n: Candidate(n, None, 1) for n in "ab"}, evaluated)

    assert found.chosen == "b"
    assert found.candidates[0].value == 0.2


def test_other_rows_are_told() -> None:
    evaluated = {
        name: [Metric(OVERALL, "auc", "", 0.9), Metric(OVERALL, "example_count", "", count)]
        for name, count in (("a", 480), ("b", 1119))
    }
    found = choose(Asked("auc"), {n: Candidate(n, None, 1) for n in "ab"}, evaluated)

    assert found.remarks == ["the evaluations are of different rows (a 480, b 1,119)"]


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(
        DefinitionError, match=r"by is 'auk', and no evaluation has this metric. There are 'auc'"
    ):
        chosen({"a": 1, "b": 2}, Asked("auk"))
    with pytest.raises(DefinitionError, match=r"no evaluation has the slice 'sex:x'. There are 'Overall'"):
        chosen({"a": 1, "b": 2}, Asked("auc", slice_name="sex:x"))


@given(st.dictionaries(st.sampled_from("abcdef"), st.none() | st.floats(), min_size=2))
def test_the_choice_does_not_depend_on_the_order(values: dict[str, float | None]) -> None:
    """Without ties: names are sizes here."""
    if all(value is None or math.isnan(value) for value in values.values()):
        return
    sizes = {name: ord(name) for name in values}
    backwards = dict(reversed(list(values.items())))

    assert chosen(values, sizes=sizes).chosen == chosen(backwards, sizes=sizes).chosen
