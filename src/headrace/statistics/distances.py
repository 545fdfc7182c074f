"""How far two samples are apart, and how far two samples of one and the same population would be by chance.

All distances lie between 0 and 1. A noise level belongs to the sizes of both samples and to a rate of false alarms: of
samples that do not differ, that share at most lies beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headrace.formats.descriptions import Distribution

# Below so many expected in the smaller sample, the chi-squared distribution says too little of a bin.
_MIN_EXPECTED = 5
OTHER = "(other)"


@dataclass(frozen=True)
class Distance:
    """A distance of two samples.

    Attributes:
        value: The distance, 0 to 1.
        noise: What chance alone reaches in one of `1 / alpha` comparisons of samples of these sizes.
        slack: By so much may `value` be too large, because the distributions are known in part.
    """

    value: float
    noise: float
    slack: float = 0.0


def kolmogorov_smirnov(old: Distribution, new: Distribution, alpha: float) -> Distance:
    """Return the greatest difference between the two cumulative distributions.

    The noise level is Smirnov's asymptotic one, `sqrt(ln(2 / alpha) / 2 * (n + m) / (n * m))`: for discrete numbers and
    few of them chance stays below it.
    """
    points = np.union1d(old.values, new.values)
    gap = np.abs(_cumulative(old, points) - _cumulative(new, points)).max(initial=0.0)
    noise = math.sqrt(math.log(2 / alpha) / 2 * (1 / old.total + 1 / new.total))
    return Distance(float(gap), noise, old.error + new.error)


def _cumulative(distribution: Distribution, points: NDArray[np.float64]) -> NDArray[np.float64]:
    ends = np.concatenate([[0], np.cumsum(distribution.counts)]) / distribution.total
    found: NDArray[np.float64] = ends[np.searchsorted(distribution.values, points, side="right")]
    return found


def total_variation(old: Sequence[int], new: Sequence[int], alpha: float) -> Distance:
    """Return half the sum of the differences of shares: the part of the rows that is elsewhere.

    Args:
        old, new: Counts of the same bins.
        alpha: Rate of false alarms.

    Returns:
        The distance; its noise is the distance at which this very difference, scaled, would be beyond chance by the
        chi-squared test of homogeneity.
    """
    before, after = _joined(old, new)
    num_old, num_new = before.sum(), after.sum()
    shares = (before + after) / (num_old + num_new)
    gaps = before / num_old - after / num_new
    value = float(np.abs(gaps).sum() / 2)
    if len(shares) < 2:
        return Distance(0.0, 1.0)
    critical = float(special.chdtri(len(shares) - 1, alpha)) * (1 / num_old + 1 / num_new)
    found = float((gaps**2 / shares).sum())
    # Without any difference there is no direction: what the whole of it would have to be.
    noise = value * math.sqrt(critical / found) if found else math.sqrt(critical) / 2
    return Distance(value, min(noise, 1.0))


def jensen_shannon(old: Sequence[int], new: Sequence[int], alpha: float) -> Distance:
    """Return the Jensen-Shannon divergence of counts of the same bins, in bits.

    Without a difference, `8 ln 2 * divergence / (1 / n + 1 / m)` is distributed as chi-squared with one degree of
    freedom less than there are bins (Grosse and others 2002), which gives the noise level.
    """
    before, after = _joined(old, new)
    num_old, num_new = before.sum(), after.sum()
    if len(before) < 2:
        return Distance(0.0, 1.0)
    p, q = before / num_old, after / num_new
    middle = (p + q) / 2
    value = float(special.rel_entr(p, middle).sum() + special.rel_entr(q, middle).sum()) / 2 / math.log(2)
    critical = float(special.chdtri(len(before) - 1, alpha))
    return Distance(value, min(critical * (1 / num_old + 1 / num_new) / (8 * math.log(2)), 1.0))


def share_difference(old: tuple[int, int], new: tuple[int, int], alpha: float) -> Distance:
    """Return by how much a share of rows changed.

    Args:
        old, new: How many of how many.
        alpha: Rate of false alarms.

    Returns:
        The difference; its noise is that of two proportions, normally distributed, with a correction for continuity.
    """
    (some_old, num_old), (some_new, num_new) = old, new
    both = (some_old + some_new) / (num_old + num_new)
    width = 1 / num_old + 1 / num_new
    noise = -float(special.ndtri(alpha / 2)) * math.sqrt(both * (1 - both) * width) + width / 2
    return Distance(abs(some_old / num_old - some_new / num_new), min(noise, 1.0))


def _joined(old: Sequence[int], new: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts with the bins that hold too few for the test added to one of them."""
    before, after = np.asarray(old, np.float64), np.asarray(new, np.float64)
    smaller = min(before.sum(), after.sum())
    expected = (before + after) / max(before.sum() + after.sum(), 1) * smaller
    is_rare = expected < _MIN_EXPECTED
    rare = np.array([[before[is_rare].sum()], [after[is_rare].sum()]])
    kept = [np.concatenate([counts[~is_rare], extra]) for counts, extra in zip((before, after), rare)]
    together = kept[0] + kept[1]
    if len(together) > 2 and together[-1] / max(together.sum(), 1) * smaller < _MIN_EXPECTED:
        least = int(np.argmin(together[:-1]))
        for counts in kept:
            counts[least] += counts[-1]
        kept = [counts[:-1] for counts in kept]
    is_met = kept[0] + kept[1] > 0
    return kept[0][is_met], kept[1][is_met]


def decile_edges(baseline: Distribution) -> list[float]:
    """Return the borders of ten equal shares of the baseline; fewer where a value holds several of them."""
    ends = np.cumsum(baseline.counts)
    ranks = np.arange(1, 10) * (baseline.total - 1) / 10
    places = np.searchsorted(ends, ranks.astype(np.int64), side="right")
    return [float(value) for value in np.unique(baseline.values[places])]


def counts_between(distribution: Distribution, edges: Sequence[float]) -> list[int]:
    """Return how many numbers lie up to the first border, up to the next, and so on, and above the last."""
    ends = np.concatenate([[0], np.cumsum(distribution.counts)])
    upto = ends[np.searchsorted(distribution.values, np.asarray(edges, np.float64), side="right")]
    return [int(count) for count in np.diff(np.concatenate([[0], upto, [ends[-1]]]))]


def common_bins(
    old: Mapping[str, int], new: Mapping[str, int], num_old: int, num_new: int
) -> tuple[list[str], list[int], list[int]]:
    """Return values and their counts in both samples, and all that is not listed as one more bin.

    Args:
        old, new: Counts of values; of very many, the most frequent only.
        num_old, num_new: Counts of all values.
    """
    is_whole = sum(old.values()) >= num_old and sum(new.values()) >= num_new
    # What a list that was cut off does not name may be rare or absent.
    names = sorted({*old, *new} if is_whole else {*old} & {*new})
    before, after = [int(old.get(name, 0)) for name in names], [int(new.get(name, 0)) for name in names]
    rest = max(num_old - sum(before), 0), max(num_new - sum(after), 0)
    if any(rest):
        return [*names, OTHER], [*before, rest[0]], [*after, rest[1]]
    return names, before, after
