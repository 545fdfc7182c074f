"""Samples that parts of the data are merged to."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from headrace.quality.value_samples import Limit, ValueSample


def _sample(first: int, count: int, limit: Limit, step: int = 7) -> ValueSample:
    """A sample of the numbers from `first` on, added in steps."""
    sample = ValueSample(first)
    for start in range(first, first + count, step):
        end = min(start + step, first + count)

        def take(places: NDArray[np.int64], start: int = start) -> list[tuple[int, int]]:
            return [(start + int(place), 10) for place in places]

        sample.add(end - start, take, limit)
    return sample


@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    limit=st.integers(1, 50),
    step=st.integers(1, 70),
)
def test_parts_give_the_sample_that_the_whole_gives(sizes: list[int], limit: int, step: int):
    """Wherever the data are divided, and in whatever steps they come."""
    most = Limit(limit, 1 << 20)
    whole = _sample(0, sum(sizes), most)
    whole.trim(most)

    merged = ValueSample()
    first = 0
    for size in sizes:
        merged.merge(_sample(first, size, most, step), most)
        first += size

    assert merged.values == whole.values
    assert (merged.seen, len(merged.values)) == (sum(sizes), min(sum(sizes), limit))


@given(shares=st.lists(st.integers(0, 300), min_size=2, max_size=4), small=st.integers(1, 40))
def test_a_part_that_keeps_less_takes_from_the_others_too(shares: list[int], small: int):
    """What was let go of one part is not there to be drawn: no part has more of the sample than its share."""
    merged = ValueSample()
    first = 0
    for at, size in enumerate(shares):
        merged.merge(_sample(first, size, Limit(small if at == 0 else 1_000, 1 << 20)), Limit(1_000, 1 << 20))
        first += size

    kept = np.sort(merged.numbers)
    assert len(kept) == 0 or int(kept[-1]) < merged.below
    # Every value with a smaller number is there, whichever part it is of.
    whole = _sample(0, sum(shares), Limit(10_000, 1 << 30))
    assert sorted(merged.values) == sorted(
        value for value, number in zip(whole.values, whole.numbers) if int(number) < merged.below
    )


def test_bytes_are_bounded_too():
    """Few large values are as much as many small ones; one stays, however large."""
    sample = _sample(0, 1_000, Limit(1_000, 200))
    sample.trim(Limit(1_000, 200))
    assert len(sample.values) == 20

    sample.trim(Limit(1_000, 1))
    assert len(sample.values) == 1


def test_a_sample_is_even():
    """Of a hundred thousand places a thousand, spread as chance spreads them."""
    sample = _sample(0, 100_000, Limit(1_000, 1 << 20), step=10_000)
    sample.trim(Limit(1_000, 1 << 20))

    tenths = np.histogram(sample.values, bins=10, range=(0, 100_000))[0]
    # Beyond four deviations of a binomial number in one tenth in 16,000.
    assert tenths.sum() == 1_000
    assert np.abs(tenths - 100).max() < 4 * np.sqrt(1_000 * 0.1 * 0.9)
