"""Vega-Lite specifications.

Data come as rows of fixed fields (`x`, `y`, `series`...): names that a data set brings are values, so none
is ever read as a field path or an expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Rows = list[dict[str, Any]]
Spec = dict[str, Any]

_FEW = 12


def _axis(field: str, title: str, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, **more}


def tooltip(*fields: tuple[str, str]) -> list[Spec]:
    """Return the channel that shows fields, each with its title, where the pointer is."""
    return [{"field": field, "title": title} for field, title in fields]


def _color(series: Sequence[str]) -> Spec:
    return {
        "field": "series",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(series)},
        "legend": {"orient": "top"} if len(series) > 1 else None,
    }


def _diagonal(ends: Rows, axes: Spec) -> Spec:
    mark = {"type": "line", "strokeDash": [4, 3], "color": "#8b949e", "strokeWidth": 1}
    return {"data": {"values": ends}, "mark": mark, "encoding": axes}


def lines(
    rows: Rows,
    x: str,
    y: str,
    *,
    series: Sequence[str],
    marks: Rows | None = None,
    zero: bool = False,
    is_counted: bool = False,
    height: int = 240,
) -> Spec:
    """Lines over a number.

    Args:
        rows: `x`, `y`, `series`.
        x: Title of the axis.
        y: Title of the axis.
        series: The series, in the order of their colours.
        marks: `x` and `label` of vertical lines, and whether the label stands left of its line (`is_right`: the
            line is in the right half).
        zero: Whether the y axis starts at zero.
        is_counted: Whether x holds whole numbers, such as epochs.
        height: Of the plot, in pixels.
    """
    encoding = {
        "x": _axis("x", x, scale={"zero": False, "nice": False}, axis=_counted(rows) if is_counted else {}),
        "y": _axis("y", y, scale={"zero": zero}),
        "color": _color(series),
        "tooltip": tooltip(("series", "series"), ("x", x), ("y", y)),
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "point": len(rows) <= 200, "interpolate": "linear"},
            "encoding": encoding,
        }
    ]
    for mark in marks or []:
        layers += _marked(mark)
    return {"data": {"values": rows}, "height": height, "layer": layers}


def _marked(mark: dict[str, Any]) -> list[Spec]:
    data = {"values": [mark]}
    rule = {"field": "x", "type": "quantitative"}
    text = {"type": "text", "align": "left", "dx": 5, "y": 8, "baseline": "top"}
    if mark.get("is_right"):
        text.update(align="right", dx=-5)
    label = {"field": "label", "type": "nominal"}
    return [
        {"data": data, "mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": {"x": rule}},
        {"data": data, "mark": text, "encoding": {"x": rule, "text": label}},
    ]


def _counted(rows: Rows) -> Spec:
    """An axis of whole numbers; few are all named."""
    values = sorted({row["x"] for row in rows})
    return {"values": values, "format": "d"} if len(values) <= _FEW else {"tickMinStep": 1, "format": "d"}


def curve(
    rows: Rows, x: str, y: str, *, series: Sequence[str], has_diagonal: bool = False, place: str = "threshold"
) -> Spec:
    """A curve in the unit square.

    Args:
        rows: `x`, `y`, `series`, `order`, and `at`: the threshold of the point.
        x: Title of the axis.
        y: Title of the axis.
        series: The series, in the order of their colours.
        has_diagonal: Whether the line of chance is drawn.
        place: What `at` is.
    """
    unit = {"domain": [0, 1]}
    axes = {"x": _axis("x", x, scale=unit), "y": _axis("y", y, scale=unit)}
    layers = [_diagonal([{"x": 0, "y": 0}, {"x": 1, "y": 1}], axes)] if has_diagonal else []
    layers.append(
        {
            "mark": {"type": "line", "interpolate": "linear", "tooltip": True, "point": len(rows) <= 60},
            "encoding": {
                **axes,
                "order": {"field": "order", "type": "quantitative"},
                "color": _color(series),
                "tooltip": tooltip(("series", "series"), ("at", place), ("x", x), ("y", y)),
            },
        }
    )
    return {"data": {"values": rows}, "height": 280, "layer": layers}


def points(
    rows: Rows, x: str, y: str, *, diagonal: bool, size: str = "examples", series: Sequence[str] = ()
) -> Spec:
    """Points sized by weight: `x`, `y`, `size`, `series`.

    A dashed line shows what should be: the diagonal where the two should be equal, else zero.
    """
    axes = {"x": _axis("x", x), "y": _axis("y", y)}
    layers: list[Spec] = []
    if diagonal and rows:
        values = [row[axis] for row in rows for axis in ("x", "y")]
        ends = [{"x": min(values), "y": min(values)}, {"x": max(values), "y": max(values)}]
        layers.append(_diagonal(ends, axes))
    encoding: Spec = {
        **axes,
        "size": _axis("size", size, legend=None, scale={"range": [20, 300]}),
        "tooltip": tooltip(("x", x), ("y", y), ("size", size)),
    }
    if series:
        encoding["color"] = _color(series)
    if not diagonal:
        rule = {"type": "rule", "strokeDash": [4, 3]}
        layers.append({"data": {"values": [{"y": 0}]}, "mark": rule, "encoding": {"y": _axis("y", y)}})
    layers.append({"mark": {"type": "circle", "opacity": 0.75}, "encoding": encoding})
    return {"data": {"values": rows}, "height": 280, "layer": layers}


def intervals(rows: Rows, x: str, *, order: Sequence[str]) -> Spec:
    """A point with its interval for each name: `name`, `x`, `low`, `high`, `size`; empty bounds draw no interval."""
    name = _names(order, 220)
    bounded = [row for row in rows if row.get("low") is not None]
    layers: list[Spec] = []
    if bounded:
        layers.append(
            {
                "data": {"values": bounded},
                "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.6},
                "encoding": {"y": name, "x": _axis("low", x, scale={"zero": False}), "x2": {"field": "high"}},
            }
        )
    layers.append(
        {
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {
                "y": name,
                "x": _axis("x", x, scale={"zero": False}),
                "tooltip": tooltip(
                    ("name", "slice"), ("x", x), ("low", "from"), ("high", "to"), ("size", "examples")
                ),
            },
        }
    )
    return {"data": {"values": rows}, "height": {"step": 20}, "layer": layers}


def _names(order: Sequence[str], limit_pixels: int) -> Spec:
    axis = {"labelLimit": limit_pixels}
    return {"field": "name", "type": "nominal", "title": None, "sort": list(order), "axis": axis}


def _with_room(rows: Rows) -> float:
    return 1.15 * max((row["end"] for row in rows), default=0.0) or 1.0


def gantt(rows: Rows, order: Sequence[str], states: Sequence[str], colors: Sequence[str]) -> Spec:
    """Bars over seconds since the start: `name`, `start`, `end`, `state`, `label`."""
    name = _names(order, 180)
    state = {
        "field": "state",
        "type": "nominal",
        "title": None,
        "legend": None,
        "scale": {"domain": list(states), "range": list(colors)},
    }
    return {
        "data": {"values": rows},
        "height": {"step": 24},
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadius": 3, "height": {"band": 0.66}},
                "encoding": {
                    "y": name,
                    # Room for the last label.
                    "x": _axis("start", "seconds since the start", scale={"domain": [0, _with_room(rows)]}),
                    "x2": {"field": "end"},
                    "color": state,
                    "tooltip": tooltip(("name", "node"), ("state", "state"), ("label", "time")),
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
                "encoding": {"y": name, "x": _axis("end", ""), "text": {"field": "label", "type": "nominal"}},
            },
        ],
    }
