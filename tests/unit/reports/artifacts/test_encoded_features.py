"""What the page of statistics says of pictures."""

from __future__ import annotations

from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.reports.artifacts.encoded_features import described
from headrace.reports.artifacts.feature_statistics import parse


def _number(name: str, low: float, high: float) -> statistics_pb2.FeatureNameStatistics:
    feature = statistics_pb2.FeatureNameStatistics(name=name, type="INT")
    feature.num_stats.min, feature.num_stats.max = low, high
    feature.num_stats.common_stats.num_non_missing = 4
    return feature


def _text(name: str, counts: dict[str, int]) -> statistics_pb2.FeatureNameStatistics:
    feature = statistics_pb2.FeatureNameStatistics(name=name, type="STRING")
    feature.string_stats.common_stats.tot_num_values = sum(counts.values())
    for value, count in counts.items():
        feature.string_stats.top_values.add(value=value, frequency=count)
        feature.string_stats.rank_histogram.buckets.add(label=value, sample_count=count)
    return feature


def test_pictures_are_told_by_the_features_beside_them():
    features = [
        _text("image", {"__BYTES_VALUE__": 4}),
        _text("format", {"png": 3, "jpeg": 1}),
        _number("width", 20, 64),
        _number("height", 10, 64),
        _number("channels", 3, 3),
    ]

    image, kinds, *_ = described(parse(features, 4))

    assert image.described == "png, 20 x 10 to 64 x 64"
    assert dict(image.custom) == {
        "format": "png 75 %, jpeg 25 %",
        "width x height": "20 x 10 to 64 x 64",
        "channels": "3",
    }
    assert (list(image.top), list(image.ranks)) == ([], [])
    assert kinds.top[0][0] == "png"


def test_other_bytes_are_called_so():
    other, text = described(parse([_text("x", {"__BYTES_VALUE__": 4}), _text("y", {"a": 4})], 4))

    assert (other.described, list(other.top)) == ("bytes", [])
    assert (text.described, text.top[0][0]) == ("", "a")
