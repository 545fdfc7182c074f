"""Laws of each way to divide rows."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from divided_rows import SHARES, divided, rows_of, splits_of
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace import splits
from headrace.errors import DataError, DefinitionError, EmptyDataError
from headrace.sources.division import gathering
from headrace.sources.division.apportionment import apportion, place_groups
from headrace.sources.division.division import divide
from headrace.splits.shares import parse_shares
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


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=80),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(0, 5),
    st.lists(st.integers(0, 80), max_size=2),
)
def test_time_goes_on_from_split_to_split(times, weights, gap, bounds):
    """Ties stay together, a gap is kept, and every row is in a split or counted."""
    shares = dict(zip("abc", weights, strict=False))
    columns = {"t": times}
    bounds = [min(bound, len(times)) for bound in bounds]
    if len(set(times)) < len(shares):
        with pytest.raises(DataError, match="too few for the"):
            divided(columns, splits.time("t", gap=gap), shares, bounds)
        return
    try:
        division = divided(columns, splits.time("t", gap=gap), shares, bounds)
    except DataError:  # the gap is longer than a split
        # Any division of so many times has room for a gap of nothing.
        assert gap
        return
    found = splits_of(division)
    assert sum(division.num_rows().values()) + sum(division.num_excluded().values()) == len(times)
    of_split = [[time for time, name in zip(times, found) if name == wanted] for wanted in shares]
    for earlier, later in itertools.pairwise(of_split):
        assert max(earlier) < min(later)
        assert max(earlier) + gap <= min(later)
    kept = {time for time, name in zip(times, found) if name is not None}
    assert kept.isdisjoint({time for time, name in zip(times, found) if name is None})


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([f"2013-10-{day:02} 12:00" for day in range(1, 31)], {}),
        ([f"2013-10-{day:02}T12:00:00Z" for day in range(1, 31)], {}),
        ([f"{day}.10.2013 12 Uhr" for day in range(1, 31)], {"format": "%d.%m.%Y %H Uhr"}),
        ([20131001 + day for day in range(30)], {"format": "%Y%m%d"}),
        ([1_380_628_800 + 86_400 * day for day in range(30)], {}),
        ([1_380_628_800_000 + 86_400_000 * day for day in range(30)], {}),
        ([1.3806288e9 + 86_400 * day for day in range(30)], {}),
    ],
)
def test_times_of_any_kind_are_divided_alike(values, options):
    """Two days between splits: one row of each earlier split lies in each gap."""
    division = divided({"t": values}, splits.time("t", gap="2d", **options), bounds=[7])
    assert division.num_rows() == {"train": 17, "valid": 5, "test": 6}
    assert division.num_excluded() == {
        "in the gap of 2d before split 'valid'": 1,
        "in the gap of 2d before split 'test'": 1,
    }
    assert division.notes[0].startswith("valid from 2013-10-19")


def test_offsets_of_dates_count():
    """Noon in Tokyo is before noon in London."""
    values = ["2013-10-01T12:00:00+00:00", "2013-10-01T12:00:00+09:00"]
    assert splits_of(divided({"t": values}, splits.time("t"), {"a": 1, "b": 1})) == ["b", "a"]


@pytest.mark.parametrize(
    "written",
    [
        "2013-10-01T12:00:00.5Z",
        "2013-10-01 12:00:00.123456789+00:00",
        "2013-10-01T14:00:00,25+0200",
        "2013-10-01t07-05",
        "20131001T120000Z",
        "2013-10-01 12:00:00 UTC",
        "2013-10-01 12:00",
    ],
)
def test_iso_8601_is_read_alike_by_each_python(written):
    """Databases and pandas write any number of digits, and offsets without a colon."""
    values = ["2013-10-01T11:59:59Z", written, "2013-10-01 12:00:01"]
    division = divided({"t": values}, splits.time("t"))
    assert splits_of(division) == ["train", "valid", "test"]
    assert division.notes == ("valid from 2013-10-01 12:00:00 on, test from 2013-10-01 12:00:01 on",)


@pytest.mark.parametrize(
    "written", ["2013-W40-2", "2013-10-01T25:00", "2013-10-01+02:00", "2013", "1-10-2013"]
)
def test_what_is_no_date_of_iso_8601(written):
    """None is guessed."""
    with pytest.raises(DataError, match="in row 2 of the input is no date"):
        divided({"t": ["2013-10-01", written, "2013-10-03"]}, splits.time("t"))


def test_the_gap_counts_at_the_ends_of_64_bits():
    """Identifiers that are times of their own kind may be that large."""
    times = [2**63 - 1 - number for number in range(9)]
    division = divided({"t": times}, splits.time("t", gap=5), {"a": 2, "b": 1})
    assert splits_of(division) == ["b", "b", "b", None, None, None, None, "a", "a"]


@pytest.mark.parametrize(
    ("columns", "way", "error", "problem"),
    [
        (
            {"t": ["2013-10-01", "2013-10-02", "yesterday"]},
            splits.time("t"),
            DataError,
            "time(\"t\"): 'yesterday' in row 3 of the input is no date in the form of ISO 8601, such as 2013-10-01 12:00.",
        ),
        (
            {"t": ["31.12.2013", "32.12.2013", "1.1.2014"]},
            splits.time("t", format="%d.%m.%Y"),
            DataError,
            "time(\"t\", format=\"%d.%m.%Y\"): '32.12.2013' in row 2 of the input is no date of the format '%d.%m.%Y'.",
        ),
        (
            {"t": [1, 2, None]},
            splits.time("t"),
            DataError,
            "time(\"t\"): row 3 of the input has no value in 't'.",
        ),
        ({"t": [1, 2, [3, 4]]}, splits.time("t"), DataError, 'time("t"): row 3 of the input has 2 values.'),
        (
            {"t": [5, 5, 5]},
            splits.time("t"),
            DataError,
            "time(\"t\"): 3 rows have 1 different time, too few for the 3 splits 'train', 'valid', 'test'.",
        ),
        (
            {"t": [2011, 2012, 2013]},
            splits.time("t", gap="1h"),
            DefinitionError,
            'time("t", gap="1h"): the times are numbers such as those of years or steps, and no times since 1970.',
        ),
        (
            {"t": ["2011-01-01", "2012-01-01", "2013-01-01"]},
            splits.time("t", gap=3),
            DefinitionError,
            'time("t", gap=3): the times are texts, and gap is a number.',
        ),
        (
            {"t": ["2011-01-01", "2012-01-01", "2013-01-01"]},
            splits.time("t", gap="1000w"),
            DataError,
            "time(\"t\", gap=\"1000w\"): all rows of split 'train' are less than the gap before the first of 'valid', "
            "2012-01-01.",
        ),
        (
            {"g": ["a", "b", "a"]},
            splits.group("g"),
            DataError,
            "group(\"g\"): the rows are of 2 groups ('a', 'b'), too few for the 3 splits 'train', 'valid', 'test'.",
        ),
        (
            {"g": ["a", None, "b"]},
            splits.group("g"),
            DataError,
            "group(\"g\"): row 2 of the input has no value in 'g'.",
        ),
        (
            {"g": [1.5, float("nan"), 2.5]},
            splits.group("g"),
            DataError,
            "group(\"g\"): row 2 of the input has no value in 'g'.",
        ),
        (
            {"g": [1.0, float("nan"), 2.0]},
            splits.column("g"),
            DataError,
            "column(\"g\"): row 2 of the input has no value in 'g'.",
        ),
        (
            {"g": [["a", "b"], "c"]},
            splits.group("g"),
            DataError,
            'group("g"): row 1 of the input has 2 values.',
        ),
        (
            {"x": [[1.5, 2.5], [3.5, 4.5]]},
            splits.stratify("x"),
            DataError,
            'stratify("x"): row 1 of the input has 2 values.',
        ),
        (
            {"quality": [5, 6, 7]},
            splits.stratify("qualty"),
            DefinitionError,
            "stratify(\"qualty\"): the rows have no feature 'qualty'. They have 'quality'.",
        ),
        (
            {"y": ["a", "b"]},
            splits.stratify("y"),
            DataError,
            "stratify(\"y\"): no row would go into 'test': 2 rows are divided into 'train', 'valid', 'test'.",
        ),
        (
            {"y": [1]},
            splits.shuffle(),
            DataError,
            "shuffle(seed=0): no row would go into 'train', 'valid': 1 row is divided into 'train', 'valid', 'test'.",
        ),
        (
            {"y": ["a", "b", "c"]},
            splits.stratify("y", bins=3),
            DataError,
            "stratify(\"y\", bins=3): 'y' holds texts or lists, such as 'a', and bins are of numbers.",
        ),
        (
            {"y": ["2700", "3750", "NA", "4100"]},
            splits.stratify("y", bins=3),
            DataError,
            "stratify(\"y\", bins=3): 'y' holds texts, such as 'NA' among numbers, and bins are of numbers.",
        ),
        ({"y": []}, splits.shuffle(), EmptyDataError, "shuffle(seed=0): there is no row to divide."),
    ],
)
def test_rows_that_cannot_be_divided(columns, way, error, problem):
    """The message names the way, the row and the value; and what to do."""
    with pytest.raises(error) as caught:
        divided(columns, way)
    assert caught.value.problem == problem
    assert caught.value.fix


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


def test_a_part_may_have_no_time_at_all():
    """As a file whose rows all lack it: texts elsewhere stay texts."""
    times = ["2013-10-01", "2013-10-02", None, None]
    way = splits.time("t", missing="exclude")
    parts = [gathering.gather([rows_of({"t": part})], way) for part in (times[:2], times[2:])]
    division = divide(parts, way, parse_shares({"a": 1, "b": 1}, ""))
    assert division.num_rows() == {"a": 1, "b": 1}
    assert division.num_excluded() == {"no value in 't'": 2}


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
