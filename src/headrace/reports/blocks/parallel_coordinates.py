"""Parallel coordinates: one axis for each hyperparameter and the score, one line for each trial."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.reports.blocks import charts


def parallel(
    rows: charts.Rows, dimensions: Sequence[str], labels: charts.Rows, score: str, *, is_lower_better: bool
) -> charts.Spec:
    """Parallel coordinates.

    Args:
        rows: `trial`, `dimension`, `at` (0 to 1), `label`, `score`, `is_best`.
        dimensions: Axes, from left to right.
        labels: `dimension`, `at`, `label`: what stands at the ends of each axis.
        score: What trials are coloured by.
        is_lower_better: Whether the smallest score is the best.
    """
    axis = _axes(dimensions)
    height = {"field": "at", "type": "quantitative", "axis": None, "scale": {"domain": [-0.08, 1.08]}}
    return {
        "data": {"values": rows},
        "height": 260,
        "layer": [
            {
                "data": {"values": labels},
                "mark": {"type": "line", "color": "#8b949e", "strokeWidth": 1},
                "encoding": {"x": axis, "y": height, "detail": {"field": "dimension"}},
            },
            {
                "mark": {"type": "line", "opacity": 0.85, "point": True},
                "encoding": {
                    "x": axis,
                    "y": height,
                    "detail": {"field": "trial"},
                    "color": {
                        "field": "score",
                        "type": "quantitative",
                        "title": score,
                        "scale": {"scheme": "viridis", "reverse": is_lower_better},
                    },
                    "strokeWidth": {"condition": {"test": "datum.is_best", "value": 4}, "value": 1.5},
                    "tooltip": charts.tooltip(
                        ("trial", "trial"), ("dimension", "name"), ("label", "value"), ("score", score)
                    ),
                },
            },
            *_axis_labels(
                [row for row in labels if row["dimension"] != dimensions[-1]], axis, height, "right"
            ),
            # Lines end at the last axis: what stands right of it is free.
            *_axis_labels(
                [row for row in labels if row["dimension"] == dimensions[-1]], axis, height, "left"
            ),
        ],
    }


def _axes(dimensions: Sequence[str]) -> charts.Spec:
    axis = {"labelAngle": 0, "orient": "top", "domain": False, "ticks": False, "labelFontWeight": "bold"}
    return {
        "field": "dimension",
        "type": "nominal",
        "title": None,
        "sort": list(dimensions),
        "axis": axis,
        "scale": {"type": "point", "padding": 0.4},
    }


def _axis_labels(rows: charts.Rows, x: charts.Spec, y: charts.Spec, align: str) -> list[charts.Spec]:
    """Text on a rim of the card's colour, so that lines do not cross it."""
    mark = {"type": "text", "align": align, "dx": -8 if align == "right" else 8, "fontSize": 11}
    encoding = {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}}
    rim = {"stroke": "var(--card)", "strokeWidth": 4, "strokeJoin": "round"}
    return [{"data": {"values": rows}, "mark": {**mark, **more}, "encoding": encoding} for more in (rim, {})]
