"""Findings of rows as TFX's anomalies, so that whoever reads these sees them."""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow_metadata.proto.v0 import anomalies_pb2

from headrace.formats.findings import RowFinding

# What TFDV writes where a feature has several anomalies.
_SEVERAL = "Multiple errors"


def add(anomalies: anomalies_pb2.Anomalies, found: Sequence[RowFinding]) -> None:
    """Add findings to the anomalies of a split: under their feature, or under the data set as a whole."""
    for one in found:
        info = anomalies.dataset_anomaly_info
        if one.feature:
            info = anomalies.anomaly_info[one.feature]
            if not info.path.step:
                info.path.step.append(one.feature)
        _add(info, one)


def _add(info: anomalies_pb2.AnomalyInfo, one: RowFinding) -> None:
    kinds = anomalies_pb2.AnomalyInfo
    info.reason.add(
        # Of another generation's types one may be missing.
        type=dict(kinds.Type.items()).get(one.reason, kinds.UNKNOWN_TYPE),
        short_description=one.problem,
        description=one.description,
    )
    has_others = len(info.reason) > 1
    info.short_description = _SEVERAL if has_others else one.problem
    info.description = f"{info.description} {one.description}".strip()
    severity = kinds.ERROR if one.is_error else kinds.WARNING
    info.severity = max(info.severity, severity)
