"""Hashes that are near, against comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.quality import groups, hamming
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
@given(
    data=st.data(),
    distance=st.integers(0, 20),
    block=st.sampled_from([1, 3, 1024]),
    strip=st.sampled_from([1, 5, 64]),
    pairs=st.sampled_from([-1.0, 8.0, 1e9]),
)
def test_first_near_rows_are_those_of_comparing_each_with_each(
    data: st.DataObject, distance: int, block: int, strip: int, pairs: float
) -> None:
    """Also of equal hashes, in chains of near ones, over blocks and tables, and whichever way is the cheaper one."""
    seeds = data.draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4))
    flips = st.lists(st.integers(0, 63), max_size=24)
    hashes = [
        data.draw(st.sampled_from(seeds)) ^ sum(1 << bit for bit in set(data.draw(flips)))
        for _ in range(data.draw(st.integers(0, 40)))
    ]
    chosen = [data.draw(st.integers(0, 9)) > 0 for _ in hashes]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_BLOCK_ROWS", block)
        patch.setattr(hamming, "_STRIP_ROWS", strip)
        patch.setattr(hamming, "_PAIRS_PER_ROW", pairs)
        patch.setattr(hamming, "_MAX_PAIRS", 64 if block == 3 else 1 << 21)
        got = hamming.first_near(np.array(hashes, np.uint64), np.array(chosen, bool), distance)

    assert got.tolist() == by_comparing(hashes, chosen, distance)


@pytest.mark.parametrize(
    ("num_alike_bits", "distance", "is_by_pairs"), [(0, 0, True), (0, 2, True), (0, 8, False), (32, 2, False)]
)
def test_the_way_goes_by_what_rows_share(num_alike_bits: int, distance: int, is_by_pairs: bool) -> None:
    """Pairs where few rows share a part; tables where many do, by distance or because their pictures are alike."""
    hashes = np.random.default_rng(0).integers(0, 2 ** (64 - num_alike_bits), 3000, np.uint64)
    asked = (groups, "first_near") if is_by_pairs else (hamming, "_Tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*asked, None)
        with pytest.raises(TypeError, match="not callable"):
            hamming.first_near(hashes, np.ones(len(hashes), bool), distance)


def test_the_number_of_set_bits_is_that_of_python() -> None:
    """Of zero, of all, and of some."""
    ends = np.array([0, 2**64 - 1], np.uint64)
    numbers = np.concatenate([ends, np.random.default_rng(0).integers(0, 2**64, 500, np.uint64)])
    assert hamming.num_bits(numbers).tolist() == [number.bit_count() for number in numbers.tolist()]
