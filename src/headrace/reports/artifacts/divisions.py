"""How the rows of Examples were divided: sizes and shares of the splits, and of the classes in each."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.errors import HeadraceError
from headrace.formats.divisions import ClassTable, Division, read
from headrace.reports.blocks.blocks import Block, Cell, Note, Section, Table, Value
from headrace.splits.parsing import parse

_MAX_CLASSES = 50


def render(uri: str) -> list[Block]:
    """Return the section of an artifact's page; nothing where the pipeline did not say how to divide."""
    try:
        division = read(uri)
    except HeadraceError as error:
        return [Section("Splits", [Note(error.problem, "warning", error.fix)], anchor="splits")]
    if division is None:
        return []
    blocks: list[Block] = [Note(note) for note in division.notes]
    blocks.append(_sizes(division))
    if division.classes is not None:
        blocks.append(_classes(division.classes))
    return [Section("Splits", blocks, anchor="splits")]


def way_of(division: Division) -> str:
    """Return how rows were divided, as a person writes it."""
    try:
        return str(parse(division.split_by, "splits.json"))
    except HeadraceError:  # A newer Headrace's.
        return ", ".join(f"{key}: {value}" for key, value in division.split_by.items())


def _sizes(division: Division) -> Table:
    total = sum(division.rows.values()) + sum(division.excluded.values())
    shares = division.shares if isinstance(division.shares, dict) else {}
    asked = sum(shares.values())
    rows: list[list[Value]] = [
        # A split that came apart was not asked for.
        [
            name,
            count,
            _share(count, total),
            _share(shares[name], asked) if name in shares else "as given",
        ]
        for name, count in division.rows.items()
    ]
    rows += [
        [f"none: {reason}", count, _share(count, total), ""] for reason, count in division.excluded.items()
    ]
    rows.append(["all", total, _share(total, total), ""])
    columns = ["split", "rows", "share", "asked for"]
    if not shares:
        columns, rows = columns[:3], [row[:3] for row in rows]
    return Table(columns, rows, caption=f"Rows of each split, {way_of(division)}")


def _classes(table: ClassTable) -> Table:
    """Each class's rows, and its share of each split."""
    totals = {split: sum(counts) + table.others[split] for split, counts in table.rows.items()}
    of_class = [sum(counts) for counts in zip(*table.rows.values())]
    largest = sorted(sorted(range(len(table.names)), key=lambda one: -of_class[one])[:_MAX_CLASSES])
    rows = [
        _class(table.names[one], {split: counts[one] for split, counts in table.rows.items()}, totals)
        for one in largest
    ]
    num_left = len(table.names) - len(largest) + table.num_others
    if num_left:
        shown = {split: sum(counts[one] for one in largest) for split, counts in table.rows.items()}
        left = {split: totals[split] - shown[split] for split in totals}
        rows.append(_class(f"{num_left:,} other {'class' if num_left == 1 else 'classes'}", left, totals))
    return Table(
        [table.feature, "rows", "share", *[f"of {split}" for split in totals]],
        rows,
        caption=f"Classes of {table.feature} in each split",
        footnote="Shares of a class among the rows of each split, and how many rows these are.",
    )


def _class(name: str, rows: Mapping[str, int], totals: Mapping[str, int]) -> list[Value]:
    count = sum(rows.values())
    of_splits: list[Value] = [
        Cell(f"{_percent(rows[split], totals[split])} ({rows[split]:,})", is_number=True) for split in totals
    ]
    return [name, count, _share(count, sum(totals.values())), *of_splits]


def _share(count: int, total: int) -> Cell:
    return Cell(_percent(count, total), bar=count / total if total else 0.0, is_number=True)


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.2f} %" if total else "–"
