"""What differs between the statistics of two data sets, in numbers that a person compares.

Light: the protos are read without TFDV.
"""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.files import matching
from headrace.formats import protos

_SPLIT_PREFIX = "Split-"
# Measures are compared as people read them: smaller changes are rounding.
_RELATIVE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class StatisticsChange:
    """One number that differs.

    Attributes:
        split: Such as `"train"`.
        feature: The feature; empty for the split as a whole.
        measure: `"rows"`, `"missing"` (share of rows), `"mean"`, `"standard deviation"`, `"distinct"`, or
            `"feature"` for one that is in one data set only.
        old, new: The numbers; `None` where there is none.
    """

    split: str
    feature: str
    measure: str
    old: float | None
    new: float | None


def compare_statistics(old_path: str, new_path: str) -> list[StatisticsChange]:
    """Compare two `ExampleStatistics` payloads.

    Args:
        old_path: Folder with `Split-{name}/FeatureStats.pb`, or with `FeatureStats.pb` alone.
        new_path: The other.

    Returns:
        The changes, by split and feature; splits that are in one only are left out.

    Raises:
        MalformedFileError: If a file does not parse.
    """
    old, new = _read(old_path), _read(new_path)
    return [
        change
        for split in sorted(old.keys() & new.keys())
        for change in _compare(split, old[split], new[split])
    ]


def _read(path: str) -> dict[str, dict[str, dict[str, float]]]:
    """Measures by split and feature; the split's own stand under the empty name."""
    found = {}
    folder = glob.escape(path)
    files = matching(os.path.join(folder, f"{_SPLIT_PREFIX}*", protos.STATISTICS_FILE))
    # Transform writes statistics of all splits together, without a folder for each.
    files += matching(os.path.join(folder, protos.STATISTICS_FILE))
    for file in sorted(files):
        name = os.path.basename(os.path.dirname(file))
        split = name[len(_SPLIT_PREFIX) :] if name.startswith(_SPLIT_PREFIX) else "all"
        datasets = protos.read_binary(file, statistics_pb2.DatasetFeatureStatisticsList).datasets
        if datasets:
            # The first holds all rows; slices follow it.
            found[split] = _measures(datasets[0])
    return found


def _measures(dataset: statistics_pb2.DatasetFeatureStatistics) -> dict[str, dict[str, float]]:
    rows = float(dataset.num_examples)
    measures = {"": {"rows": rows}}
    for feature in dataset.features:
        name = feature.name or ".".join(feature.path.step)
        which = feature.WhichOneof("stats")
        values: dict[str, float] = {"feature": 1.0}
        if which is not None:
            own = getattr(feature, which)
            values["missing"] = own.common_stats.num_missing / rows if rows else 0.0
            if which == "num_stats":
                values["mean"] = own.mean
                values["standard deviation"] = own.std_dev
            elif which == "string_stats":
                values["distinct"] = float(own.unique)
        measures[name] = values
    return measures


def _compare(
    split: str, old: dict[str, dict[str, float]], new: dict[str, dict[str, float]]
) -> Iterator[StatisticsChange]:
    for feature in sorted(old.keys() | new.keys()):
        before, after = old.get(feature, {}), new.get(feature, {})
        is_in_both = bool(before) and bool(after)
        for measure in before | after:
            first, second = before.get(measure), after.get(measure)
            # Of a feature that came or went this is all that is to say.
            if (measure == "feature") is not is_in_both and not _is_near(first, second):
                yield StatisticsChange(split, feature, measure, first, second)


def _is_near(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=_RELATIVE_TOLERANCE) or (first != first and second != second)
