"""Distances of two samples, and what chance makes of samples that do not differ."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance as scipy_distance

from headrace.formats.descriptions import Distribution
from headrace.statistics import distances

samples = st.lists(st.integers(-5, 5), min_size=1, max_size=50)
_ALPHA = 0.01


def distribution(values: list[float]) -> Distribution:
    known, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    return Distribution(known, counts)


@settings(max_examples=60, deadline=None)
@given(old=samples, new=samples)
def test_ks_is_the_greatest_difference_of_shares_up_to_a_value(old: list[int], new: list[int]):
    found = distances.kolmogorov_smirnov(distribution(old), distribution(new), _ALPHA)

    wanted = max(abs(np.mean(np.array(old) <= x) - np.mean(np.array(new) <= x)) for x in range(-5, 6))
    assert found.value == pytest.approx(wanted)


def test_ks_and_its_noise_are_those_of_scipy():
    """At the noise level, chance reaches what was asked for."""
    random = np.random.default_rng(3)
    old, new = random.normal(size=400), random.normal(0.2, size=300)
    found = distances.kolmogorov_smirnov(distribution(old), distribution(new), _ALPHA)

    assert found.value == pytest.approx(stats.ks_2samp(old, new).statistic)
    assert stats.kstwobign.sf(found.noise * math.sqrt(400 * 300 / 700)) == pytest.approx(_ALPHA, rel=0.01)


def test_infinite_numbers_are_numbers():
    found = distances.kolmogorov_smirnov(distribution([1, math.inf]), distribution([-math.inf, 1]), _ALPHA)

    assert found.value == 0.5


def test_total_variation_and_jensen_shannon_are_those_of_the_shares():
    old, new = [50, 30, 20], [10, 60, 30]
    p, q = np.array(old) / 100, np.array(new) / 100

    assert distances.total_variation(old, new, _ALPHA).value == pytest.approx(np.abs(p - q).sum() / 2)
    divergence = scipy_distance.jensenshannon(p, q, base=2) ** 2
    assert distances.jensen_shannon(old, new, _ALPHA).value == pytest.approx(divergence)


def test_total_variation_is_beyond_chance_where_the_chi_squared_test_says_so():
    """The noise level is that of the very difference that is there."""
    for new in ([50, 50], [44, 56], [40, 60], [30, 70], [33, 67]):
        found = distances.total_variation([500, 500], [new[0] * 3, new[1] * 3], _ALPHA)
        table = [[500, 500], [new[0] * 3, new[1] * 3]]
        if new != [50, 50]:
            _, p, *_ = stats.chi2_contingency(table, correction=False)
            assert (found.value > found.noise) == (p < _ALPHA), new


@pytest.mark.parametrize("kind", ["ks", "tv", "js", "share"])
def test_without_a_difference_false_alarms_are_as_rare_as_was_asked_for(kind: str):
    """Three hundred rows against a thousand; skewed numbers, seven categories of which two are rare, a share of 3 %."""
    random = np.random.default_rng(7)
    shares = np.array([0.4, 0.3, 0.15, 0.08, 0.04, 0.02, 0.01])
    num_alarms, num_tries = 0, 2_000
    for _ in range(num_tries):
        if kind == "ks":
            old, new = (np.round(random.lognormal(size=size), 1) for size in (1_000, 300))
            found = distances.kolmogorov_smirnov(distribution(old), distribution(new), _ALPHA)
        elif kind == "share":
            counts = [(int(random.binomial(size, 0.03)), size) for size in (1_000, 300)]
            found = distances.share_difference(*counts, _ALPHA)
        else:
            measure = distances.total_variation if kind == "tv" else distances.jensen_shannon
            found = measure(random.multinomial(1_000, shares), random.multinomial(300, shares), _ALPHA)
        num_alarms += found.value > found.noise

    assert num_alarms <= 1.6 * _ALPHA * num_tries
    if kind in ("tv", "js"):
        assert num_alarms >= 0.4 * _ALPHA * num_tries


def test_rare_values_and_ids_are_not_compared_one_by_one():
    """Of values that occur once each nothing can be told."""
    ids = {f"old{n}": 1 for n in range(300)}, {f"new{n}": 1 for n in range(300)}
    _, old, new = distances.common_bins(*ids, 300, 300)

    found = distances.total_variation(old, new, _ALPHA)

    assert (found.value, found.noise) == (0.0, 1.0)


def test_a_list_that_was_cut_off_says_nothing_of_what_it_does_not_name():
    """Both name `a`; `b` may be rare or gone."""
    names, old, new = distances.common_bins({"a": 60, "b": 20}, {"a": 50, "c": 25}, 100, 100)

    assert (names, old, new) == (["a", distances.OTHER], [60, 40], [50, 50])


def test_a_value_that_is_new_is_a_difference():
    names, old, new = distances.common_bins({"a": 100}, {"a": 60, "b": 40}, 100, 100)

    assert (names, old, new) == (["a", "b"], [100, 0], [60, 40])
    found = distances.total_variation(old, new, _ALPHA)
    assert found.value == pytest.approx(0.4)
    assert found.value > found.noise


def test_bins_are_those_of_the_baseline():
    """Borders belong to the bin below; a value that holds several tenths is one border."""
    baseline = distribution([0.0] * 50 + [float(n) for n in range(1, 51)])
    edges = distances.decile_edges(baseline)

    assert edges == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert distances.counts_between(distribution([0, 5, 10, 41, 99]), edges) == [1, 2, 0, 0, 0, 2]
