"""Anomalies in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

_MAX_LISTED = 10
_MAX_IN_SUMMARY = 3


@dataclass(frozen=True)
class Finding:
    """One anomaly.

    Attributes:
        split: The split it was found in; empty where that is not said.
        feature: Path of the feature; `"the dataset"` for an anomaly of the split as a whole.
        short: TFDV's short description, such as `"Column dropped"`.
        description: TFDV's whole description.
        is_error: Whether its severity is ERROR, and not WARNING.
        is_new_column: Whether the schema only lacks the feature. A short schema has many of these; they are
            told after all others.
    """

    split: str
    feature: str
    short: str
    description: str
    is_error: bool
    is_new_column: bool


def of(anomalies: anomalies_pb2.Anomalies, split: str = "") -> list[Finding]:
    """Return the anomalies of one split: the dataset's own first, then by feature, new columns last."""
    found = []
    if anomalies.HasField("dataset_anomaly_info"):
        found.append(_finding(split, "the dataset", anomalies.dataset_anomaly_info))
    for name in sorted(anomalies.anomaly_info):
        info = anomalies.anomaly_info[name]
        found.append(_finding(split, ".".join(info.path.step) or name, info))
    return new_columns_last(found)


def new_columns_last(items: Iterable[Finding]) -> list[Finding]:
    """Return anomalies in their order, but those that may hide the others at the end."""
    return sorted(items, key=lambda item: item.is_new_column)


def _finding(split: str, feature: str, info: anomalies_pb2.AnomalyInfo) -> Finding:
    return Finding(
        split=split,
        feature=feature,
        short=info.short_description,
        description=info.description,
        is_error=info.severity == anomalies_pb2.AnomalyInfo.ERROR,
        is_new_column=[reason.type for reason in info.reason]
        == [anomalies_pb2.AnomalyInfo.SCHEMA_NEW_COLUMN],
    )


def count(number: int, one: str, many: str) -> str:
    """Return `"1 anomaly"` or `"3 anomalies"`."""
    return f"{number:,} {one if number == 1 else many}"


def summary(found: Mapping[str, anomalies_pb2.Anomalies]) -> str:
    """Return one line, such as `"no anomalies"` or `"train 1 anomaly: tips (Column dropped), eval none"`."""
    by_split = {split: of(anomalies, split) for split, anomalies in found.items()}
    if not any(by_split.values()):
        return "no anomalies"
    texts = []
    for split, items in by_split.items():
        if not items:
            texts.append(f"{split} none")
            continue
        named = ", ".join(f"{item.feature} ({item.short})" for item in items[:_MAX_IN_SUMMARY])
        rest = f" and {len(items) - _MAX_IN_SUMMARY} more" if len(items) > _MAX_IN_SUMMARY else ""
        texts.append(f"{split} {count(len(items), 'anomaly', 'anomalies')}: {named}{rest}")
    return ", ".join(texts)


def as_list(items: Sequence[Finding]) -> str:
    """Return up to ten anomalies, a line each, and how many more there are."""
    lines = [f"    {item.split}: {item.feature}: {_words(item)}" for item in items[:_MAX_LISTED]]
    if len(items) > _MAX_LISTED:
        lines.append(f"    ... and {len(items) - _MAX_LISTED} more")
    return "\n".join(lines)


def _words(item: Finding) -> str:
    # TFDV begins some descriptions with the short one.
    if not item.description or item.description.startswith(item.short):
        return item.description or item.short
    return f"{item.short} ({item.description})"


def has_comparator(schema: schema_pb2.Schema, name: str) -> bool:
    """Whether some feature of the schema has the comparator `"drift_comparator"` or `"skew_comparator"`."""
    return _any_has(schema.feature, name)


def _any_has(features: Iterable[schema_pb2.Feature], name: str) -> bool:
    return any(
        feature.HasField(name) or _any_has(feature.struct_domain.feature, name) for feature in features
    )
