"""Where the boxes of a graph stand: in columns, with lanes for lines that pass a column.

Sugiyama's method in its plain form: a column for each depth, lanes where an edge is longer than one column, and
rows ordered by the mean of their neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 172, 44
_GAP_X, _GAP_Y, _LANE, _MARGIN = 34, 16, 6, 12
_SWEEPS = 4
# Beyond this many the lines go straight: a wall of lanes says nothing.
_MAX_LANES = 1_000

Point = tuple[float, float]
Edges = Sequence[tuple[str, str]]
# A box by its key, or the lane in a column of the edges that leave one box.
Item = Hashable


@dataclass(frozen=True)
class Layout:
    """Boxes and lines.

    Attributes:
        places: The upper left corner of each box.
        lines: For each edge the points that it passes, from the right side of one box to the left of another.
        width, height: Of the whole drawing.
    """

    places: Mapping[str, Point]
    lines: Sequence[Sequence[Point]]
    width: float
    height: float


def arrange(keys: Sequence[str], edges: Edges) -> Layout:
    """Return where boxes and lines go. Edges between other keys, or from a key to itself, are left out."""
    known = set(keys)
    edges = [edge for edge in dict.fromkeys(edges) if set(edge) <= known and edge[0] != edge[1]]
    depths = _depths(keys, edges)
    columns: list[list[Item]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for key in keys:
        columns[depths[key]].append(key)
    links = _add_lanes(columns, depths, edges)
    _order(columns, links)
    places, height = _place(columns)
    lines = [_line(edge, depths, places) for edge in edges]
    width = 2 * _MARGIN + len(columns) * (WIDTH + _GAP_X) - _GAP_X
    return Layout({key: places[key] for key in keys}, lines, max(width, 0), height)


def _depths(keys: Sequence[str], edges: Edges) -> dict[str, int]:
    """Return the column of each key: right of all that it depends on, and what depends on nothing just before its use."""
    after: dict[str, list[str]] = {key: [] for key in keys}
    waits_for = dict.fromkeys(keys, 0)
    for start, end in edges:
        after[start].append(end)
        waits_for[end] += 1
    sources = [key for key in keys if not waits_for[key]]
    depths = dict.fromkeys(keys, 0)
    ready = list(sources)
    for key in ready:
        for end in after[key]:
            depths[end] = max(depths[end], depths[key] + 1)
            waits_for[end] -= 1
            if not waits_for[end]:
                ready.append(end)
    for key in sources:
        if after[key]:
            depths[key] = max(min(depths[end] for end in after[key]) - 1, 0)
    return depths


def _add_lanes(columns: list[list[Item]], depths: Mapping[str, int], edges: Edges) -> list[tuple[Item, Item]]:
    """Put a lane into each column that an edge passes; return the links between neighbouring columns."""
    long = sum(max(depths[end] - depths[start] - 1, 0) for start, end in edges)
    links: dict[tuple[Item, Item], None] = {}
    for start, end in edges:
        before: Item = start
        for column in range(depths[start] + 1, depths[end]) if long <= _MAX_LANES else ():
            lane: Item = (start, column)
            if lane not in columns[column]:
                columns[column].append(lane)
            links[before, lane] = None
            before = lane
        links[before, end] = None
    return list(links)


def _order(columns: list[list[Item]], links: list[tuple[Item, Item]]) -> None:
    """Sort each column by the mean place of its neighbours, from the left and from the right in turn."""
    neighbours: tuple[dict[Item, list[Item]], dict[Item, list[Item]]] = ({}, {})
    for start, end in links:
        neighbours[0].setdefault(end, []).append(start)
        neighbours[1].setdefault(start, []).append(end)
    rows = {item: row / max(len(members), 1) for members in columns for row, item in enumerate(members)}
    for sweep in range(_SWEEPS):
        beside = neighbours[sweep % 2]
        for members in columns if sweep % 2 == 0 else reversed(columns):
            means = {
                item: sum(rows[other] for other in beside[item]) / len(beside[item])
                if item in beside
                else rows[item]
                for item in members
            }
            members.sort(key=means.__getitem__)
            rows.update({item: (row + 0.5) / len(members) for row, item in enumerate(members)})


def _place(columns: list[list[Item]]) -> tuple[dict[Item, Point], float]:
    """Return the upper left corner of each item, columns in the middle of the height, and that height."""
    heights = [sum(_height(item) + _GAP_Y for item in members) - _GAP_Y for members in columns]
    total = max(heights, default=0)
    places: dict[Item, Point] = {}
    for column, members in enumerate(columns):
        y = _MARGIN + (total - heights[column]) / 2
        for item in members:
            places[item] = (_MARGIN + column * (WIDTH + _GAP_X), y)
            y += _height(item) + _GAP_Y
    return places, total + 2 * _MARGIN


def _height(item: Item) -> int:
    return HEIGHT if isinstance(item, str) else _LANE


def _line(edge: tuple[str, str], depths: Mapping[str, int], places: Mapping[Item, Point]) -> list[Point]:
    start, end = edge
    (x, y), (end_x, end_y) = places[start], places[end]
    points = [(x + WIDTH, y + HEIGHT / 2)]
    for column in range(depths[start] + 1, depths[end]):
        if (start, column) in places:
            x, y = places[start, column]
            points += [(x, y + _LANE / 2), (x + WIDTH, y + _LANE / 2)]
    return [*points, (end_x, end_y + HEIGHT / 2)]
