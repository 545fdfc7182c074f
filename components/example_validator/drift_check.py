"""Drift as a part of validation: what is asked for, and what is found as anomalies of TFX's kinds."""

from __future__ import annotations

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from headrace.components.example_validator import baselines, drift, drift_settings
from headrace.components.example_validator.drift_settings import PREVIOUS, DriftSettings
from headrace.formats import artifacts
from headrace.formats import drift as drift_files
from headrace.formats.drift import Drift, Measurement
from headrace.runtime.context import ExecutionContext

_INFO = anomalies_pb2.AnomalyInfo
_MEASUREMENT = anomalies_pb2.DriftSkewInfo.Measurement
_KINDS = {
    "KS": (_INFO.COMPARATOR_L_INFTY_HIGH, _MEASUREMENT.L_INFTY),
    "missing": (_INFO.COMPARATOR_L_INFTY_HIGH, _MEASUREMENT.L_INFTY),
    "total variation": (
        _INFO.COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH,
        _MEASUREMENT.NORMALIZED_ABSOLUTE_DIFFERENCE,
    ),
    "Jensen-Shannon": (
        _INFO.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
        _MEASUREMENT.JENSEN_SHANNON_DIVERGENCE,
    ),
}
_SHORT = "Drift from the baseline"


class DriftCheck:
    """What an execution asks for.

    Args:
        context: The execution.
        splits: The splits that are validated.

    Raises:
        DefinitionError: If a parameter has a value that it cannot have.
    """

    def __init__(self, context: ExecutionContext, splits: list[str]) -> None:
        self._context = context
        self._splits = splits
        self._settings: DriftSettings | None = drift_settings.read(
            context.parameter("baseline"),
            context.json_parameter("drift"),
            context.parameter("drift_measure"),
            where=context.node_id,
        )
        self._statistics = context.input("statistics")
        self._baseline = context.optional_input("baseline_statistics")
        self._is_same = baselines.is_same(self._statistics, self._baseline, splits)

    @property
    def is_asked(self) -> bool:
        """Whether drift is to be measured."""
        return self._settings is not None

    def schema(self, schema: schema_pb2.Schema) -> schema_pb2.Schema:
        """Return the schema to validate with: with comparators where TFDV is to measure.

        Raises:
            DefinitionError: If a threshold is given for a feature that is nowhere.
        """
        if self._settings is None or self._baseline is None:
            return schema
        kept = [
            (artifact, split)
            for artifact in (self._statistics, self._baseline)
            for split in self._splits
            if split in artifacts.split_names(artifact)
        ]
        drift.check_names(self._settings, schema, kept)
        if self._settings.measure != "tfdv":
            return schema
        return drift.with_comparators(schema, self._settings)

    def notes(self) -> list[str]:
        """Say that there is nothing to compare with."""
        if self._settings is None or self._baseline is not None:
            return []
        span = artifacts.span_of(self._statistics)
        if self._context.parameter("baseline") != PREVIOUS:
            return ["drift not checked: baseline_statistics holds nothing"]
        more = (
            ""
            if span
            else "; spans are told apart by {SPAN} in the input pattern, and without it all data is span 0"
        )
        return [f"drift not checked: no span before {span} in this pipeline{more}"]

    def add(self, split: str, anomalies: anomalies_pb2.Anomalies, folder: str) -> list[str]:
        """Measure a split, add what drifted to its anomalies, and write all that was measured into the folder.

        Returns:
            What is to be said besides.
        """
        if self._settings is None:
            return []
        if self._baseline is not None and self.is_new(split):
            span = artifacts.span_of(self._baseline)
            note = f"drift not checked in '{split}': span {span} has no such split"
            drift_files.write(folder, Drift("", (), [note]))
            return [note]
        if self._settings.measure == "tfdv":
            return []
        if self._baseline is None:
            drift_files.write(folder, Drift("", (), self.notes()))
            return []
        baselines.check_split(self._baseline, split, self._context.node_id)
        found = drift.measure(self._statistics, self._baseline, split, self._settings)
        drift_files.write(folder, found)
        for one in found.measurements:
            _add(anomalies, one, found.baseline)
        return [f"{split}: {note}" for note in found.notes]

    def remedy(self) -> str:
        """Say, after other remedies, what to do about drift that is meant; empty where the schema says how far."""
        is_own = self._settings is not None and self._baseline is not None
        return ", or give the feature a higher threshold in drift={...}" if is_own else ""

    def is_new(self, split: str) -> bool:
        """Whether the rows are divided otherwise than in the span before: nobody chose that as a baseline."""
        return (
            self._context.parameter("baseline") == PREVIOUS
            and self._baseline is not None
            and bool(artifacts.split_names(self._baseline))
            and split not in artifacts.split_names(self._baseline)
        )

    def is_itself(self, *, has_comparator: bool) -> bool:
        """Whether the split would be compared with itself."""
        return self._is_same and (has_comparator or self.is_asked)


def _add(anomalies: anomalies_pb2.Anomalies, one: Measurement, baseline: str) -> None:
    """Record a measurement as TFDV does its own, and as an anomaly where it is over."""
    anomaly, kind = _KINDS[one.measure]
    steps = one.feature.split(".")
    info = next((item for item in anomalies.drift_skew_info if list(item.path.step) == steps), None)
    if info is None:
        info = anomalies.drift_skew_info.add()
        info.path.step.extend(steps)
    info.drift_measurements.add(type=kind, value=one.value, threshold=one.threshold)
    if not one.is_over:
        return
    found = anomalies.anomaly_info[one.feature]
    description = sentence(one, baseline)
    if found.reason:
        found.short_description = "Multiple errors"
        found.description = f"{found.description} {description}".strip()
    else:
        found.path.step.extend(steps)
        found.short_description, found.description = _SHORT, description
    found.severity = _INFO.ERROR
    found.reason.add(type=anomaly, short_description=_SHORT, description=description)


def sentence(one: Measurement, baseline: str) -> str:
    """Return a measurement in words: value, noise, threshold and the bins that moved most."""
    what = (
        "share of rows without a value changed by"
        if one.measure == "missing"
        else f"{one.measure} distance is"
    )
    moved = ", ".join(f"{move.label}: {move.old:.1%} -> {move.new:.1%}" for move in one.moves)
    known = f", known to {one.slack:.3f}" if one.slack > 0.001 else ""
    return (
        f"The {what} {one.value:.3f}{known} from {baseline}; chance reaches {one.noise:.3f} with {one.num_old:,} and "
        f"{one.num_new:,} values, the threshold is {one.threshold:g}. Moved most: {moved}."
    )
