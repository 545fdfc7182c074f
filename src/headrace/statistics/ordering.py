"""The order of statistics in their file: that of names, whatever order they were computed in."""

from __future__ import annotations

from tensorflow_data_validation import constants
from tensorflow_metadata.proto.v0 import statistics_pb2


def in_order(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Return the same statistics in an order that depends on names only."""
    ordered = statistics_pb2.DatasetFeatureStatisticsList()
    default_name = constants.DEFAULT_SLICE_KEY
    for dataset in sorted(statistics.datasets, key=lambda item: (item.name != default_name, item.name)):
        features = sorted(dataset.features, key=_feature_key)
        added = ordered.datasets.add()
        added.CopyFrom(dataset)
        del added.features[:]
        added.features.extend(features)
        cross = sorted(dataset.cross_features, key=lambda item: item.SerializeToString(deterministic=True))
        del added.cross_features[:]
        added.cross_features.extend(cross)
    return ordered


def _feature_key(feature: statistics_pb2.FeatureNameStatistics) -> tuple[tuple[str, ...], str]:
    return tuple(feature.path.step), feature.name
