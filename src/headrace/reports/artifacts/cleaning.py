"""CleaningReport: how many rows came and stayed, and each that was removed, with the reason."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

from headrace.formats import cleaning_reports
from headrace.formats.cleaning_reports import (
    CONFLICT,
    DUPLICATE,
    KEEP,
    NEAR_DUPLICATE,
    QUARANTINE,
    REASONS,
    CleaningReport,
    FoundRow,
)
from headrace.reports.artifacts import sample_rows
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Section, Table, Value
from headrace.store.session import Subject
from headrace.ui.units import plural

# The page of a million rows would be as large as the data.
_MAX_ROWS = 2_000
_TITLES = {
    "undecodable": "Undecodable",
    "off schema": "Against the schema",
    CONFLICT: "Contradicting labels",
    DUPLICATE: "Duplicates",
    NEAR_DUPLICATE: "Near duplicates",
}
_OF = {CONFLICT: "contradicts", DUPLICATE: "copy of", NEAR_DUPLICATE: "near to"}
_ACTIONS = {"keep": "kept", "drop": "dropped", "quarantine": "in quarantine"}
_TONES = {"keep": "", "drop": "bad", "quarantine": "warning"}


def render(subject: Subject) -> list[Block]:
    """Return the sums, the counts by split and reason, and the rows."""
    artifact = subject.artifact
    report = cleaning_reports.read(artifact)
    total_in, total_out = sum(report.rows_in.values()), sum(report.rows_out.values())
    blocks: list[Block] = [
        Facts(
            [
                ("rows in", total_in),
                ("rows out", total_out),
                ("removed", total_in - total_out),
                ("compared by", report.compared or "–"),
                ("not looked for", ", ".join(_left_out(report)) or "–"),
            ]
        ),
        _verdict(report),
        *[Note(f"{remark[:1].upper()}{remark[1:]}.", "info") for remark in report.remarks],
        _sums(report),
    ]
    rows = list(itertools.islice(cleaning_reports.read_rows(artifact), _MAX_ROWS + 1))
    listed = sum(count.kept + count.dropped + count.quarantined for count in report.counts)
    path = os.path.join(artifact.uri, cleaning_reports.ROWS_FILE)
    if listed > _MAX_ROWS:
        rows = rows[:_MAX_ROWS]
        blocks.append(
            Note(f"The first {_MAX_ROWS:,} of {listed:,} findings stand below.", "info", f"All are in {path}")
        )
    for reason in REASONS:
        of_reason = [row for row in rows if row.reason == reason]
        if of_reason:
            blocks.append(_section(reason, of_reason))
    if any(count.quarantined for count in report.counts):
        folder = os.path.join(artifact.uri, cleaning_reports.QUARANTINE_FOLDER)
        blocks.append(
            Note("The rows in quarantine are records that an ImportExampleGen reads.", "info", folder)
        )
    return blocks


def _left_out(report: CleaningReport) -> list[str]:
    return [_TITLES[reason].lower() for reason in REASONS if reason not in report.looked_for]


def _verdict(report: CleaningReport) -> Note:
    removed = report.num_removed
    kept = sum(count.kept for count in report.counts)
    empty = [split for split, number in report.rows_out.items() if not number]
    if empty:
        return Note(f"No row is left in split {' and '.join(empty)}.", "bad")
    if not sum(report.rows_in.values()):
        return Note("There was no row to look at.", "warning")
    if removed:
        sums = f"{sum(report.rows_in.values()):,} in = {sum(report.rows_out.values()):,} out + {removed:,}"
        return Note(f"{plural(removed, 'row')} removed: {sums}.", "warning")
    if kept:
        return Note(f"Nothing was removed, and something was found: {plural(kept, 'finding')}.", "warning")
    looked = ", ".join(_TITLES[reason].lower() for reason in REASONS if reason in report.looked_for)
    if not looked:
        return Note("Nothing was looked for.", "warning")
    return Note(f"Nothing found: {looked}.", "good")


def _sums(report: CleaningReport) -> Table:
    """In = out + what was removed for each reason, by split."""
    removed = [
        reason
        for reason in REASONS
        if any(one.reason == reason and one.dropped + one.quarantined for one in report.counts)
    ]
    kept = [reason for reason in REASONS if any(one.reason == reason and one.kept for one in report.counts)]
    rows: list[list[Value]] = []
    for split, number in report.rows_in.items():
        row: list[Value] = [split, number]
        row += [_number(report, split, reason, removed=True) for reason in removed]
        row.append(report.rows_out[split])
        rows.append(row + [_number(report, split, reason, removed=False) for reason in kept])
    columns = ["split", "rows in", *[f"− {reason}" for reason in removed], "rows out"]
    columns += [f"{reason}, kept" for reason in kept]
    return Table(columns, rows, caption="Rows", footnote="Rows out = rows in − rows removed for each reason.")


def _number(report: CleaningReport, split: str, reason: str, *, removed: bool) -> int:
    return sum(
        one.dropped + one.quarantined if removed else one.kept
        for one in report.counts
        if (one.split, one.reason) == (split, reason)
    )


def _section(reason: str, rows: Sequence[FoundRow]) -> Section:
    more: dict[str, Sequence[Value]] = {
        "": [Cell(_ACTIONS.get(row.action, row.action), tone=_TONES.get(row.action, "")) for row in rows]
    }
    if reason in _OF:
        more[_OF[reason]] = [f"{row.of[0]} {row.of[1]:,}" if row.of else "–" for row in rows]
    if any(row.detail for row in rows):
        more["why"] = [row.detail or "–" for row in rows]
    gone = sum(row.action != KEEP for row in rows)
    quarantined = sum(row.action == QUARANTINE for row in rows)
    subtitle = f"{plural(gone, 'row')} removed, {quarantined:,} of them in quarantine" if gone else "kept"
    return Section(
        _TITLES[reason],
        [sample_rows.table([row.sample for row in rows], f"Rows: {reason}", more=more)],
        anchor=reason,
        subtitle=subtitle,
    )
