"""The numbers of each feature of a split, taken batch by batch beside TFDV's accumulators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.formats.descriptions import Description, Distribution
from headrace.statistics.numbers import Numbers, limit_of
from headrace.statistics.tfdv_internals import array_util, arrow_util, schema_util, top_k_uniques_stats_util
from headrace.statistics.tfdv_internals import stats_util as tfdv_stats_util

FeatureSteps = tuple[str, ...]
NumbersByFeature = dict[FeatureSteps, Numbers]

# A distribution that is kept in a file has at most twice so many points: its shares are right to a four-thousandth.
_POINTS = 2_048


class NumberKeeper:
    """Keeps the numbers of the features that are not categories by the schema.

    Args:
        options: A `tfdv.StatsOptions`.
        share: Share of the split's data that is added; see `limit_of`.
    """

    def __init__(self, options: Any, share: float = 1.0) -> None:
        schema = options.schema
        self._categorical = schema_util.get_categorical_numeric_feature_types(schema) if schema else {}
        self._share = share

    def add(self, kept: NumbersByFeature, batch: pa.RecordBatch) -> None:
        """Add the numbers of a batch; a feature with several in a row gives all of them."""
        found = []
        for path, array, _ in arrow_util.enumerate_arrays(
            batch, example_weight_map=None, enumerate_leaves_only=True
        ):
            values, _ = array_util.flatten_nested(array, False)
            is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
            if is_number and not self._is_category(path, array):
                found.append((path.steps(), values))
        limit = limit_of(len({*kept, *(steps for steps, _ in found)}), self._share)
        for steps, values in found:
            numbers = kept.setdefault(steps, Numbers())
            numbers.add(values.drop_null().to_numpy(zero_copy_only=False), limit)

    def _is_category(self, path: Any, array: pa.Array) -> bool:
        kind = tfdv_stats_util.get_feature_type_from_arrow_type(path, array.type)
        return bool(top_k_uniques_stats_util.output_categorical_numeric(self._categorical, path, kind))

    def fold(self, kept: NumbersByFeature) -> None:
        """Make what is kept as small as it can be."""
        for numbers in kept.values():
            numbers.fold(limit_of(len(kept), self._share))

    def merge(self, kept: NumbersByFeature, other: NumbersByFeature) -> None:
        """Add what another part kept; `other` is used up."""
        limit = limit_of(len({*kept, *other}), self._share)
        for steps, numbers in other.items():
            kept.setdefault(steps, Numbers()).merge(numbers, limit)


def described(kept: NumbersByFeature) -> dict[str, Description]:
    """Return what the table of a split says of each feature, by name."""
    return {".".join(steps): _description(numbers) for steps, numbers in kept.items()}


def distributions(kept: NumbersByFeature) -> Mapping[str, Distribution]:
    """Return the distribution of each feature that has numbers, by name; what was kept is used up."""
    found = {}
    for steps, numbers in kept.items():
        if not numbers.count:
            continue
        if len(numbers.values) > 2 * _POINTS:
            numbers.thin(_POINTS)
        values, counts = numbers.points()
        # Neighbouring integers beyond 2**53 become one value here, which moves no share that anybody looks at.
        found[".".join(steps)] = Distribution(
            values.astype(np.float64), counts.astype(np.int64), numbers.error / numbers.count
        )
    return found


def _description(numbers: Numbers) -> Description:
    if not numbers.count:
        return Description(0, numbers.num_nan, math.nan, math.nan, None, (), None, 0.0, 0)
    low, middle, high = (numbers.quantile(share) for share in (0.25, 0.5, 0.75))
    return Description(
        count=numbers.count,
        num_nan=numbers.num_nan,
        mean=numbers.average,
        deviation=numbers.deviation,
        low=numbers.low,
        quartiles=(low, middle, high),
        high=numbers.high,
        error=numbers.error / numbers.count,
        distinct=None if numbers.error else numbers.num_distinct,
    )
