"""Rows divided by time."""

from __future__ import annotations

import itertools

import pytest
from divided_rows import divided, rows_of, splits_of
from hypothesis import given
from hypothesis import strategies as st

from headrace import splits
from headrace.errors import DataError
from headrace.sources.division import gathering
from headrace.sources.division.division import divide
from headrace.splits.shares import parse_shares

_SHARES = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(
    lambda weights: dict(zip("abcd", weights, strict=False))
)


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


def test_a_part_may_have_no_time_at_all():
    """As a file whose rows all lack it: texts elsewhere stay texts."""
    times = ["2013-10-01", "2013-10-02", None, None]
    way = splits.time("t", missing="exclude")
    parts = [gathering.gather([rows_of({"t": part})], way) for part in (times[:2], times[2:])]
    division = divide(parts, way, parse_shares({"a": 1, "b": 1}, ""))
    assert division.num_rows() == {"a": 1, "b": 1}
    assert division.num_excluded() == {"no value in 't'": 2}
