"""Statistics of two data sets, compared in numbers."""

from __future__ import annotations

from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.formats.statistics_changes import Statistics, StatisticsChange, compare_statistics


def statistics_of(rows: int, mean: float, missing: int, extra: bool = False) -> Statistics:
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = statistics.datasets.add(num_examples=rows)
    fare = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    fare.path.step.append("fare")
    fare.num_stats.mean = mean
    fare.num_stats.common_stats.num_missing = missing
    if extra:
        name = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING, name="company")
        name.string_stats.unique = 7
    return {"train": statistics}


def test_equal_statistics_do_not_differ():
    old, new = statistics_of(10, 2.5, 1), statistics_of(10, 2.5, 1)

    assert compare_statistics(old, new) == []


def test_rows_missing_and_mean_are_compared_and_new_features_named():
    old = statistics_of(10, 2.5, 1)
    new = statistics_of(20, 3.0, 10, extra=True)

    assert compare_statistics(old, new) == [
        StatisticsChange("train", "", "rows", 10.0, 20.0),
        StatisticsChange("train", "company", "feature", None, 1.0),
        StatisticsChange("train", "fare", "missing", 0.1, 0.5),
        StatisticsChange("train", "fare", "mean", 2.5, 3.0),
    ]
