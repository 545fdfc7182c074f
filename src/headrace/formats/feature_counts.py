"""How many rows of a feature have a value, out of TFDV's statistics."""

from __future__ import annotations

from typing import Any


def present_and_missing(common: Any, num_rows: float) -> tuple[float, float]:
    """Return how many rows have a value and how many have none.

    Args:
        common: The `CommonStatistics` of a feature; `None` where it has none.
        num_rows: Rows of the split.
    """
    if common is None:
        return 0, num_rows
    # TFX's CsvExampleGen writes an empty list for an empty cell, which TFDV counts as present.
    empty = max(common.num_non_missing - common.tot_num_values, 0) if common.max_num_values == 1 else 0
    return common.num_non_missing - empty, common.num_missing + empty


def rows_of_nan(numbers: Any) -> float:
    """Return how many rows hold NaN instead of a number, of a feature with one value in a row at most; else 0.

    Where rows are told from values NaN is no value: so count pandas' `describe()`, drift and the page of statistics.

    Args:
        numbers: The `NumericStatistics` of a feature.
    """
    if numbers.common_stats.max_num_values > 1:
        return 0
    return max((one.num_nan for one in numbers.histograms), default=0)
