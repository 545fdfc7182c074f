"""Small SVG drawings: histograms of features, and graphs of nodes. Texts are escaped here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from headrace.reports.blocks.layouts import HEIGHT, WIDTH, arrange

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
        return bars([[1.0] if one.heights else [] for one in series], width, height)
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
        if path:
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


_CHARACTERS = 21
_ARROW = 5


def graph(boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> Markup:
    """Draw boxes in columns, each right of all that it depends on; lines in between."""
    layout = arrange([box.key for box in boxes], edges)
    # Lines from one box share their first part: it is drawn once.
    parts = list(dict.fromkeys(part for line in layout.lines for part in _line(line)))
    parts += [_box(box, *layout.places[box.key]) for box in boxes]
    width, height = layout.width, layout.height
    return Markup(
        f'<svg class="graph" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        # Wide graphs shrink a little before they are scrolled.
        f'style="min-width:{0.7 * width:.0f}px" role="img">'
        f"{''.join(parts)}</svg>"
    )


def _line(points: Sequence[tuple[float, float]]) -> list[str]:
    *before, (end_x, end_y) = points
    points = [*before, (end_x - _ARROW, end_y)]
    parts = []
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        if y1 == y2:
            path = f"M{x1:g},{y1:g}H{x2:g}"
        else:
            bend = (x2 - x1) / 2
            path = f"M{x1:g},{y1:g}C{x1 + bend:g},{y1:g} {x2 - bend:g},{y2:g} {x2:g},{y2:g}"
        parts.append(f'<path class="edge" d="{path}"/>')
    head = f"M{end_x - _ARROW:g},{end_y - 4:g}l{_ARROW},4l-{_ARROW},4z"
    return [*parts, f'<path class="head" d="{head}"/>']


def _box(box: Box, x: float, y: float) -> str:
    middle = y + (17 if box.subtitle else 26)
    content = (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<rect class="flag" x="{x:g}" y="{y + 7:g}" width="4" height="{HEIGHT - 14}" rx="2"/>'
        f'<text x="{x + 14:g}" y="{middle:g}">{escape(_short(box.title))}</text>'
    )
    if box.subtitle:
        content += (
            f'<text class="sub" x="{x + 14:g}" y="{y + 34:g}">{escape(_short(box.subtitle, 26))}</text>'
        )
    content += f"<title>{escape(box.title)}\n{escape(box.subtitle)}</title>"
    inner = f'<g class="box {escape(box.tone)}">{content}</g>'
    return f'<a href="{escape(box.href)}">{inner}</a>' if box.href else inner


def _short(text: str, length: int = _CHARACTERS) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
