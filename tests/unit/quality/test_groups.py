"""Groups of equal and near rows: the first one stays, whatever the order of digests."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headrace.quality.groups import NONE, first_equal, first_near, in_conflict


def _digests(numbers: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    # The first half alone does not tell them apart.
    return np.array([[number % 2, number] for number in numbers], np.uint64).reshape(len(numbers), 2)


@given(st.lists(st.integers(0, 6), max_size=40), st.data())
def test_each_chosen_row_is_given_the_first_chosen_one_that_it_equals(
    numbers: list[int], data: st.DataObject
) -> None:
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(numbers), max_size=len(numbers))), bool)

    found = first_equal(_digests(numbers), chosen)

    for row, number in enumerate(numbers):
        same = [at for at, other in enumerate(numbers) if other == number and chosen[at]]
        assert found[row] == (same[0] if chosen[row] else NONE)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=30))
def test_a_conflict_names_for_each_row_one_of_another_label(rows: list[tuple[int, int]]) -> None:
    bare = _digests([features for features, _ in rows])
    labelled = _digests([10 * features + label for features, label in rows])

    found = in_conflict(bare, labelled, np.ones(len(rows), bool))

    for row, (features, label) in enumerate(rows):
        others = [at for at, (same, other) in enumerate(rows) if same == features and other != label]
        assert (found[row] == NONE) == (not others)
        if others:
            assert rows[found[row]][0] == features
            assert rows[found[row]][1] != label


def test_a_near_row_is_a_copy_of_the_first_that_stays() -> None:
    """0 and 1 are near, 1 and 2 are, 0 and 2 are not: 1 goes, so 2 stays, and 3 is near to it."""
    values = [0, 10, 20, 25]
    keys = [np.zeros(4, np.uint64)]

    found = first_near(keys, np.ones(4, bool), lambda a, b: abs(values[a] - values[b]) <= 10)

    assert found.tolist() == [0, 0, 2, 2]


def test_rows_that_share_no_key_and_those_left_out_are_not_compared() -> None:
    keys = [np.array([1, 1, 2, 1], np.uint64)]

    found = first_near(keys, np.array([True, False, True, True]), lambda a, b: True)

    assert found.tolist() == [0, NONE, 2, 0]
