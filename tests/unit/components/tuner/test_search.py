"""What a search proposes: by its method, its seed, and what was tried."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.components.tuner.search import Search
from headrace.components.tuner.search_space import (
    AUTO,
    BAYESIAN,
    GRID,
    HYPERBAND,
    RANDOM,
    combination,
    num_combinations,
    num_values,
    value_at,
)
from headrace.components.tuner.trials import COMPLETE, FAILED, PRUNED, Trial

SPACE = {
    "units": {"min": 2, "max": 8},
    "rate": {"min": 1e-4, "max": 1e-1, "sampling": "log"},
    "kept": {"min": 0.1, "max": 0.99, "sampling": "reverse_log"},
    "size": {"min": 1, "max": 64, "step": 2, "sampling": "log"},
    "layer": ["a", "b"],
}
FEW = {"units": [1, 2, 3], "is_deep": [True, False]}


def tried(search: Search, number: int, score: Any = None) -> list[Trial]:
    """As many trials, one after another; each has the score that a function gives its values."""
    trials: list[Trial] = []
    for place in range(number):
        values = search.propose(place, trials, [])
        if values is None:
            break
        trials.append(Trial(place, values, COMPLETE, 0.0 if score is None else score(values)))
    return trials


def test_few_combinations_are_all_tried_where_nothing_is_said() -> None:
    found = [one.values for one in tried(Search(FEW, AUTO, 6, "min", 1), 10)]

    assert found == [combination({"is_deep": FEW["is_deep"], "units": FEW["units"]}, n) for n in range(6)]
    assert Search(FEW, AUTO, 5, "min", 1).method == RANDOM


@pytest.mark.parametrize("method", [RANDOM, BAYESIAN, HYPERBAND])
def test_no_combination_is_tried_twice(method: str) -> None:
    """Until there is none left, however many are asked for."""
    found = [tuple(one.values.values()) for one in tried(Search(FEW, method, 50, "min", 3), 50)]

    assert len(found) == len(set(found)) == 6


def test_what_runs_is_not_tried_beside() -> None:
    search = Search({"units": [1, 2]}, RANDOM, 2, "min", 1)
    first = search.propose(0, [], [])
    assert first is not None

    assert search.propose(1, [], [first]) == {"units": 3 - first["units"]}


def test_a_grid_larger_than_the_trials_is_tried_everywhere() -> None:
    """Also one that no memory could hold."""
    space = {"units": {"min": 1, "max": 10**12}, "layer": ["a", "b"]}
    found = [one.values["units"] for one in tried(Search(space, GRID, 20, "min", 1), 30)]

    assert len(set(found)) == 20
    assert min(found) < 10**12 / 4
    assert max(found) > 3 * 10**12 / 4


@pytest.mark.parametrize("method", [RANDOM, BAYESIAN])
def test_a_search_that_goes_on_proposes_what_it_would_have(method: str) -> None:
    """The proposal is a function of the number, the seed and the trials so far."""
    trials = tried(Search(SPACE, method, 20, "min", 7), 15, lambda values: values["units"])
    later = Search(SPACE, method, 20, "min", 7)

    assert later.propose(14, trials[:14], []) == trials[14].values
    assert Search(SPACE, method, 20, "min", 8).propose(14, trials[:14], []) != trials[14].values


@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_bayesian_search_comes_near_the_best(direction: str) -> None:
    """Whichever way is better; of twenty values at random four would be so near."""
    sign = 1 if direction == "min" else -1
    space = {"x": {"min": 0.0, "max": 1.0}}
    found = tried(
        Search(space, BAYESIAN, 40, direction, 1), 40, lambda values: sign * (values["x"] - 0.3) ** 2
    )

    near = [abs(one.values["x"] - 0.3) < 0.1 for one in found[20:]]
    assert sum(near) > 8


def test_trials_without_a_score_are_no_reason_to_stop() -> None:
    search = Search(SPACE, BAYESIAN, 40, "min", 1)
    ended = [
        Trial(0, {**search.propose(0, [], [])}, FAILED),  # type: ignore[dict-item]
        Trial(1, {**search.propose(1, [], [])}, PRUNED, 2.0),  # type: ignore[dict-item]
        Trial(2, {**search.propose(2, [], [])}, COMPLETE, float("nan")),  # type: ignore[dict-item]
    ]

    assert set(search.propose(3, ended, [ended[0].values]) or {}) == set(SPACE)  # type: ignore[list-item]


ranges = st.one_of(
    st.tuples(st.integers(-50, 50), st.integers(1, 60), st.none() | st.integers(1, 20)).map(
        lambda n: {"min": n[0], "max": n[0] + n[1]} | ({"step": n[2]} if n[2] else {})
    ),
    st.tuples(
        st.floats(0.001, 1), st.floats(1.5, 100), st.sampled_from(["linear", "log", "reverse_log"])
    ).map(lambda n: {"min": n[0], "max": n[0] * n[1], "sampling": n[2]}),
    st.tuples(
        st.floats(0.001, 1), st.floats(2, 100), st.floats(1.1, 9), st.sampled_from(["log", "reverse_log"])
    ).map(lambda n: {"min": n[0], "max": n[0] * n[1], "step": n[2], "sampling": n[3]}),
)


@settings(max_examples=30, deadline=None)
@given(ranges, st.sampled_from([RANDOM, BAYESIAN]), st.integers(0, 1000))
def test_values_are_in_their_range(values: dict[str, Any], method: str, seed: int) -> None:
    """Whole where both ends are; of a stepped range one of its values."""
    trials = tried(Search({"x": values}, method, 8, "min", seed), 8)
    found = [one.values["x"] for one in trials]

    assert all(values["min"] - 1e-9 <= x <= values["max"] * (1 + 1e-9) + 1e-9 for x in found)
    assert all(isinstance(x, type(values["min"])) for x in found)
    number = num_values(values)
    if number < 1000:
        allowed = [value_at(values, place) for place in range(int(number))]
        assert all(min(abs(x - each) for each in allowed) < 1e-9 for x in found)
        assert len(found) == min(8, number)


def test_combinations_are_counted_and_found_by_place() -> None:
    space = {
        "a": {"min": 1, "max": 7, "step": 2},
        "b": ["x", "y"],
        "c": {"min": 0.1, "max": 0.5, "step": 0.1},
    }

    assert num_combinations(space) == 40
    found = [combination(space, place) for place in range(40)]
    assert found[0] == {"a": 1, "b": "x", "c": 0.1}
    assert found[1] == {"a": 1, "b": "x", "c": 0.2}
    assert found[39] == {"a": 7, "b": "y", "c": 0.5}
    assert len({tuple(each.values()) for each in found}) == 40
    assert num_combinations({"a": {"min": 0.0, "max": 1.0}}) == float("inf")
