"""ExampleAnomalies: what is wrong, in words, with the values and the rule; distances and their thresholds."""

from __future__ import annotations

import os
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

from headrace.formats import artifacts, drift, protos
from headrace.formats.drift import Drift
from headrace.formats.findings import RowFinding
from headrace.reports.artifacts import row_findings
from headrace.reports.artifacts.schemas import describe
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_share
from headrace.store.session import Subject
from headrace.ui.units import plural

_MEASURES = {1: "L∞", 2: "Jensen-Shannon", 3: "normalized difference"}
_DRIFT, _SKEW = "the previous span (drift)", "serving or baseline data (skew)"
# TFDV's types of anomalies that are distances between two data sets: no rule of the schema's is broken.
_DISTANCES = frozenset(
    value for name, value in anomalies_pb2.AnomalyInfo.Type.items() if name.startswith("COMPARATOR_")
)
_SEVERITIES = {0: "", 1: "warning", 2: "bad"}


def render(subject: Subject) -> list[Block]:
    """Return the anomalies of each split."""
    found = protos.anomalies_by_split(subject.artifact)
    schema = subject.inputs.get("schema", [])
    rules = _rules(schema[0]) if schema and os.path.exists(schema[0].uri) else {}
    counts = {split: num_anomalies(one) for split, one in found.items()}
    total = sum(counts.values())
    facts: list[tuple[str, Value]] = [
        (f"split {split}", plural(count, "anomaly")) for split, count in counts.items()
    ]
    checks = row_findings.names_of_checks(subject.artifact, found)
    if checks:
        facts.append(("checks of rows", ", ".join(checks)))
    is_of_schema = bool(schema) or not checks
    blocks: list[Block] = [
        Facts([*facts, ("schema", f"artifact {schema[0].id}" if schema else "–")]),
        _verdict(
            total,
            [split for split, one in found.items() if one.data_missing],
            checks,
            is_of_schema,
            has_errors=any(_has_errors(one) for one in found.values()),
        ),
    ]
    for split, one in found.items():
        measured = drift.read(artifacts.split_path(subject.artifact, split)) if split else None
        blocks.append(
            Section(
                f"Split {split}" if split else "All",
                [
                    *_split(
                        one,
                        rules,
                        "not in the schema" if is_of_schema else "",
                        row_findings.by_problem(subject.artifact, split),
                        has_drift=measured is not None,
                    ),
                    *_measured(measured),
                    *row_findings.render(subject.artifact, split),
                ],
                anchor=f"anomalies-{split}",
            )
        )
    return blocks


def _has_errors(anomalies: Any) -> bool:
    infos = [*anomalies.anomaly_info.values()]
    infos += [anomalies.dataset_anomaly_info] if anomalies.HasField("dataset_anomaly_info") else []
    return any(info.severity != anomalies_pb2.AnomalyInfo.WARNING for info in infos)


def _verdict(
    total: int, empty: list[str], checks: list[str], is_of_schema: bool, *, has_errors: bool
) -> Note:
    if total:
        return Note(f"{plural(total, 'anomaly')} found.", "bad" if has_errors else "warning")
    if empty:
        names = f"split {' and '.join(empty)}" if any(empty) else "the data set"
        return Note(f"No anomalies, and nothing to find any in: {names} has no data.", "warning")
    fits = ["the data fits the schema"] if is_of_schema else []
    fits += [f"the checks of rows found nothing ({', '.join(checks)})"] if checks else []
    return Note(f"No anomalies: {' and '.join(fits)}.", "good")


def num_anomalies(anomalies: Any) -> int:
    """Return how many features, or data sets as a whole, are anomalous."""
    return len(anomalies.anomaly_info) + bool(anomalies.HasField("dataset_anomaly_info"))


def _rules(schema: Any) -> dict[str, str]:
    """Return each feature's rule in the schema, as one sentence."""
    rules = {}
    for name, row in describe(protos.read_schema(schema)).items():
        _, kind, presence, valency, domain, more = row
        parts = [str(part) for part in (kind, presence, f"{valency} per row", domain, more) if part]
        rules[name] = ", ".join(parts)
    return rules


