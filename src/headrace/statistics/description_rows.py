"""The table that pandas' `describe()` gives, of a split's statistics. Light.

Numbers come from the table that StatisticsGen keeps beside TFDV's file. Statistics of stock TFX, of Transform or of an
earlier version have none: what TFDV's file holds of them is given, and what it only knows between two borders is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.authoring import Artifact
from headrace.errors import UnknownSplitError
from headrace.formats import artifacts, descriptions, protos
from headrace.formats.descriptions import Description
from headrace.formats.feature_counts import present_and_missing

# TFDV's word for a value that is no text.
NO_TEXT = "__BYTES_VALUE__"


@dataclass(frozen=True)
class NumberRow:
    """One numeric feature; what is not known is `None`.

    Attributes:
        name: The feature.
        count: Numbers, NaN not among them.
        missing: Rows without a value, and NaN.
        mean, std: Their mean, and the standard deviation of a sample.
        low, quartiles, high: Smallest, 25 %, 50 % and 75 %, largest.
        error: By which share the rank of a quartile may be wrong; `None` where it is of TFDV's file.
    """

    name: str
    count: int
    missing: int
    mean: float | None
    std: float | None
    low: float | None
    quartiles: tuple[float | None, ...]
    high: float | None
    error: float | None


@dataclass(frozen=True)
class CategoryRow:
    """One feature of text, bytes or integers that are categories.

    Attributes:
        name: The feature.
        count: Values.
        missing: Rows without one.
        unique: Different values; `None` where they are not counted.
        top: The most frequent; `None` where it is not known.
        freq: How often it occurs.
    """

    name: str
    count: int
    missing: int
    unique: int | None
    top: str | None
    freq: int | None


@dataclass(frozen=True)
class SplitDescription:
    """All features of a split, by kind, in the order of their names."""

    numbers: list[NumberRow]
    categories: list[CategoryRow]


def describe_splits(statistics: Artifact) -> dict[str, SplitDescription]:
    """Return the tables of each split; one under the empty name where the statistics have no splits.

    Raises:
        MissingFileError: If a file is gone.
        MalformedFileError: If one does not parse.
    """
    known = {
        name: descriptions.read(artifacts.split_path(statistics, name))
        for name in artifacts.split_names(statistics)
    }
    return {
        name: _describe(one.datasets[0] if one.datasets else None, known.get(name))
        for name, one in protos.statistics_by_split(statistics).items()
    }


def describe_split(statistics: Artifact, split: str) -> SplitDescription:
    """Return the table of one split.

    Raises:
        UnknownSplitError: If there is no such split.
    """
    found = describe_splits(statistics)
    if split not in found:
        artifacts.check_splits(statistics, [split], "describe")
        raise UnknownSplitError(f"describe: the statistics have no split '{split}'.", "leave split out.")
    return found[split]


def _describe(dataset: Any, known: Mapping[str, Description] | None) -> SplitDescription:
    numbers, categories = [], []
    for feature in dataset.features if dataset is not None else []:
        name = ".".join(feature.path.step) or feature.name
        which = feature.WhichOneof("stats")
        stats = getattr(feature, which) if which else None
        missing = int(present_and_missing(stats.common_stats if stats else None, dataset.num_examples)[1])
        if which == "num_stats":
            table = (known or {}).get(name)
            numbers.append(
                _of_tfdv(name, stats, missing) if table is None else _of_table(name, table, missing)
            )
        elif which in ("string_stats", "bytes_stats"):
            categories.append(_category(name, stats, missing))
    return SplitDescription(numbers, categories)


def _of_table(name: str, table: Description, missing: int) -> NumberRow:
    return NumberRow(
        name=name,
        count=table.count,
        missing=missing + table.num_nan,
        mean=table.mean,
        std=table.deviation,
        low=table.low,
        quartiles=tuple(table.quartiles) or (None, None, None),
        high=table.high,
        error=table.error,
    )


def _of_tfdv(name: str, stats: Any, missing: int) -> NumberRow:
    num_nan = sum(one.num_nan for one in stats.histograms if one.type == 0)
    count = int(stats.common_stats.tot_num_values - num_nan)
    if not count:
        return NumberRow(name, 0, missing + int(num_nan), None, None, None, (None,) * 3, None, None)
    # TFDV divides by the count.
    std = stats.std_dev * math.sqrt(count / (count - 1)) if count > 1 else math.nan
    middle = None if math.isnan(stats.median) else stats.median
    return NumberRow(
        name, count, missing + int(num_nan), stats.mean, std, stats.min, (None, middle, None), stats.max, None
    )


def _category(name: str, stats: Any, missing: int) -> CategoryRow:
    top = next(iter(getattr(stats, "top_values", ())), None)
    if top is not None and top.value == NO_TEXT:
        # All bytes that are no text are counted under it.
        top = None
    return CategoryRow(
        name=name,
        count=int(stats.common_stats.tot_num_values),
        missing=missing,
        unique=int(stats.unique),
        top=top.value if top is not None else None,
        freq=int(top.frequency) if top is not None else None,
    )
