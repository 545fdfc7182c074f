"""Laws of each way to divide rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from divided_rows import SHARES, divided, rows_of, splits_of
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace import splits
from headrace.errors import DataError
from headrace.sources.division import gathering
from headrace.sources.division.apportionment import apportion, place_groups
from headrace.splits.ways import MOST_SPLITS

_SHARES = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(
    lambda weights: dict(zip("abcd", weights, strict=False))
)


def _keras_split(num_rows, test_share, seed):
    """Of `keras.datasets.boston_housing.load_data`, by its definition: shuffled row numbers, cut."""
    order = np.arange(num_rows)
    np.random.RandomState(seed).shuffle(order)
    cut = int(num_rows * (1 - test_share))
    return set(order[:cut].tolist()), set(order[cut:].tolist())


def test_shuffle_is_that_of_keras():
    """404 and 102 rows of the 506 of Boston housing, the very same."""
    division = divided(
        {"x": list(range(506))}, splits.shuffle(seed=113), {"train": 0.8, "test": 0.2}, [100, 300]
    )
    found = splits_of(division)
    train, test = ({row for row, name in enumerate(found) if name == wanted} for wanted in ("train", "test"))
    assert (len(train), len(test)) == (404, 102)
    assert (train, test) == _keras_split(506, 0.2, 113)


@given(
    st.lists(st.sampled_from(["a", "b", "c", None, "ñ"]), min_size=8, max_size=80),
    _SHARES,
    st.lists(st.integers(0, 80), max_size=3),
)
def test_each_class_keeps_its_share_within_one_row(labels, shares, bounds):
    """Whatever the number of parts, each row is in one split."""
    columns = {"label": labels, "x": list(range(len(labels)))}
    bounds = [min(bound, len(labels)) for bound in bounds]
    found = splits_of(divided(columns, splits.stratify("label"), shares, bounds))
    total = sum(shares.values())
    assert None not in found
    for label, count in Counter(labels).items():
        for name, weight in shares.items():
            number = sum(1 for row, one in enumerate(found) if one == name and labels[row] == label)
            assert abs(number - count * weight / total) < 1
    assert found == splits_of(divided(columns, splits.stratify("label"), shares))


@given(st.permutations(range(40)), st.lists(st.integers(0, 40), max_size=2))
def test_stratified_rows_stay_where_they_are_in_whatever_order(order, bounds):
    """The choice hangs on the content of rows alone."""
    labels, numbers = [f"c{row % 3}" for row in range(40)], list(range(40))
    before = splits_of(divided({"label": labels, "x": numbers}, splits.stratify("label")))
    moved = {"x": [numbers[row] for row in order], "label": [labels[row] for row in order]}
    assert splits_of(divided(moved, splits.stratify("label"), bounds=bounds)) == [
        before[row] for row in order
    ]


def test_another_seed_makes_another_choice_of_the_same_sizes():
    """And the same seed the same."""
    columns = {"label": ["a", "b"] * 50, "x": list(range(100))}
    one, other = (splits_of(divided(columns, splits.stratify("label", seed=seed))) for seed in (0, 1))
    assert one != other
    assert Counter(one) == Counter(other) == {"train": 60, "valid": 20, "test": 20}


def test_a_class_with_one_example_is_said_and_not_lost():
    """Those with too few for every split, too."""
    columns = {"label": ["a"] * 10 + ["b"] + ["c"] * 2, "x": list(range(13))}
    division = divided(columns, splits.stratify("label"))
    assert division.notes == (
        "1 class has one example: 'b' (in train)",
        "1 class has too few examples for every split: 'c'",
    )
    assert division.classes.names == ["a", "b", "c"]
    assert sum(sum(rows) for rows in division.classes.rows.values()) == 13


@pytest.mark.parametrize(
    ("values", "way", "note", "names"),
    [
        ([5, 6, 7, 5] * 10, splits.stratify("y"), "'y' by each of its 3 values", ["5", "6", "7"]),
        (
            [float(value) for value in range(100)],
            splits.stratify("y"),
            "'y' by 10 quantile bins of its 100 values",
            ["0.0 to 9.0", "10.0 to 19.0"],
        ),
        (
            list(range(30)),
            splits.stratify("y", bins=2),
            "'y' by 2 quantile bins of its 30 values",
            ["0 to 14", "15 to 29"],
        ),
        (list(range(30)), splits.stratify("y", bins=0), "'y' by each of its 30 values", ["0", "1"]),
    ],
)
def test_numbers_are_classes_or_quantile_bins(values, way, note, names):
    """Few numbers by value; it is said which."""
    division = divided({"y": values, "x": list(range(len(values)))}, way)
    assert division.notes[0] == note
    assert division.classes.names[: len(names)] == names


def test_rows_without_a_label_are_a_class_of_their_own():
    """NaN is as good as missing."""
    division = divided(
        {"y": [1.5, 2.5] * 10 + [None, float("nan")] * 5, "x": list(range(30))}, splits.stratify("y")
    )
    assert division.notes[1] == "10 rows without a value in 'y' are a class of their own"
    assert [division.classes.rows[name][2] for name in SHARES] == [6, 2, 2]


def test_several_labels_in_a_row_are_one_class():
    """As scikit-learn stratifies."""
    labels = [["a", "b"], ["a"], ["b", "a"], None] * 10
    division = divided({"tags": labels, "x": list(range(40))}, splits.stratify("tags"))
    assert division.classes.names == ["a", "a, b", "b, a", "(none)"]


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 15), min_size=20, max_size=120),
    st.lists(st.integers(1, 5), min_size=2, max_size=3),
    st.lists(st.integers(0, 120), max_size=2),
)
def test_no_group_is_in_two_splits(groups, weights, bounds):
    """And no split is empty where there are enough groups."""
    shares = dict(zip("abc", weights, strict=False))
    columns = {"g": [f"p{one}" for one in groups]}
    bounds = [min(bound, len(groups)) for bound in bounds]
    if len(set(groups)) < len(shares):
        with pytest.raises(DataError, match="too few for the"):
            divided(columns, splits.group("g"), shares, bounds)
        return
    found = splits_of(divided(columns, splits.group("g"), shares, bounds))
    assert len({(group, name) for group, name in zip(groups, found)}) == len(set(groups))
    assert set(found) == set(shares)
    assert found == splits_of(divided(columns, splits.group("g"), shares))


@pytest.mark.parametrize(
    ("sizes", "weights", "rows"),
    [
        ([50, 10, 10, 10, 10, 10], [3, 1, 1], [60, 20, 20]),
        ([7, 7, 7, 7, 7], [3, 1, 1], [21, 7, 7]),
        ([90, 5, 5], [3, 1, 1], [90, 5, 5]),
        ([30, 30, 25, 15], [1, 1], [55, 45]),
        ([13, 11, 9, 8, 7, 5, 4, 3] * 6, [3, 1, 1], [216, 72, 72]),
    ],
)
def test_groups_come_as_near_to_the_shares_as_their_sizes_allow(sizes, weights, rows):
    """Of few groups the best of all ways; of more, groups are exchanged as long as it helps."""
    placed = place_groups(np.array(sizes), weights)
    found = np.bincount(placed, weights=sizes, minlength=len(weights))
    goal = np.array(weights) * sum(sizes) / sum(weights)
    assert np.abs(found - goal).sum() <= np.abs(np.array(rows) - goal).sum()


def test_large_and_small_groups_are_in_every_split():
    """Groups are placed by share, not by what is lacking: else all large ones would be in the largest split."""
    sizes = np.array([100] * 50 + [1] * 500)
    placed = place_groups(sizes, [3, 1, 1])
    assert np.bincount(placed[:50]).tolist() == [30, 10, 10]
    assert np.bincount(placed[50:]).tolist() == [300, 100, 100]


def test_the_number_of_a_row_counts_from_the_first_part():
    """Whichever part the row is in."""
    with pytest.raises(DataError, match="row 7 of the input"):
        divided({"t": [1, 2, 3, 4, 5, 6, None, 8, None]}, splits.time("t"), bounds=[2, 5])


def test_a_feature_that_some_batches_lack_is_missing_there():
    """As in JSON lines: it is there, in another batch."""
    batches = [rows_of({"x": [1, 2]}), rows_of({"x": [3], "g": ["a"]})]
    keys = gathering.gather(batches, splits.group("g"))
    assert (keys.has_feature, keys.fault.row) == (True, 0)
    keys = gathering.gather(batches, splits.group("g", missing="exclude"))
    assert keys.num_rows == 3


@pytest.mark.parametrize("way", [splits.time("k", missing="exclude"), splits.group("k", missing="exclude")])
def test_rows_without_a_value_are_left_out_and_counted(way):
    """Where that is asked for."""
    division = divided({"k": [1, 2, None, 3, 4, None, 5]}, way, {"a": 1, "b": 1})
    assert division.num_excluded() == {"no value in 'k'": 2}
    assert sum(division.num_rows().values()) == 5


def test_a_column_with_a_name_for_each_row_names_no_splits():
    """Each would have open files. Where they are listed, they are meant."""
    names = [f"n{number}" for number in range(MOST_SPLITS + 1)]
    with pytest.raises(
        DataError, match=r"each of 101 names would be a split, and 100 are the most: 'id' holds"
    ):
        divided({"id": names}, splits.column("id"), None)
    assert len(divided({"id": names[1:]}, splits.column("id"), None).splits) == MOST_SPLITS
    assert len(divided({"id": names}, splits.column("id"), names).splits) == MOST_SPLITS + 1


def test_a_column_names_the_splits():
    """In the order of its values, with whatever names they are given."""
    columns = {"set": ["TRAIN", "TEST", "TRAIN", None]}
    division = divided(columns, splits.column("set", missing="exclude"), ["TRAIN", "TEST"])
    assert splits_of(division) == ["TRAIN", "TEST", "TRAIN", None]
    way = splits.column("set", names={"TRAIN": "train", "TEST": "test"}, missing="exclude")
    assert splits_of(divided(columns, way, ["test", "train"])) == ["train", "test", "train", None]


@pytest.mark.parametrize(
    ("values", "way", "names", "problem"),
    [
        (
            ["train", "tets"],
            splits.column("set"),
            ["train", "test"],
            "column(\"set\"): 'tets' is no split that is asked for, which are 'test', 'train'. 'set' holds "
            "'tets' (1 row), 'train' (1 row).",
        ),
        (
            ["TRAIN", "X"],
            splits.column("set", names={"TRAIN": "train"}),
            ["train"],
            "column(\"set\", names={'TRAIN': 'train'}): 'X' is no key of names, which has 'TRAIN'. 'set' holds "
            "'TRAIN' (1 row), 'X' (1 row).",
        ),
        (
            ["a/b"],
            splits.column("set"),
            ["a"],
            "column(\"set\"): 'a/b' is no split that is asked for, which are 'a'. 'set' holds 'a/b' (1 row).",
        ),
        (["train"], splits.column("set"), ["train", "test"], "column(\"set\"): no row would go into 'test'"),
    ],
)
def test_a_column_with_other_values(values, way, names, problem):
    """The values that there are, are listed."""
    with pytest.raises(DataError) as caught:
        divided({"set": values}, way, names)
    assert caught.value.problem.startswith(problem)
    assert caught.value.fix


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=300),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_apportioned_rows_are_within_one_of_each_share(counts, weights):
    """And all classes together come near the shares, too."""
    rows = apportion(np.array(counts), weights)
    exact = np.array(counts)[:, None] * np.array(weights) / sum(weights)
    assert (rows.sum(1) == counts).all()
    assert (np.abs(rows - exact) < 1).all()
    assert (np.abs(rows.sum(0) - exact.sum(0)) <= len(weights)).all()
