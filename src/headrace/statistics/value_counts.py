"""How often each value of a categorical feature occurs, counted exactly, in Arrow.

Gives what TFDV's `TopKUniquesStatsGenerator` gives without weights; that one makes a Python tuple of each
distinct value of each batch and sorts them out in Beam.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.statistics.tfdv_internals import (
    array_util,
    arrow_util,
    schema_util,
    stats_util,
    top_k_uniques_stats_util,
)

# So many rows of counts may wait before equal values are added up.
_MAX_PENDING = 500_000

FeatureSteps = tuple[str, ...]


@dataclass
class _FeatureCounts:
    """Counts of one feature: tables of `value`, `count` in which a value may occur more than once."""

    tables: list[pa.Table] = field(default_factory=list)
    num_added_up: int = 0

    def append(self, tables: list[pa.Table]) -> None:
        self.tables += tables
        # Waiting for twice the distinct values keeps the whole cost linear.
        if sum(len(table) for table in self.tables) > 2 * self.num_added_up + _MAX_PENDING:
            self.tables = [self.total()]
            self.num_added_up = len(self.tables[0])

    def total(self) -> pa.Table:
        """One row per distinct value."""
        if len(self.tables) == 1:
            return self.tables[0]
        summed = pa.concat_tables(self.tables).group_by("value").aggregate([("count", "sum")])
        return pa.table({"value": summed["value"], "count": summed["count_sum"]})


class ValueCounts:
    """Counts by feature; picklable."""

    def __init__(self) -> None:
        self.features: dict[FeatureSteps, _FeatureCounts] = {}

    def merge(self, other: ValueCounts) -> None:
        """Add the counts of `other`."""
        for steps, counts in other.features.items():
            self.features.setdefault(steps, _FeatureCounts()).append(counts.tables)


class ValueCounter:
    """Counts the values of text features and of integers that the schema calls categorical.

    Args:
        options: A `tfdv.StatsOptions` without weights.
    """

    def __init__(self, options: Any) -> None:
        self._options = options
        schema = options.schema
        self._bytes_features = frozenset(schema_util.get_bytes_features(schema) if schema else [])
        self._categorical = schema_util.get_categorical_numeric_feature_types(schema) if schema else {}

    def add(self, counts: ValueCounts, batch: pa.RecordBatch) -> None:
        """Add the values of a batch to `counts`."""
        for path, array, _ in arrow_util.enumerate_arrays(
            batch, example_weight_map=None, enumerate_leaves_only=True
        ):
            kind = stats_util.get_feature_type_from_arrow_type(path, array.type)
            if path in self._bytes_features or not self._is_counted(path, kind):
                continue
            values, _ = array_util.flatten_nested(array, False)
            counted = values.value_counts()
            if len(counted):
                table = pa.table({"value": counted.field("values"), "count": counted.field("counts")})
                counts.features.setdefault(path.steps(), _FeatureCounts()).append([table])

    def _is_counted(self, path: Any, kind: int | None) -> bool:
        if kind == statistics_pb2.FeatureNameStatistics.STRING:
            return True
        return kind == statistics_pb2.FeatureNameStatistics.INT and bool(
            top_k_uniques_stats_util.output_categorical_numeric(self._categorical, path, kind)
        )

    def extract(self, counts: ValueCounts) -> list[statistics_pb2.DatasetFeatureStatistics]:
        """Return the top values and the number of distinct ones, a proto for each feature and each of both."""
        options = self._options
        num_kept = max(options.num_top_values, options.num_rank_histogram_buckets)
        found = []
        for steps, feature_counts in counts.features.items():
            total = feature_counts.total()
            top = total.take(
                pc.select_k_unstable(total, num_kept, [("count", "descending"), ("value", "descending")])
            )
            pairs = [
                top_k_uniques_stats_util.FeatureValueCount(value, count)
                for value, count in zip(top["value"].to_pylist(), top["count"].to_pylist())
            ]
            found += [
                top_k_uniques_stats_util.make_dataset_feature_stats_proto_topk_single(
                    feature_path_tuple=steps,
                    value_count_list=pairs,
                    is_weighted_stats=False,
                    num_top_values=options.num_top_values,
                    frequency_threshold=options.frequency_threshold,
                    num_rank_histogram_buckets=options.num_rank_histogram_buckets,
                ),
                top_k_uniques_stats_util.make_dataset_feature_stats_proto_unique_single(
                    feature_path_tuple=steps, num_uniques=len(total)
                ),
            ]
        return found
