"""Whether a baseline is one: statistics of other rows than those that are validated."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tensorflow_metadata.proto.v0 import anomalies_pb2

from headrace.authoring import Artifact
from headrace.errors import UnknownSplitError, listed
from headrace.formats import artifacts, protos

NO_SPLITS_FIX = (
    "give those of StatisticsGen: statistics_gen.outputs['statistics'], or in a Resolver "
    "Channel(type=ExampleStatistics, producer_component_id='StatisticsGen')."
)


def is_same(statistics: Artifact, baseline: Artifact | None, splits: Sequence[str]) -> bool:
    """Whether `baseline` holds what `statistics` hold of `splits`: it is the same artifact, or equal and of one span."""
    if baseline is None:
        return False
    if baseline.uri and os.path.realpath(baseline.uri) == os.path.realpath(statistics.uri):
        return True
    if baseline.span != statistics.span or not set(splits) <= set(artifacts.split_names(baseline)):
        return False
    return all(
        protos.read_statistics(baseline, split) == protos.read_statistics(statistics, split)
        for split in splits
    )


def add_anomaly(anomalies: anomalies_pb2.Anomalies, statistics: Artifact) -> None:
    """Add to the anomalies of a split that nothing was compared: statistics have no drift from themselves."""
    info = anomalies.dataset_anomaly_info
    description = (
        f"baseline_statistics are the statistics under validation (span {statistics.span}), so no drift can be found. "
        "Give those of another span, which baseline='previous' finds (a Resolver with "
        "headrace.components.PreviousSpanStrategy does as well)."
    )
    short = "Compared with itself"
    if info.short_description:
        short, description = f"{info.short_description}; {short}", f"{info.description} {description}"
    info.short_description, info.description = short, description
    info.severity = anomalies_pb2.AnomalyInfo.ERROR
    info.reason.add(short_description="Compared with itself", description=description)


def has_no_splits(statistics: Artifact) -> str:
    """Return the sentence on statistics that name no split, as those of Transform do."""
    return (
        f"(artifact {statistics.id}, {statistics.uri}) name no split: they are of all rows together, as those that "
        "Transform makes, and have nothing to validate split by split."
    )


def check_split(baseline: Artifact, split: str, node_id: str) -> None:
    """Check that a baseline has a split to compare with.

    Raises:
        UnknownSplitError: If it has not.
    """
    known = artifacts.split_names(baseline)
    if not known:
        raise UnknownSplitError(f"{node_id}: baseline_statistics {has_no_splits(baseline)}", NO_SPLITS_FIX)
    if split not in known:
        raise UnknownSplitError(
            f"{node_id}: baseline_statistics has no split '{split}' to compare with. It has splits "
            f"{listed(known)}.",
            f"add exclude_splits=['{split}'], or give statistics of a span that has it.",
        )
