"""Numbers of a feature: what pandas' `describe()` says of them, in whatever pieces they come."""

from __future__ import annotations

import itertools
import math
import pickle
import statistics as exact

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headrace.statistics.numbers import MAX_EXACT, Numbers, limit_of

_SHARES = (0.25, 0.5, 0.75)
usual = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf]))
columns = st.one_of(
    arrays(np.float64, st.integers(0, 60), elements=usual),
    arrays(np.float32, st.integers(0, 60), elements=st.floats(-1e6, 1e6, width=32)),
    arrays(np.int64, st.integers(0, 60), elements=st.integers(-(2**62), 2**62)),
    arrays(np.int64, st.integers(0, 60), elements=st.integers(0, 3)),
)


def kept(pieces: list[np.ndarray], limit: int = MAX_EXACT) -> Numbers:
    """Each piece added by itself, then merged, as parts of a split are."""
    found = Numbers()
    for piece in pieces:
        one = Numbers()
        one.add(piece, limit)
        one.fold(limit)
        found.merge(pickle.loads(pickle.dumps(one)), limit)
    return found


def in_pieces(column: np.ndarray, at: list[int]) -> list[np.ndarray]:
    borders = sorted({0, len(column), *(min(place, len(column)) for place in at)})
    return [column[start:end] for start, end in itertools.pairwise(borders)]


@settings(max_examples=100, deadline=None)
@given(column=columns, at=st.lists(st.integers(0, 60), max_size=4))
def test_what_pandas_describes(column: np.ndarray, at: list[int]):
    """NaN, infinities, integers beyond 2**53, one row and none, in any pieces."""
    numbers = kept(in_pieces(column, at))
    with np.errstate(all="ignore"):
        # Of float32 pandas adds up in float32.
        theirs = pd.Series(column.astype(np.float64) if column.dtype == np.float32 else column).describe()

    assert numbers.count == theirs["count"]
    assert numbers.num_nan == np.isnan(column.astype(np.float64)).sum()
    if not numbers.count:
        return
    finite = column[np.isfinite(column.astype(np.float64))]
    scale = float(np.abs(finite.astype(np.float64)).max(initial=1e-300))
    near = {"rel": 1e-9, "abs": 1e-9 * scale, "nan_ok": True}
    assert numbers.average == pytest.approx(theirs["mean"], **near)
    if len(finite) == numbers.count:
        assert numbers.deviation == pytest.approx(theirs["std"], **{**near, "abs": 1e-7 * scale})
    else:
        assert math.isnan(numbers.deviation)
    known = np.sort(column[~np.isnan(column.astype(np.float64))])
    assert (numbers.low, numbers.high) == (known[0], known[-1])
    for share in _SHARES:
        wanted = theirs[f"{share:.0%}"]
        # Of two infinities NumPy's difference is NaN; what lies between them is plain.
        if not math.isnan(wanted):
            assert numbers.quantile(share) == pytest.approx(wanted, **near)


def test_integers_are_not_rounded():
    """Quantiles of integers beyond 2**53 are the integers themselves."""
    numbers = kept([np.array([2**60 + 1, 2**60 + 3, 2**60 + 5])])

    assert [numbers.low, numbers.quantile(0.5), numbers.high] == [2**60 + 1, 2**60 + 3, 2**60 + 5]


def test_the_deviation_is_that_of_a_sample_and_survives_a_large_mean():
    values = np.array([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])

    found = kept([values[:1], values[1:]]).deviation

    assert found == pytest.approx(exact.stdev(values.tolist()), rel=1e-12)


def test_seventy_two_percent_of_zeros():
    """Nobody's value 500 stands between 0 and 1,000."""
    column = np.repeat([0, 1_000], [720, 280])

    assert [kept([column]).quantile(share) for share in _SHARES] == [0, 0, 1_000]


@pytest.mark.parametrize("seed", range(4))
def test_beyond_the_limit_ranks_are_wrong_by_no_more_than_is_said(seed: int):
    """Every rank, not only the quartiles; and the error is small."""
    random = np.random.default_rng(seed)
    column = random.permutation(np.concatenate([random.lognormal(size=30_000), np.zeros(9_000), [1e9]]))
    numbers = kept(np.array_split(column, 7), limit=2_000)
    known = np.sort(column)

    assert 0 < numbers.error < 0.01 * len(column)
    values, counts = numbers.points()
    assert len(values) <= 2_000
    assert counts.sum() == numbers.count == len(column)
    for share in (*_SHARES, 0.01, 0.1, 0.9, 0.999):
        found = numbers.quantile(share)
        assert found in column
        low, high = np.searchsorted(known, found, "left"), np.searchsorted(known, found, "right")
        rank = share * (len(column) - 1)
        assert low - numbers.error - 1 <= rank <= high + numbers.error
    assert (numbers.low, numbers.high) == (known[0], known[-1])


def test_a_million_is_exact_and_one_more_is_not():
    column = np.random.default_rng(0).permutation(MAX_EXACT).astype(np.float64)
    numbers = kept([column[:400_000], column[400_000:]], limit_of(18))

    assert numbers.error == 0
    assert numbers.quantile(0.25) == np.quantile(column, 0.25)
    numbers.merge(kept([np.array([-0.5])]), limit_of(18))
    assert 0 < numbers.error <= 2


def test_what_many_features_keep_together_is_bounded():
    """Sixty-four keep a million each; a part keeps twice its share."""
    assert [limit_of(1), limit_of(64), limit_of(6_400)] == [MAX_EXACT, MAX_EXACT, 10_000]
    assert [limit_of(10, 0.25), limit_of(10, 0.001), limit_of(6_400, 0.001)] == [500_000, 16_384, 10_000]
