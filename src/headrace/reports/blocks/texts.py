"""Write a report as text for a terminal: tables stay tables, charts become their description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from headrace.reports.blocks.blocks import (
    Block,
    Cell,
    Chart,
    Facts,
    FeatureList,
    Listing,
    Note,
    Picture,
    Report,
    Section,
    Slider,
    Table,
)
from headrace.ui.units import plural

_STYLES = {"good": "green", "warning": "yellow", "bad": "red", "info": "cyan", "": ""}
_MAX_ROWS = 40
_MAX_COLUMNS = 12
_MAX_MATRIX = 8
_MAX_NAME = 40
_MAX_CHARACTERS = 200
# Of a table whose columns became rows: more do not fit beside each other.
_MAX_TURNED = 3
# Between two columns.
_GAP = 2


def print_report(console: Console, report: Report) -> None:
    """Print a report."""
    heading = Text(report.title, "bold")
    for tone, text in report.badges:
        heading.append(f"  {text}", _STYLES.get(tone, ""))
    console.print(heading)
    console.print(Text(report.subtitle, "dim"))
    for block in report.blocks:
        console.print()
        console.print(_block(block))


def _block(block: Block) -> RenderableType:
    if isinstance(block, Section):
        parts: list[RenderableType] = [Text(block.title, "bold underline")]
        if block.subtitle:
            parts.append(Text(block.subtitle, "dim"))
        return Group(*parts, *[_block(inner) for inner in block.blocks])
    if isinstance(block, Note):
        text = Text(block.text, _STYLES.get(block.tone, ""))
        return text.append(f"\n  {block.detail}", "dim") if block.detail else text
    if isinstance(block, Facts):
        return _facts(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, (Chart, Picture)):
        title = f"{block.title}: " if block.title else ""
        return Text(f"{title}{block.description}", "dim")
    if isinstance(block, FeatureList):
        return _features(block)
    if isinstance(block, Listing):
        return Group(Text(block.title, "bold"), Text(block.text))
    return _slider(block)


def _facts(block: Facts) -> RenderableType:
    width = max((cell_len(name) for name, _ in block.cells), default=0)
    lines = Text()
    for index, (name, cell) in enumerate(block.cells):
        lines.append("\n" if index else "").append(set_cell_size(name, width) + "  ", "dim").append(
            cell.text, _STYLES.get(cell.tone, "")
        )
    return lines


def _plain(columns: Sequence[str]) -> RichTable:
    table = RichTable(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(Text(_short(column)), overflow="fold")
    return table


def _table(block: Table) -> RenderableType:
    columns, rows = list(block.columns), block.cells[:_MAX_ROWS]
    num_shown = len(rows)
    if block.is_matrix and len(columns) > _MAX_MATRIX:
        size = f"{len(block.rows)} × {len(columns) - 1}"
        return Text(f"{block.caption}: {size}, in the page (--html FILE).", "dim")
    if len(columns) > _MAX_COLUMNS and not block.is_matrix:
        # A wide table is read feature by feature in a terminal: row names become columns.
        shown = rows[:_MAX_TURNED]
        num_shown = len(shown)
        rows = [[Cell(name), *[row[at] for row in shown]] for at, name in enumerate(columns) if at]
        columns = ["", *[row[0].text for row in shown]]
    parts: list[RenderableType] = [Text(block.caption, "bold")] if block.caption else []
    filled: RenderableType = _Continued(columns, rows) if block.is_continued else _filled(columns, rows)
    parts.append(Padding(filled, (0, 0, 0, 2)))
    left_out = len(block.rows) - num_shown
    more = f" {plural(left_out, 'more row')} in the page (--html FILE)." if left_out else ""
    footnote = f"{block.footnote}{more}".strip()
    return Group(*parts, *([Text(f"  {footnote}", "dim")] if footnote else []))


@dataclass(frozen=True)
class _Continued:
    """A table whose columns go on below where they do not fit, each part with the row names."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for places in self._parts(options.max_width):
            columns = [self.columns[at] for at in places]
            yield _filled(columns, [[row[at] for at in places] for row in self.rows])

    def _parts(self, width: int) -> list[list[int]]:
        widths = [
            max([cell_len(name), *[cell_len(row[at].text) for row in self.rows]]) + _GAP
            for at, name in enumerate(self.columns)
        ]
        parts: list[list[int]] = []
        used = width + 1
        for at in range(1, len(self.columns)):
            if used + widths[at] - _GAP > width:
                parts.append([0])
                used = widths[0]
            parts[-1].append(at)
            used += widths[at]
        return parts


def _filled(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> RichTable:
    table = _plain(columns)
    for row in rows:
        table.add_row(*[_cell(cell) for cell in row])
    for at, column in enumerate(table.columns):
        column.no_wrap = at == 0 and all(len(row[0].text) <= _MAX_NAME for row in rows)
        if rows and all(at < len(row) and row[at].is_number for row in rows):
            column.justify = "right"
    return table


def _cell(cell: Cell) -> Text:
    return Text(_short(cell.text.replace("\n", " ")), _STYLES.get(cell.tone, ""))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


def _features(block: FeatureList) -> RenderableType:
    table = _plain(["feature", "type", *block.headings, "worth looking at"])
    for feature in block.features[:_MAX_ROWS]:
        remarks = Text(", ").join([Text(text, _STYLES.get(tone, "")) for tone, text in feature.remarks])
        table.add_row(
            Text(_short(feature.name), "bold"),
            Text(feature.kind),
            *[Text(_short(v)) for v in feature.values],
            remarks,
        )
    left_out = len(block.features) - min(len(block.features), _MAX_ROWS)
    more = [Text(f"{plural(left_out, 'more feature')} in the page (--html FILE).", "dim")] if left_out else []
    return Group(table, *more)


def _slider(block: Slider) -> RenderableType:
    step = max(len(block.rows) // 10, 1)
    rows = [list(row) for row in block.rows[::step]]
    return _table(Table(list(block.columns), rows, caption=f"By {block.label.lower()}"))
