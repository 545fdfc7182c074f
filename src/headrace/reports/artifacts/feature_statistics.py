"""What TFDV's statistics say of one feature, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

from headrace.formats.contents import NOTHING, Contents, PictureDescription, TextDescription
from headrace.formats.descriptions import Description, Distribution
from headrace.formats.feature_counts import present_and_missing, rows_of_nan
from headrace.formats.quartiles import Quartiles
from headrace.reports.blocks.drawings import Density

TYPES = {0: "INT", 1: "FLOAT", 2: "STRING", 3: "BYTES", 4: "STRUCT"}
_STANDARD, _QUANTILES = 0, 1
# A histogram with this share in one bucket shows nothing but that.
_CROWDED = 0.8
# How many times the spread of most numbers away from them a number is far.
_FAR = 100
# Splits of one population differ by more once in so many features.
_CHANCE = 0.001
# Of the values of a feature: so few are exceptions.
_FEW = 0.05


@dataclass(frozen=True)
class FeatureStatistics:
    """One feature in one split; a value that its type does not have is `None` or empty.

    Attributes:
        name: Feature name; steps of a path are joined by dots.
        kind: `"INT"`, `"FLOAT"`, `"STRING"`, `"BYTES"` or `"STRUCT"`.
        num_rows: Rows with or without a value.
        num_missing: Rows without one, be it that the feature is absent, an empty list or NaN.
        distinct: Different values; `None` for numbers.
        values_per_row: Smallest and largest number of values in a row that has any.
        mean, deviation, low, high, median: Of numbers.
        zeros: Values that are zero.
        average_length: Of texts, in bytes.
        quantiles: Borders of buckets that hold equal shares of the numbers.
        edges, counts: The histogram of the numbers.
        top: Most frequent values with their counts, the first most frequent.
        ranks: Counts of the values by falling frequency.
        num_values: All values.
        custom: Custom statistics that are numbers or text.
        not_finite: Values that are NaN.
        quartiles: The first and the third of the numbers, where they are known.
        description: The table of the numbers, where StatisticsGen kept one.
        distribution: Their distribution, where it did.
        described: What the values are, where none of them can be shown.
        texts: What the texts are like, where the feature holds texts.
        pictures: What the pictures are like, where it holds pictures.
    """

    name: str
    kind: str
    num_rows: float
    num_missing: float
    distinct: int | None
    values_per_row: tuple[int, int]
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None
    median: float | None
    zeros: float
    average_length: float | None
    quantiles: Sequence[float]
    edges: Sequence[float]
    counts: Sequence[float]
    top: Sequence[tuple[str, float]]
    ranks: Sequence[tuple[str, float]]
    num_values: float
    custom: Sequence[tuple[str, str]]
    not_finite: float = 0
    quartiles: tuple[float, float] | None = None
    description: Description | None = None
    distribution: Distribution | None = None
    described: str = ""
    texts: TextDescription | None = None
    pictures: PictureDescription | None = None

    @property
    def missing_share(self) -> float:
        """Share of rows without a value."""
        return self.num_missing / self.num_rows if self.num_rows else 0.0

    @property
    def zero_share(self) -> float:
        """Share of zeros among the values."""
        return self.zeros / self.num_values if self.num_values else 0.0

    @property
    def is_constant(self) -> bool:
        """Whether all rows that have a value have the same."""
        if self.distinct is not None:
            return self.distinct == 1
        return self.low is not None and self.low == self.high

    @property
    def distinct_integers(self) -> int | None:
        """Different values of a feature of integers, where they are known."""
        return self.description.distinct if self.description is not None and self.kind == "INT" else None

    @property
    def classes(self) -> dict[str, float]:
        """Values of a feature that may be a label, with their counts; empty where it has too many to list."""
        if self.kind == "INT" and self.distribution is not None and not self.distribution.error:
            values, counts = self.distribution.values, self.distribution.counts
            return {f"{value:g}": float(count) for value, count in zip(values[:100], counts[:100])}
        return dict(self.ranks) if self.distinct == len(self.ranks) else {}

    @property
    def farthest(self) -> float | None:
        """The largest or smallest number, where it lies far beyond nearly all others; `None` where neither does.

        A long tail is no mistake: beyond a hundred times the spread of the middle eight tenths it may be one.
        """
        if len(self.quantiles) < 5 or self.low is None or self.high is None:
            return None
        spread = self.quantiles[-2] - self.quantiles[1]
        if spread <= 0:
            return None
        above, below = self.high - self.quantiles[-2], self.quantiles[1] - self.low
        if max(above, below) <= _FAR * spread:
            return None
        return self.high if above >= below else self.low

    @property
    def odd_text(self) -> str | None:
        """A value of a text feature that is no number, where nearly all others are; `None` where there is none."""
        listed = sum(count for _, count in self.ranks)
        odd = [(value, count) for value, count in self.ranks if not _is_number(value)]
        share = sum(count for _, count in odd) / listed if listed else 1.0
        return odd[0][0] if odd and share <= _FEW else None

    @property
    def density(self) -> Density:
        """The histogram of the numbers, scaled to an area of one."""
        return _density(self.edges, self.counts)

    @property
    def outline(self) -> Density:
        """As `density`; without the largest numbers where a few of them would flatten the rest."""
        total = sum(self.counts) or 1.0
        borders = sorted(set(self.quantiles))
        if not self.counts or max(self.counts) / total < _CROWDED or len(borders) < 4:
            return self.density
        share = 1 / (len(self.quantiles) - 1)
        # A border that repeats holds as many buckets in one point: they go to the bucket that starts there.
        counts = [
            share * sum(1 for left, right in pairwise(self.quantiles) if left == low)
            for low, high in pairwise(borders)
        ]
        return _density(borders[:-1], counts[:-1])

    @property
    def shares(self) -> dict[str, float]:
        """Value to its share among all values, for those that the statistics list."""
        total = self.num_values or sum(count for _, count in self.ranks) or 1.0
        return {value: count / total for value, count in self.ranks}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _density(edges: Sequence[float], counts: Sequence[float]) -> Density:
    total = sum(counts) or 1.0
    heights = [
        count / total / (right - left) if right > left else 0.0
        for left, right, count in zip(edges, edges[1:], counts)
    ]
    return Density(edges, heights)


@dataclass(frozen=True)
class Kept:
    """What is kept beside TFDV's file of a split, by feature.

    Attributes:
        quartiles: Of earlier versions.
        descriptions: The table; `None` where there is none.
        distributions: The distributions; `None` where there are none.
        contents: What texts and pictures are like.
    """

    quartiles: Quartiles
    descriptions: Mapping[str, Description] | None
    distributions: Mapping[str, Distribution] | None
    contents: Contents = NOTHING

    def beside(self, feature: FeatureStatistics) -> FeatureStatistics:
        """Return a feature with what is kept of it."""
        table = (self.descriptions or {}).get(feature.name)
        borders = (table.quartiles[0], table.quartiles[2]) if table is not None and table.quartiles else None
        return replace(
            feature,
            median=table.quartiles[1] if table is not None and table.quartiles else feature.median,
            deviation=table.deviation if table is not None and table.count > 1 else feature.deviation,
            quartiles=borders or self.quartiles.get(feature.name),
            description=table,
            distribution=(self.distributions or {}).get(feature.name),
            texts=self.contents.texts.get(feature.name),
            pictures=self.contents.pictures.get(feature.name),
        )


def parse(features: Sequence[Any], num_rows: float, kept: Kept | None = None) -> list[FeatureStatistics]:
    """Return the features of a `DatasetFeatureStatistics`, with what is kept beside it of their numbers."""
    found = [_feature(feature, num_rows) for feature in features]
    return [kept.beside(one) if kept is not None else one for one in found]


def _feature(proto: Any, num_rows: float) -> FeatureStatistics:
    which = proto.WhichOneof("stats")
    stats: Any = getattr(proto, which) if which else None
    common = stats.common_stats if stats is not None else None
    present, missing = present_and_missing(common, num_rows)
    numbers = stats if which == "num_stats" else None
    texts = stats if which == "string_stats" else None
    num_nan = rows_of_nan(numbers) if numbers is not None else 0
    present, missing = present - num_nan, missing + num_nan
    # Of no numbers at all, TFDV's file has zeros for the mean and the ends.
    measured = numbers if numbers is not None and present else None
    histogram = _histogram(numbers.histograms, _STANDARD) if numbers is not None else None
    quantiles = _histogram(numbers.histograms, _QUANTILES) if numbers is not None else None
    edges, counts = _edges(histogram)
    distinct = texts.unique if texts is not None else stats.unique if which == "bytes_stats" else None
    return FeatureStatistics(
        name=proto.name or ".".join(proto.path.step),
        kind=TYPES.get(proto.type, "?"),
        num_rows=(present + missing) or num_rows,
        num_missing=missing,
        distinct=distinct,
        values_per_row=(common.min_num_values, common.max_num_values) if common is not None else (0, 0),
        mean=measured.mean if measured is not None else None,
        deviation=measured.std_dev if measured is not None else None,
        low=measured.min if measured is not None else None,
        high=measured.max if measured is not None else None,
        median=measured.median if measured is not None else None,
        zeros=numbers.num_zeros if numbers is not None else 0,
        average_length=texts.avg_length if texts is not None else None,
        quantiles=_edges(quantiles)[0],
        edges=edges,
        counts=counts,
        top=[(_text(one.value), one.frequency) for one in texts.top_values] if texts is not None else [],
        ranks=_ranks(texts) if texts is not None else [],
        num_values=common.tot_num_values if common is not None else 0,
        custom=_custom(proto.custom_stats),
        not_finite=sum(one.num_nan for one in numbers.histograms if one.type == _STANDARD)
        if numbers is not None
        else 0,
    )


def _ranks(texts: Any) -> list[tuple[str, float]]:
    ranks = [(_text(bucket.label), bucket.sample_count) for bucket in texts.rank_histogram.buckets]
    return ranks or [(_text(one.value), one.frequency) for one in texts.top_values]


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _histogram(histograms: Any, kind: int) -> Any:
    return next((one for one in histograms if one.type == kind and not one.name), None)


def _edges(histogram: Any) -> tuple[list[float], list[float]]:
    if histogram is None:
        return [], []
    buckets = [b for b in histogram.buckets if math.isfinite(b.low_value) and math.isfinite(b.high_value)]
    if not buckets:
        return [], []
    return [buckets[0].low_value, *[b.high_value for b in buckets]], [b.sample_count for b in buckets]


def _custom(statistics: Any) -> list[tuple[str, str]]:
    found = []
    for one in statistics:
        which = one.WhichOneof("val")
        if which == "num":
            found.append((one.name, f"{one.num:.6g}"))
        elif which == "str":
            found.append((one.name, one.str))
    return found


def distance(first: FeatureStatistics, second: FeatureStatistics) -> tuple[float, str]:
    """Return how far two splits are apart, 0 to 1, and the name of the measure.

    L-infinity of the shares of values for texts; for numbers the greatest difference of the two cumulative
    distributions (Kolmogorov-Smirnov), read off the quantiles where these are not kept.
    """
    if first.ranks and second.ranks:
        mine, other = first.shares, second.shares
        return max(abs(mine.get(v, 0.0) - other.get(v, 0.0)) for v in {*mine, *other}), "L∞"
    if first.distribution is not None and second.distribution is not None:
        from headrace.statistics import distances

        return distances.kolmogorov_smirnov(first.distribution, second.distribution, _CHANCE).value, "KS"
    if len(first.quantiles) > 2 and len(second.quantiles) > 2:
        points = sorted({*first.quantiles, *second.quantiles})
        gaps = [
            _cumulative(first.quantiles, point) - _cumulative(second.quantiles, point) for point in points
        ]
        # A quantile's border may be met early or late by one bucket: that much is no difference.
        slack = 1 / (min(len(first.quantiles), len(second.quantiles)) - 1)
        return max(max((abs(gap) for gap in gaps), default=0.0) - slack / 2, 0.0), "KS"
    return 0.0, ""


def is_beyond_chance(splits: Sequence[FeatureStatistics]) -> bool:
    """Whether two of the splits differ by more than chance lets so few rows, as far as that is known."""
    return any(_differ(one, two) for one, two in combinations(splits, 2))


def _differ(first: FeatureStatistics, second: FeatureStatistics) -> bool:
    from headrace.statistics import distances

    if first.ranks and second.ranks:
        mine, other = ({name: int(count) for name, count in one.ranks} for one in (first, second))
        _, old, new = distances.common_bins(mine, other, int(first.num_values), int(second.num_values))
        far = distances.total_variation(old, new, _CHANCE)
        return far.value > far.noise
    if first.distribution is not None and second.distribution is not None:
        far = distances.kolmogorov_smirnov(first.distribution, second.distribution, _CHANCE)
        return far.value - far.slack > far.noise
    return True


def _cumulative(borders: Sequence[float], point: float) -> float:
    """Return the share of values up to `point`, between buckets in proportion."""
    buckets = len(borders) - 1
    if point < borders[0]:
        return 0.0
    share = 0.0
    for index in range(buckets):
        left, right = borders[index], borders[index + 1]
        if point >= right:
            share = (index + 1) / buckets
        elif left <= point:
            return (index + (point - left) / (right - left)) / buckets
    return share
