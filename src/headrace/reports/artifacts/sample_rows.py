"""Rows that something was found in, as a table: place, picture, what tells them from others, what is the matter."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from headrace.formats.samples import Sample
from headrace.reports.blocks.blocks import Cell, Table, Value

# Columns of features beyond this are left out: they tell a row, no more.
_MAX_FEATURES = 8


def table(
    samples: Sequence[Sample],
    caption: str,
    footnote: str = "",
    more: Mapping[str, Sequence[Value]] | None = None,
) -> Table:
    """Return a table of rows.

    Args:
        samples: The rows.
        caption: What they are.
        footnote: What is left out.
        more: Further columns, behind the place of a row: heading, and a value for each row.
    """
    names = list(dict.fromkeys(name for one in samples for name in one.features))[:_MAX_FEATURES]
    has_picture = any(one.thumbnail for one in samples)
    has_note = any(one.note for one in samples)
    columns = ["split", "row", *(["picture"] if has_picture else []), *(more or {})]
    columns += [*(["what"] if has_note else []), *names]
    rows: list[list[Value]] = []
    for at, one in enumerate(samples):
        row: list[Value] = [one.split, Cell(f"{one.row:,}", is_number=True)]
        if has_picture:
            row.append(_picture(one))
        row += [values[at] for values in (more or {}).values()]
        if has_note:
            row.append(one.note)
        rows.append(row + [one.features.get(name, "–") for name in names])
    return Table(columns, rows, caption=caption, footnote=footnote, has_row_names=False)


def _picture(one: Sample) -> Cell:
    if not one.thumbnail:
        return Cell("–")
    # Only a PNG comes out of the files: see `headrace.formats.samples`.
    return Cell("picture", image=f"data:image/png;base64,{base64.b64encode(one.thumbnail).decode()}")
