"""What checks of rows found, below the anomalies of a split: each finding with some of its rows and their pictures."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.authoring import Artifact
from headrace.formats import artifacts, findings
from headrace.formats.findings import RowFinding
from headrace.reports.artifacts import sample_rows
from headrace.reports.blocks.blocks import Block, Note, Section
from headrace.ui.units import plural

WHOLE = "(whole data set)"


def by_problem(anomalies: Artifact, split: str) -> dict[tuple[str, str], RowFinding]:
    """Return each finding by feature and problem: TFX's anomalies have one severity for a feature, and name no check."""
    found = findings.read(artifacts.split_path(anomalies, split)) if split else None
    return {(one.feature or WHOLE, one.problem): one for one in (found.findings if found is not None else ())}


def names_of_checks(anomalies: Artifact, splits: Iterable[str]) -> list[str]:
    """Return the checks that looked at the rows of an artifact's splits; none where rows were not looked at."""
    names: dict[str, None] = {}
    for split in splits:
        found = findings.read(artifacts.split_path(anomalies, split)) if split else None
        names |= dict.fromkeys(found.checks if found is not None else ())
    return list(names)


def render(anomalies: Artifact, split: str) -> list[Block]:
    """Return a section for each finding that has rows to show."""
    found = findings.read(artifacts.split_path(anomalies, split)) if split else None
    if found is None:
        return []
    return [_section(one) for one in found.findings if one.samples]


def _section(one: RowFinding) -> Section:
    left_out = one.num_rows - len(one.samples)
    footnote = f"{plural(left_out, 'more row')} of {one.num_rows:,}." if left_out > 0 else ""
    name = one.feature or "rows"
    return Section(
        f"{one.problem}: {name}",
        [
            Note(one.description, "bad" if one.is_error else "warning"),
            sample_rows.table(one.samples, f"{one.problem} ({name})", footnote),
        ],
        anchor=f"{one.check}-{one.problem}-{name}",
    )
