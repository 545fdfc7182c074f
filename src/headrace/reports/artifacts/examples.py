"""Examples and what looks like them: the first rows, decoded."""

from __future__ import annotations

import os

from headrace.authoring import Artifact
from headrace.errors import HeadraceError
from headrace.formats import artifacts, columns, quarantine
from headrace.formats.examples.plain_rows import Row, columns_of, read_rows
from headrace.reports.artifacts import divisions
from headrace.reports.blocks.blocks import Block, Facts, Note, Section, Table, Value
from headrace.reports.blocks.rows import samples_cell, value_cell
from headrace.store.session import Subject
from headrace.ui.units import format_bytes, plural

_ROWS = 20
_MAX_COLUMNS = 200
_MAX_PLAYED = 5
_MAX_REASONS = 50


def render(subject: Subject) -> list[Block]:
    """Return the format of the files and the first rows of each split."""
    examples = subject.artifact
    names = artifacts.split_names(examples)
    files = {name: _files(examples, name) for name in names}
    sizes = {name: sum(_size(path) for path in files[name]) for name in names}
    facts: list[Block] = [
        Facts(
            [
                ("holds", subject.info.summary or "–"),
                ("format", f"{artifacts.payload_format(examples)}, {artifacts.file_format(examples)}"),
                *[
                    (f"split {name}", f"{plural(len(files[name]), 'file')}, {format_bytes(sizes[name])}")
                    for name in names
                ],
            ]
        )
    ]
    facts += [Note(f"Since the run before, {change}.", "warning") for change in columns.changes_of(examples)]
    if not names:
        facts.append(Note("This artifact has no splits.", "warning"))
    sections = [_split(subject, name) for name in names]
    return [*facts, *divisions.render(examples.uri), *sections, *_quarantine(examples.uri)]


def _files(examples: Artifact, split: str) -> list[str]:
    try:
        return artifacts.split_files(examples, split)
    except HeadraceError:  # Its section says so.
        return []


def _split(subject: Subject, split: str) -> Section:
    try:
        rows = read_rows(subject.artifact, split, _ROWS)
    except HeadraceError as error:
        return Section(f"Split {split}", [Note(error.problem, "warning", error.fix)], anchor=f"split-{split}")
    if not rows:
        return Section(f"Split {split}", [Note("It has no rows.", "warning")], anchor=f"split-{split}")
    features = columns_of(rows)
    shown = features[:_MAX_COLUMNS]
    left_out = (
        f" {len(features) - len(shown):,} more features are left out." if len(features) > len(shown) else ""
    )
    return Section(
        f"Split {split}",
        [
            Table(
                ["row", *shown],
                [
                    [number, *[_cell(row, name, number) for name in shown]]
                    for number, row in enumerate(rows, 1)
                ],
                caption=f"First rows of split {split}",
                footnote=f"The first {plural(len(rows), 'row')}, features by name; – stands for missing.{left_out}",
            )
        ],
        anchor=f"split-{split}",
    )


def _cell(row: Row, name: str, number: int) -> Value:
    """A feature of a row; samples beside their rate, as AudioExampleGen writes them, can be heard in the first rows."""
    values = row.get(name, [])
    rate = row.get("rate", [])
    is_sound = name == "audio" and len(values) > 1 and isinstance(values[0], float)
    if is_sound and number <= _MAX_PLAYED and len(rate) == 1 and isinstance(rate[0], int) and rate[0] > 0:
        return samples_cell(values, rate[0])
    return value_cell(values)


def _quarantine(uri: str) -> list[Block]:
    """What could not be read: how often for which reason, and the first items; nothing where all could."""
    first: list[quarantine.Item] = []
    counts: dict[str, int] = {}
    examples: dict[str, quarantine.Item] = {}
    try:
        for item in quarantine.read(uri):
            first += [item] if len(first) < _ROWS else []
            # Reasons that differ in each item would make a table without end.
            kind = item.kind if item.kind in counts or len(counts) < _MAX_REASONS else "other reasons"
            counts[kind] = counts.get(kind, 0) + 1
            examples.setdefault(kind, item)
    except HeadraceError as error:
        return [Section("Quarantine", [Note(error.problem, "warning", error.fix)], anchor="quarantine")]
    if not counts:
        return []
    total = sum(counts.values())
    reasons = sorted(counts, key=lambda kind: -counts[kind])
    return [
        Section(
            "Quarantine",
            [
                Note(
                    f"{plural(total, 'item')} could not be read and {'is' if total == 1 else 'are'} in no split.",
                    "warning",
                ),
                Table(
                    ["reason", "items", "such as"],
                    [[kind, counts[kind], _place(examples[kind])] for kind in reasons],
                    caption="Why",
                ),
                Table(
                    ["source", "place", "reason"],
                    [[item.source, item.place or "–", item.reason] for item in first],
                    caption="First items",
                    footnote=f"The first {plural(len(first), 'item')}. All are JSON lines in {quarantine.folder(uri)}",
                ),
            ],
            anchor="quarantine",
        )
    ]


def _place(item: quarantine.Item) -> str:
    return f"{item.source}, {item.place}" if item.place else item.source


def _size(path: str) -> int:
    return os.path.getsize(path)
