"""What stands out in data, as sentences."""

from __future__ import annotations

import pyarrow as pa

from headrace.errors import listed
from headrace.projects.look.labels import Label
from headrace.projects.look.roles import short
from headrace.projects.look.samples import Sample
from headrace.projects.look.sources import Source

# Rows below which a class is hardly learned; and the most classes that are named for it.
_FEW = 8


def on_rows(source: Source, sample: Sample, label: Label | None) -> list[str]:
    """Return what a person should know of a table's rows before anything is learned of them, as sentences."""
    notes = []
    if not sample.is_whole:
        notes.append(
            f"only the first {len(sample.table):,} rows were looked at"
            + (f", those of {source.files[0]}." if len(source.files) > 1 else ".")
        )
    if source.left_out:
        shown = ", ".join(source.left_out[:3])
        notes.append(f"{len(source.left_out):,} other files in the folder are not read: {shown}.")
    if sample.num_unreadable:
        notes.append(
            f"{sample.num_unreadable:,} rows have another number of cells than the header, the first "
            f"{sample.unreadable}. A run stops at them: correct these lines."
        )
    num_copies = _num_copies(sample.table)
    if num_copies:
        notes.append(
            f"{num_copies:,} of {len(sample.table):,} rows are exact copies of others. Division by hash keeps copies "
            "in one split."
        )
    if label is not None and label.num_missing:
        notes.append(f"rows without label: {label.num_missing:,}. They are left out.")
    if label is not None and label.is_imbalanced and label.classes and label.task != "labels":
        least = min(zip(label.counts, label.classes))
        weights = "Rare classes weigh more in training, and each" if label.is_weighted else "Each"
        notes.append(
            f"classes are imbalanced: {short(least[1])} has {least[0]:,} of {sum(label.counts):,} rows. {weights} split "
            "has its share of them."
        )
        if least[0] < _FEW:
            few = [name for name, count in zip(label.classes, label.counts) if count < _FEW]
            notes.append(f"with fewer than {_FEW} rows, {listed(few[:_FEW])} will hardly be learned.")
    return notes


def _num_copies(table: pa.Table) -> int:
    """Return how many rows equal an earlier one; 0 for tables too wide to be compared at once."""
    if table.num_columns > 200:
        return 0
    names = [str(place) for place in range(table.num_columns)]
    plain = [
        column if pa.types.is_primitive(column.type) or pa.types.is_string(column.type) else None
        for column in table.columns
    ]
    if any(column is None for column in plain):
        return 0
    renamed = pa.table(dict(zip(names, table.columns)))
    return len(table) - len(renamed.group_by(names).aggregate([]))
