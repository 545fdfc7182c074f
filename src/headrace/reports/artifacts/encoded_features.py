"""Features that hold files, such as pictures: what the statistics tell of them by the features beside them.

TFDV counts bytes that are no text under one name, which tells nothing of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headrace.reports.artifacts import content_tables
from headrace.reports.artifacts.feature_statistics import FeatureStatistics
from headrace.reports.blocks.numbers import format_number, format_share
from headrace.statistics.description_rows import NO_TEXT

_PICTURE, _FORMAT = "image", "format"
_NUMBERS = ("width", "height", "channels")


def described(features: Sequence[FeatureStatistics]) -> list[FeatureStatistics]:
    """Return the features of one split; those of bytes without TFDV's word for them, pictures with what they are.

    What pictures are is told by what StatisticsGen kept of them; where an earlier version or stock TFX computed the
    statistics, by the features `width`, `height`, `channels` and `format` that `ImageFolderExampleGen` writes beside
    `image`.
    """
    by_name = {one.name: one for one in features}
    return [_described(one, by_name) if _is_of_bytes(one) else one for one in features]


def _is_of_bytes(feature: FeatureStatistics) -> bool:
    return bool(feature.top) and all(value == NO_TEXT for value, _ in feature.top)


def _described(feature: FeatureStatistics, by_name: dict[str, FeatureStatistics]) -> FeatureStatistics:
    cleared = replace(feature, top=[], ranks=[], described="bytes")
    numbers = [by_name.get(name) for name in _NUMBERS]
    kinds = by_name.get(_FORMAT)
    if feature.pictures is not None:
        return replace(cleared, described=content_tables.in_short(feature.pictures))
    if feature.name != _PICTURE or kinds is None or any(one is None or one.low is None for one in numbers):
        return cleared
    width, height, channels = (_Range.of(one) for one in numbers if one is not None)
    formats = ", ".join(f"{name} {format_share(share)}" for name, share in kinds.shares.items())
    low, high = f"{width.low} x {height.low}", f"{width.high} x {height.high}"
    sizes = low if low == high else f"{low} to {high}"
    facts = [("format", formats), ("width x height", sizes), ("channels", str(channels))]
    line = f"{kinds.top[0][0] if kinds.top else 'pictures'}, {sizes}"
    return replace(cleared, custom=[*feature.custom, *facts], described=line)


@dataclass(frozen=True)
class _Range:
    low: str
    high: str

    @classmethod
    def of(cls, feature: FeatureStatistics) -> _Range:
        return cls(format_number(feature.low), format_number(feature.high))

    def __str__(self) -> str:
        return self.low if self.low == self.high else f"{self.low} to {self.high}"