def _split(
    anomalies: Any,
    rules: dict[str, str],
    no_rule: str,
    of_rows: dict[tuple[str, str], RowFinding],
    *,
    has_drift: bool,
) -> list[Block]:
    rows: list[list[Value]] = []
    for name in sorted(anomalies.anomaly_info):
        rows += _rows(name, anomalies.anomaly_info[name], rules.get(name, no_rule), of_rows)
    if anomalies.HasField("dataset_anomaly_info"):
        rows += _rows(row_findings.WHOLE, anomalies.dataset_anomaly_info, "", of_rows)
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(["feature", "problem", "values", "rule"], rows, caption="Anomalies"))
    elif anomalies.data_missing:
        blocks.append(Note("There was no data to validate.", "warning"))
    else:
        blocks.append(Note("No anomalies.", "good"))
    distances = _distances(anomalies, is_drift_left_out=has_drift)
    if distances:
        blocks.append(
            Table(
                ["feature", "compared with", "measure", "distance", "threshold", ""],
                distances,
                caption="Drift and skew",
            )
        )
    return blocks


def _measured(measured: Drift | None) -> list[Block]:
    """What was measured against the baseline: value, noise, threshold and the bins that moved most."""
    if measured is None:
        return []
    notes: list[Block] = [Note(f"{note[0].upper()}{note[1:]}.", "info") for note in measured.notes]
    if not measured.measurements:
        return notes
    rows: list[list[Value]] = [
        [
            one.feature,
            one.measure,
            _three(one.value),
            _three(one.noise),
            Cell(f"{one.threshold:g}", is_number=True),
            Cell("drift", tone="bad") if one.is_over else Cell("within", tone="good"),
            ", ".join(
                f"{move.label}: {format_share(move.old)} → {format_share(move.new)}" for move in one.moves
            ),
        ]
        for one in measured.measurements
    ]
    sizes = [_range(sizes) for sizes in _sizes(measured)]
    footnote = (
        f"Compared with {measured.baseline}. Drift is a value above both the threshold and the noise, which chance reaches "
        "in one of a hundred splits that do not differ, over all features. "
        f"Values compared: {sizes[0]} there, {sizes[1]} here."
    )
    columns = ["feature", "measure", "value", "noise", "threshold", "", "moved most (before → now)"]
    return [*notes, Table(columns, rows, caption="Drift", footnote=footnote, is_sortable=True)]


def _sizes(measured: Drift) -> tuple[list[int], list[int]]:
    return [one.num_old for one in measured.measurements], [one.num_new for one in measured.measurements]


def _range(sizes: list[int]) -> str:
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _three(value: float) -> Cell:
    return Cell(f"{value:.3f}", is_number=True)


def _rows(name: str, info: Any, rule: str, of_rows: dict[tuple[str, str], RowFinding]) -> list[list[Value]]:
    """Return a row for each reason: its rule is one of the schema's, a check of rows, or a threshold."""
    tone = _SEVERITIES.get(info.severity, "bad") or "bad"
    reasons = [(one.short_description, one.description, one.type) for one in info.reason]
    reasons = reasons or [(info.short_description, info.description, 0)]
    rows: list[list[Value]] = []
    for short, long, kind in reasons:
        finding = of_rows.get((name, short))
        if finding is not None:
            cell = Cell(short, tone="bad" if finding.is_error else "warning")
            rows.append([name, cell, long, f"the check {finding.check}"])
        else:
            broken = "the threshold of its distance, below" if kind in _DISTANCES else rule
            rows.append([name, Cell(short or "anomaly", tone=tone), long, broken])
    return rows


def _distances(anomalies: Any, *, is_drift_left_out: bool) -> list[list[Value]]:
    rows: list[list[Value]] = []
    for info in anomalies.drift_skew_info:
        name = ".".join(info.path.step)
        # What Headrace measured itself stands in a table of its own, with the noise level.
        known = [] if is_drift_left_out else info.drift_measurements
        measured = [(_DRIFT, one) for one in known]
        measured += [(_SKEW, one) for one in info.skew_measurements]
        for against, one in measured:
            is_over = one.value > one.threshold
            verdict = Cell("over", tone="bad") if is_over else Cell("within", tone="good")
            rows.append(
                [
                    name,
                    against,
                    _MEASURES.get(one.type, "?"),
                    one.value,
                    one.threshold,
                    verdict,
                ]
            )
    return rows
