"""Small SVG drawings: histograms of features, and graphs of nodes. Texts are escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_MAX_BARS = 12


@dataclass(frozen=True)
class Density:
    """One histogram: `edges` has one more value than `heights`; heights are shares per unit of width."""

    edges: Sequence[float]
    heights: Sequence[float]


def histogram(series: Sequence[Density], width: int, height: int) -> Markup:
    """Draw histograms over each other, the first filled; each is as high as its highest bucket needs."""
    drawn = [one for one in series if one.heights and one.edges[-1] > one.edges[0]]
    if not drawn:
        return bars([[1.0] for one in series if one.heights], width, height)
    low = min(one.edges[0] for one in drawn)
    span = max(one.edges[-1] for one in drawn) - low
    top = max(max(one.heights) for one in drawn) or 1.0
    paths = []
    for index, one in enumerate(series):
        if one not in drawn:
            continue
        points = [f"M{width * (one.edges[0] - low) / span:.1f},{height}"]
        for left, right, value in zip(one.edges, one.edges[1:], one.heights):
            y = height - (height - 2) * value / top
            points.append(f"L{width * (left - low) / span:.1f},{y:.1f}H{width * (right - low) / span:.1f}")
        points.append(f"V{height}")
        paths.append(f'<path class="s{index}" d="{"".join(points)}"/>')
    return _svg("".join(paths), width, height, "hist")


def bars(series: Sequence[Sequence[float]], width: int, height: int) -> Markup:
    """Draw groups of bars side by side: one sequence of shares per series, all for the same values."""
    count = min(max((len(values) for values in series), default=0), _MAX_BARS)
    if not count:
        return _svg("", width, height, "hist")
    top = max((value for values in series for value in values[:count]), default=0) or 1.0
    # Few bars stay slim, so that one value does not look like a filled box.
    step = min(width / count, 24.0)
    thickness = (step - 1.5) / len(series)
    paths = []
    for index, values in enumerate(series):
        path = "".join(
            f"M{at * step + index * thickness:.1f},{height}v{-max((height - 2) * value / top, 0.5):.1f}"
            f"h{thickness:.1f}V{height}z"
            for at, value in enumerate(values[:count])
            if value
        )
        paths.append(f'<path class="b{index}" d="{path}"/>')
    return _svg("".join(paths), width, height, "hist")


def _svg(content: str, width: int, height: int, kind: str) -> Markup:
    # All content above is made of numbers.
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f"{content}</svg>"
    )


@dataclass(frozen=True)
class Box:
    """A node of a graph.

    Attributes:
        key: Unique in the graph.
        title: First line.
        subtitle: Second line.
        tone: Class that colours it.
        href: Where a click leads; may be empty.
    """

    key: str
    title: str
    subtitle: str = ""
    tone: str = ""
    href: str = ""


_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _CHARACTERS = 172, 44, 34, 16, 21


def graph(boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> Markup:
    """Draw boxes in columns, each right of all that it depends on; lines in between."""
    keys = {box.key for box in boxes}
    edges = [edge for edge in edges if edge[0] in keys and edge[1] in keys and edge[0] != edge[1]]
    columns = _columns([box.key for box in boxes], edges)
    places = {
        key: (12 + column * (_WIDTH + _GAP_X), 8 + row * (_HEIGHT + _GAP_Y))
        for column, members in enumerate(columns)
        for row, key in enumerate(members)
    }
    width = 12 + len(columns) * (_WIDTH + _GAP_X) - _GAP_X + 12
    height = 16 + max((len(members) for members in columns), default=0) * (_HEIGHT + _GAP_Y) - _GAP_Y
    parts = [_edge(places[start], places[end]) for start, end in edges]
    parts += [_box(box, *places[box.key]) for box in boxes]
    return Markup(
        f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        # Wide graphs shrink a little before they are scrolled.
        f'style="min-width:{0.7 * width:.0f}px" role="img">'
        f"{''.join(parts)}</svg>"
    )


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x2, y2 = end[0] - 5, end[1] + _HEIGHT / 2
    bend = min(_GAP_X, (x2 - x1) / 2)
    line = f"M{x1},{y1}C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
    head = f"M{x2},{y2 - 4}l5,4l-5,4z"
    return f'<path class="edge" d="{line}"/><path class="head" d="{head}"/>'


def _box(box: Box, x: int, y: int) -> str:
    middle = y + (17 if box.subtitle else 26)
    content = (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<rect class="flag" x="{x}" y="{y + 7}" width="4" height="{_HEIGHT - 14}" rx="2"/>'
        f'<text x="{x + 14}" y="{middle}">{escape(_short(box.title))}</text>'
    )
    if box.subtitle:
        content += f'<text class="sub" x="{x + 14}" y="{y + 34}">{escape(_short(box.subtitle, 26))}</text>'
    content += f"<title>{escape(box.title)}\n{escape(box.subtitle)}</title>"
    inner = f'<g class="box {escape(box.tone)}">{content}</g>'
    return f'<a href="{escape(box.href)}">{inner}</a>' if box.href else inner


def _short(text: str, length: int = _CHARACTERS) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _columns(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Put each key into the column after the last one it depends on; order rows by where the inputs stand."""
    before: dict[str, list[str]] = {key: [] for key in keys}
    for start, end in edges:
        before[end].append(start)
    depth: dict[str, int] = {}

    def place(key: str, path: tuple[str, ...]) -> int:
        if key not in depth:
            found = [place(other, (*path, key)) for other in before[key] if other not in path]
            depth[key] = max(found, default=-1) + 1
        return depth[key]

    columns: list[list[str]] = []
    for key in keys:
        at = place(key, ())
        while len(columns) <= at:
            columns.append([])
        columns[at].append(key)
    rows = {key: row for members in columns for row, key in enumerate(members)}
    for members in columns[1:]:
        members.sort(key=lambda key: sum(rows[other] for other in before[key]) / max(len(before[key]), 1))
        rows.update({key: row for row, key in enumerate(members)})
    return columns
