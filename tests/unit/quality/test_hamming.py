"""Hashes that are near, against comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.quality import hamming
from headrace.quality.groups import NONE


def by_comparing(hashes: list[int], chosen: list[bool], distance: int) -> list[int]:
    kept: list[int] = []
    firsts = []
    for row, number in enumerate(hashes):
        if not chosen[row]:
            firsts.append(NONE)
            continue
        near = next((one for one in kept if (hashes[one] ^ number).bit_count() <= distance), row)
        kept += [row] if near == row else []
        firsts.append(near)
    return firsts


@settings(max_examples=150, deadline=None)
@given(data=st.data(), distance=st.integers(0, 20), block=st.sampled_from([1, 3, 1024]))
def test_first_near_rows_are_those_of_comparing_each_with_each(
    data: st.DataObject, distance: int, block: int
) -> None:
    """Also of equal hashes, in chains of near ones, and over blocks and tables."""
    seeds = data.draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4))
    flips = st.lists(st.integers(0, 63), max_size=24)
    hashes = [
        data.draw(st.sampled_from(seeds)) ^ sum(1 << bit for bit in set(data.draw(flips)))
        for _ in range(data.draw(st.integers(0, 40)))
    ]
    chosen = [data.draw(st.integers(0, 9)) > 0 for _ in hashes]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_BLOCK_ROWS", block)
        patch.setattr(hamming, "_MAX_PAIRS", 64 if block == 3 else 1 << 21)
        got = hamming.first_near(np.array(hashes, np.uint64), np.array(chosen, bool), distance)

    assert got.tolist() == by_comparing(hashes, chosen, distance)


def test_the_number_of_set_bits_is_that_of_python() -> None:
    """Of zero, of all, and of some."""
    ends = np.array([0, 2**64 - 1], np.uint64)
    numbers = np.concatenate([ends, np.random.default_rng(0).integers(0, 2**64, 500, np.uint64)])
    assert hamming.num_bits(numbers).tolist() == [number.bit_count() for number in numbers.tolist()]
