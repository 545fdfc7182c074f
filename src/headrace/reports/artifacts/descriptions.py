"""The describe view of statistics: a table of the numbers, and one of the categories, for each split."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.authoring import Artifact
from headrace.errors import listed
from headrace.reports.blocks.blocks import Block, Cell, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.statistics.description_rows import CategoryRow, NumberRow, describe_splits

NUMBER_COLUMNS = ["feature", "count", "missing", "mean", "std", "min", "25 %", "50 %", "75 %", "max"]
CATEGORY_COLUMNS = ["feature", "count", "missing", "unique", "top", "freq"]
_DIGITS = 6
_MAX_TOP = 30


def render(statistics: Artifact, splits: Sequence[str]) -> list[Block]:
    """Return the tables of the splits that are named."""
    found: list[Block] = []
    for name, split in describe_splits(statistics).items():
        if name not in splits:
            continue
        of = f" of split {name}" if name else ""
        if split.numbers:
            found.append(_numbers(split.numbers, f"Numbers{of}"))
        if split.categories:
            found.append(_categories(split.categories, f"Categories{of}"))
    return found


def _numbers(rows: Sequence[NumberRow], caption: str) -> Table:
    cells: list[list[Value]] = [
        [
            row.name,
            row.count,
            row.missing,
            *map(_number, (row.mean, row.std, row.low, *row.quartiles, row.high)),
        ]
        for row in rows
    ]
    return Table(
        NUMBER_COLUMNS, cells, caption=caption, footnote=footnote(rows), is_sortable=True, is_continued=True
    )


def _number(value: float | None) -> Cell:
    return Cell(format_number(value, _DIGITS), is_number=True)


def footnote(rows: Sequence[NumberRow]) -> str:
    """Return how exact the numbers are, in words."""
    texts = ["std is that of a sample (n - 1)."]
    bounds = [row.error for row in rows if row.error]
    if bounds:
        texts.append(
            f"Quartiles of {_names([row.name for row in rows if row.error])} are values of the data whose rank is wrong by "
            f"{_per_cent(max(bounds))} of the values at most: beyond a million values (fewer where there are more than 64 "
            "features) not all are kept."
        )
    unknown = [row.name for row in rows if row.error is None]
    if unknown:
        which = "All are" if len(unknown) == len(rows) else f"{_names(unknown)}:"
        texts.append(
            f"{which} approximate: TFDV, stock TFX or an earlier version computed these statistics, whose file knows the median "
            "to a hundredth of the ranks and no other quartile."
        )
    if not bounds and not unknown:
        texts.append("Quartiles are exact, interpolated linearly.")
    return " ".join(texts)


def _names(names: list[str]) -> str:
    return listed(names) if len(names) <= 3 else f"{len(names)} features"


def _per_cent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _categories(rows: Sequence[CategoryRow], caption: str) -> Table:
    cells: list[list[Value]] = [
        [row.name, row.count, row.missing, row.unique, _shortened(row.top), row.freq] for row in rows
    ]
    return Table(CATEGORY_COLUMNS, cells, caption=caption, is_sortable=True, is_continued=True)


def _shortened(text: str | None) -> str:
    if text is None:
        return "–"
    return text if len(text) <= _MAX_TOP else f"{text[:_MAX_TOP]}…"
