"""What reports are made of. Blocks hold plain text: `pages` escapes it, `texts` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Union

from markupsafe import Markup

from headrace.reports.blocks.numbers import format_number


@dataclass(frozen=True)
class Cell:
    """A value in a table.

    Attributes:
        text: What is read.
        shade: -1 to 1, drawn as a tint from one colour over none to another.
        bar: 0 to 1, drawn as a bar behind the text.
        image: `data:` address of a thumbnail.
        sound: `data:` address of a sound, which is played beside the text.
        href: Link within the page.
        tone: `"good"`, `"warning"`, `"bad"` or empty.
        is_number: Whether it is aligned to the right.
    """

    text: str
    shade: float = 0.0
    bar: float = 0.0
    image: str = ""
    sound: str = ""
    href: str = ""
    tone: str = ""
    is_number: bool = False


Value = Union[str, int, float, None, Cell]


def to_cell(value: Value) -> Cell:
    """Return any value as a cell; numbers are formatted."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, str):
        return Cell(value)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    return Cell(format_number(value), is_number=True)


@dataclass(frozen=True)
class Note:
    """A sentence that stands out; `tone` is `"good"`, `"warning"`, `"bad"` or `"info"`."""

    block: ClassVar[str] = "note"
    text: str
    tone: str = "info"
    detail: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values, one short line each."""

    block: ClassVar[str] = "facts"
    pairs: Sequence[tuple[str, Value]]

    @property
    def cells(self) -> list[tuple[str, Cell]]:
        """The values as cells."""
        return [(name, to_cell(value)) for name, value in self.pairs]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: Headings.
        rows: One value per column.
        caption: What it shows; also read by screen readers.
        footnote: Stands below, such as how many rows were left out.
        is_sortable: Whether a click on a heading sorts.
        has_row_names: Whether the first column names its row.
        is_matrix: Whether cells are square and centred.
        is_continued: Whether columns that do not fit beside each other in a terminal go on below, with the row names.
    """

    block: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    caption: str = ""
    footnote: str = ""
    is_sortable: bool = False
    has_row_names: bool = True
    is_matrix: bool = False
    is_continued: bool = False

    @property
    def cells(self) -> list[list[Cell]]:
        """The values as cells."""
        return [[to_cell(value) for value in row] for row in self.rows]

    @property
    def number_columns(self) -> set[int]:
        """Columns that hold numbers alone: their headings stand above them."""
        cells = self.cells
        return {
            at
            for at in range(len(self.columns))
            if cells and all(at < len(row) and row[at].is_number for row in cells)
        }


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart.

    Attributes:
        title: What it shows.
        spec: Vega-Lite without schema, colours and width. Names from data occur as values, never as fields.
        description: What is to be seen, for who cannot see it and for the terminal.
        is_wide: Whether it takes the page's whole width.
    """

    block: ClassVar[str] = "chart"
    title: str
    spec: Mapping[str, Any]
    description: str
    is_wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing made here: SVG whose texts are escaped already.

    Attributes:
        title: What it shows; may be empty.
        svg: The drawing.
        description: What is to be seen, for who cannot see it and for the terminal.
        legend: Class of a colour, and what it stands for.
        axis: What stands below the drawing, from left to right.
    """

    block: ClassVar[str] = "picture"
    title: str
    svg: Markup
    description: str
    legend: Sequence[tuple[str, str]] = ()
    axis: Sequence[str] = ()


@dataclass(frozen=True)
class Slider:
    """Values at each of many positions; the page shows those at the position chosen.

    Attributes:
        label: What is chosen.
        columns: Names of the values, the position first.
        rows: The values, by rising position; `None` where there is none.
        start: The row shown first.
    """

    block: ClassVar[str] = "slider"
    label: str
    columns: Sequence[str]
    rows: Sequence[Sequence[float | None]]
    start: int = 0


@dataclass(frozen=True)
class Feature:
    """One feature in a long list: a line, and what is behind it.

    Attributes:
        name: Feature name.
        kind: Its type.
        remarks: Tone and text of what is worth looking at.
        values: Short facts on the line, one per heading of the list.
        sparkline: A small drawing.
        blocks: Shown when it is opened.
        keys: Numbers to sort by, one per way of sorting.
    """

    name: str
    kind: str
    remarks: Sequence[tuple[str, str]]
    values: Sequence[str]
    sparkline: Markup
    blocks: Sequence[Any]
    keys: Sequence[float]


@dataclass(frozen=True)
class FeatureList:
    """Many features with a search field; those behind many are put into the page when they are opened."""

    block: ClassVar[str] = "features"
    headings: Sequence[str]
    orders: Sequence[str]
    features: Sequence[Feature]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Listing:
    """Text as it is written, such as a log or a file."""

    block: ClassVar[str] = "listing"
    title: str
    text: str


@dataclass(frozen=True)
class Section:
    """Blocks under a heading."""

    block: ClassVar[str] = "section"
    title: str
    blocks: Sequence[Block]
    anchor: str = ""
    subtitle: str = ""
    is_folded: bool = False


Block = Union[Note, Facts, Table, Chart, Picture, Slider, FeatureList, Listing, Section]


@dataclass(frozen=True)
class Report:
    """A page.

    Attributes:
        title: Heading.
        subtitle: The line below it.
        blocks: The content; sections of the top level are listed as contents.
        badges: Tone and text beside the heading.
    """

    title: str
    subtitle: str
    blocks: Sequence[Block]
    badges: Sequence[tuple[str, str]] = field(default_factory=tuple)
