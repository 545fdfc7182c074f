"""Measures each feature of a split against a baseline.

A feature has drifted where its distance is beyond the threshold, and beyond what chance reaches with so few rows. Of
spans that do not differ, one in a hundred gives a false alarm, over all features together (Bonferroni).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from headrace.authoring import Artifact
from headrace.components.example_validator.drift_settings import DriftSettings
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.formats import artifacts, descriptions, protos
from headrace.formats.descriptions import Distribution
from headrace.formats.drift import Drift, Measurement, Move
from headrace.formats.feature_counts import present_and_missing, rows_of_nan
from headrace.statistics import distances
from headrace.statistics.distances import Distance

FALSE_ALARMS = 0.01
_MAX_MOVES = 3
_MAX_VALUES = 20
_MAX_NAMED = 5
# TFDV's sketch may place a border of its ten buckets wrongly by so much.
_SKETCH_ERROR = 0.01
_NUMBERS, _TEXTS = "num_stats", "string_stats"


@dataclass(frozen=True)
class _Feature:
    """What is known of a feature in one split.

    Attributes:
        kind: The proto's field of its statistics.
        num_rows, num_missing: Rows, and those without a value.
        num_values: Values of a category.
        values: Counts of the most frequent ones.
        distribution: Of numbers; `None` where it has none.
    """

    kind: str
    num_rows: int
    num_missing: int
    num_values: int
    values: Mapping[str, int]
    distribution: Distribution | None


@dataclass(frozen=True)
class _Split:
    num_rows: int
    features: Mapping[str, _Feature]
    has_distributions: bool

    def feature(self, name: str) -> _Feature:
        """Return a feature; where it is not there, all rows are without it."""
        return self.features.get(name) or _Feature("", self.num_rows, self.num_rows, 0, {}, None)


def measure(statistics: Artifact, baseline: Artifact, split: str, settings: DriftSettings) -> Drift:
    """Compare a split with the one of the same name in the baseline, feature by feature.

    A feature that only one of both has is missing in all rows of the other.

    Raises:
        MissingFileError: If the split has no statistics in one of them.
        MalformedFileError: If a file of either does not parse.
    """
    new, old = _read(statistics, split), _read(baseline, split)
    words = f"span {artifacts.span_of(baseline)}"
    pairs = [
        (name, old.feature(name), new.feature(name), threshold)
        for name in dict.fromkeys([*new.features, *old.features])
        if (threshold := settings.threshold(name)) is not None
    ]
    notes = list(_notes(pairs, old, new))
    asked = [part for pair in pairs for part in _asked(*pair)]
    alpha = FALSE_ALARMS / max(len(asked), 1)
    found = [one for name, kind, *pair in asked if (one := _measured(name, kind, pair, settings, alpha))]
    found.sort(key=lambda one: (not one.is_over, -one.value))
    notes += _notes_on_few(found)
    return Drift(words, found, notes)


def check_names(
    settings: DriftSettings, schema: schema_pb2.Schema, kept: Sequence[tuple[Artifact, str]]
) -> None:
    """Check that the features with a threshold are there: in the schema, or in some split now or before.

    Args:
        settings: What is asked for.
        schema: The schema.
        kept: Statistics and the split of them, all that are compared. A label may stand in some splits only.

    Raises:
        DefinitionError: If one is nowhere.
        MissingFileError: If a split has no statistics.
        MalformedFileError: If a file does not parse.
    """
    if not isinstance(settings.thresholds, Mapping):
        return
    known = {feature.name for feature in schema.feature}
    if settings.thresholds.keys() - known:
        known.update(name for artifact, split in kept for name in _read(artifact, split).features)
    for name in settings.thresholds:
        if name not in known:
            raise DefinitionError(
                f"drift names the feature '{name}', and the data has {listed(sorted(known))}.",
                f"{did_you_mean(name, known)}Correct the name.",
            )


def _notes(pairs: Sequence[Any], old: _Split, new: _Split) -> Iterator[str]:
    for side, whose in ((old, "the baseline"), (new, "this span")):
        if not side.has_distributions and any(
            before.kind == after.kind == _NUMBERS for _, before, after, _ in pairs
        ):
            yield (
                f"the statistics of {whose} keep ten buckets of numbers and no more (an earlier version or TFDV itself made "
                "them): distances of numbers are told from these, less what is not known"
            )
    other = [
        name for name, before, after, _ in pairs if before.kind and after.kind and before.kind != after.kind
    ]
    if other:
        yield f"not compared, as the type changed: {listed(other)}"


def _notes_on_few(found: Sequence[Measurement]) -> Iterator[str]:
    """Say where chance reaches each distance: nothing is found there, whatever happened."""
    names = dict.fromkeys(
        one.feature for one in found if one.noise >= 1 and one.value - one.slack > one.threshold
    )
    if names:
        more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
        yield f"too few values to tell drift from chance in {listed(list(names)[:_MAX_NAMED])}{more}"


def _asked(name: str, old: _Feature, new: _Feature, threshold: float) -> Iterator[tuple[Any, ...]]:
    """The comparisons of one feature that make sense."""
    if old.num_rows and new.num_rows:
        yield name, "missing", old, new, threshold
    if old.kind == new.kind == _NUMBERS and old.distribution and new.distribution:
        yield name, _NUMBERS, old, new, threshold
    if old.kind == new.kind == _TEXTS and old.num_values and new.num_values:
        yield name, _TEXTS, old, new, threshold


def _measured(
    name: str, kind: str, pair: Sequence[Any], settings: DriftSettings, alpha: float
) -> Measurement | None:
    old, new, threshold = pair
    if kind == "missing":
        counts = (old.num_missing, old.num_rows), (new.num_missing, new.num_rows)
        if not old.num_missing and not new.num_missing:
            return None
        far = distances.share_difference(*counts, alpha)
        moves = [Move("missing", old.num_missing / old.num_rows, new.num_missing / new.num_rows)]
        return _as_measurement(name, "missing", far, threshold, (old.num_rows, new.num_rows), moves)
    labels, before, after = _bins(old, new, kind)
    is_divergence = settings.measure == "bins"
    if is_divergence:
        far, called = distances.jensen_shannon(before, after, alpha), "Jensen-Shannon"
        if kind == _NUMBERS:
            far = replace(
                far, slack=0.0 if old.distribution.error + new.distribution.error < 0.01 else far.value
            )
    elif kind == _NUMBERS:
        far, called = distances.kolmogorov_smirnov(old.distribution, new.distribution, alpha), "KS"
    else:
        far, called = distances.total_variation(before, after, alpha), "total variation"
    sizes = sum(before), sum(after)
    return _as_measurement(name, called, far, threshold, sizes, _moves(labels, before, after))


def _as_measurement(
    name: str, called: str, far: Distance, threshold: float, sizes: tuple[int, int], moves: Sequence[Move]
) -> Measurement:
    return Measurement(name, called, far.value, far.noise, threshold, far.slack, *sizes, moves)


def _bins(old: _Feature, new: _Feature, kind: str) -> tuple[list[str], list[int], list[int]]:
    """Bins that the baseline fixes, with the counts of both."""
    if kind == _TEXTS:
        return distances.common_bins(old.values, new.values, old.num_values, new.num_values)
    assert old.distribution is not None
    assert new.distribution is not None
    edges = distances.decile_edges(old.distribution)
    texts = [f"{edge:.4g}" for edge in edges]
    labels = [
        f"up to {texts[0]}",
        *[f"{low} to {high}" for low, high in itertools.pairwise(texts)],
        f"above {texts[-1]}",
    ]
    return (
        labels,
        distances.counts_between(old.distribution, edges),
        distances.counts_between(new.distribution, edges),
    )


def _moves(labels: Sequence[str], before: Sequence[int], after: Sequence[int]) -> list[Move]:
    found = [
        Move(label, old / max(sum(before), 1), new / max(sum(after), 1))
        for label, old, new in zip(labels, before, after)
    ]
    found.sort(key=lambda move: -abs(move.new - move.old))
    return [move for move in found[:_MAX_MOVES] if move.old != move.new]


def _read(statistics: Artifact, split: str) -> _Split:
    read = protos.read_statistics(statistics, split)
    kept = descriptions.read_distributions(artifacts.split_path(statistics, split))
    # The first dataset holds all rows; slices follow it.
    datasets = read.datasets[:1]
    num_rows = sum(int(dataset.num_examples) for dataset in datasets)
    features = {
        ".".join(one.path.step) or one.name: _feature(one, dataset.num_examples, kept)
        for dataset in datasets
        for one in dataset.features
    }
    return _Split(num_rows, features, kept is not None)


def _feature(
    proto: statistics_pb2.FeatureNameStatistics, num_rows: int, kept: Mapping[str, Distribution] | None
) -> _Feature:
    kind = proto.WhichOneof("stats") or ""
    stats: Any = getattr(proto, kind) if kind else None
    common = stats.common_stats if stats is not None else None
    present, missing = present_and_missing(common, num_rows)
    num_nan = rows_of_nan(stats) if kind == _NUMBERS else 0
    present, missing = present - num_nan, missing + num_nan
    name = ".".join(proto.path.step) or proto.name
    distribution = None
    if kind == _NUMBERS:
        distribution = kept.get(name) if kept is not None else _from_buckets(stats)
    values = (
        {one.label: int(one.sample_count) for one in stats.rank_histogram.buckets} if kind == _TEXTS else {}
    )
    return _Feature(
        kind,
        int(present + missing),
        int(missing),
        int(common.tot_num_values) if common is not None else 0,
        values,
        distribution,
    )


def _from_buckets(stats: Any) -> Distribution | None:
    """TFDV's buckets of equal shares, each as one value: where in it the numbers lie is not known."""
    histogram = next((one for one in stats.histograms if one.type == 1 and not one.name), None)
    buckets = histogram.buckets if histogram is not None else []
    total = sum(one.sample_count for one in buckets)
    if not total:
        return None
    counts: dict[float, float] = {}
    for one in buckets:
        counts[one.high_value] = counts.get(one.high_value, 0.0) + one.sample_count
    values = sorted(counts)
    widest = (
        max(one.sample_count for one in buckets if one.high_value > one.low_value)
        if any(one.high_value > one.low_value for one in buckets)
        else 0.0
    )
    rounded = np.diff(np.rint(np.cumsum([0.0, *(counts[value] for value in values)]))).astype(np.int64)
    return Distribution(np.array(values), rounded, widest / total + _SKETCH_ERROR)


def with_comparators(schema: schema_pb2.Schema, settings: DriftSettings) -> schema_pb2.Schema:
    """Return a copy of the schema by which TFDV measures drift itself.

    Features that have a `drift_comparator` keep it; the others get L-infinity for texts, Jensen-Shannon for numbers.
    """
    copy = schema_pb2.Schema()
    copy.CopyFrom(schema)
    for feature in copy.feature:
        threshold = settings.threshold(feature.name)
        if threshold is None or feature.HasField("drift_comparator"):
            continue
        comparator = feature.drift_comparator
        if feature.type == schema_pb2.BYTES:
            comparator.infinity_norm.threshold = threshold
        elif feature.type in (schema_pb2.INT, schema_pb2.FLOAT):
            comparator.jensen_shannon_divergence.threshold = threshold
    return copy
