"""The curves of an evaluation: ROC, precision and recall, thresholds, confusion matrices, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from headrace.formats.evaluations.metrics import Metric
from headrace.formats.evaluations.plots import CalibrationBucket, Plot, ThresholdPoint
from headrace.reports.artifacts import class_matrices
from headrace.reports.blocks import charts
from headrace.reports.blocks.blocks import Block, Cell, Chart, Section, Slider, Table, Value
from headrace.reports.blocks.numbers import format_number, format_share

_MAX_SERIES = 8
_MAX_POINTS = 400
_MAX_CLASSES = 50
_NONE = -1

_Point = TypeVar("_Point")


def name_of(plot: Plot) -> str:
    """Return what tells this plot from those beside it."""
    return ", ".join(part for part in (plot.model, plot.title) if part) or "candidate"


def threshold_blocks(plots: list[Plot], metrics: Sequence[Metric] = ()) -> list[Block]:
    """Return ROC and precision-recall curves of all plots, and thresholds and matrix of each.

    Args:
        plots: With thresholds, of one slice.
        metrics: Of the evaluation. Where AUC is among them, it is the one that a curve is named with: an area
            under the fewer points of the curve would be another estimate of the same.
    """
    # Several matrices at one or two thresholds are metrics, not curves.
    curved = [plot for plot in plots if len(plot.thresholds) > 2][:_MAX_SERIES]
    blocks: list[Block] = []
    content: list[Block]
    if curved:
        content = [_roc(curved, metrics), _precision_recall(curved, metrics)]
        blocks.append(Section("Curves", content, anchor="curves"))
    for number, plot in enumerate(curved or plots[:1]):
        points = _thin(_between(plot.thresholds))
        best = max(range(len(points)), key=lambda at: points[at].f1)
        middle = min(range(len(points)), key=lambda at: abs(points[at].threshold - 0.5))
        content = []
        if len(points) > 2:
            content += [_threshold_chart(points), _slider(points, middle)]
        content.append(_binary_matrix(points[middle]))
        if len(points) > 2:
            content.append(_chosen(points, best))
        title = "Thresholds" if len(plots) == 1 else f"Thresholds of {name_of(plot)}"
        anchor = "thresholds" if not number else f"thresholds-{number}"
        blocks.append(Section(title, content, anchor=anchor, is_folded=number > 0))
    return blocks


def _between(points: Sequence[ThresholdPoint]) -> list[ThresholdPoint]:
    """Leave out the ends beyond 0 and 1 that TFMA adds."""
    return [point for point in points if 0 <= point.threshold <= 1] or list(points)


def _thin(points: Sequence[_Point]) -> list[_Point]:
    """Return at most `_MAX_POINTS` points, evenly chosen, both ends among them."""
    if len(points) <= _MAX_POINTS:
        return list(points)
    step = (len(points) - 1) / (_MAX_POINTS - 1)
    return [points[round(at * step)] for at in range(_MAX_POINTS)]


def area(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the area under a curve by trapezoids; the points may come in either direction."""
    return abs(sum((x2 - x1) * (y1 + y2) / 2 for x1, x2, y1, y2 in zip(xs, xs[1:], ys, ys[1:])))


def _measured(plot: Plot, name: str, metrics: Sequence[Metric]) -> float | None:
    """The metric of this name that belongs to a plot; `None` where there is none, or more than one."""
    wanted = f"{name} ({plot.title})" if plot.title else name
    found = [
        metric.value
        for metric in metrics
        if (metric.slice_name, metric.model) == (plot.slice_name, plot.model)
        and metric.name in (wanted, f"{wanted} ({plot.model})")
        and not metric.is_difference
    ]
    return found[0] if len(found) == 1 and math.isfinite(found[0]) else None


def _roc(plots: list[Plot], metrics: Sequence[Metric]) -> Chart:
    rows = []
    areas = []
    for plot in plots:
        # The area is that of all points; fewer are enough to see the curve.
        every = plot.thresholds
        xs, ys = [p.false_positive_rate for p in every], [p.recall for p in every]
        measured = _measured(plot, "auc", metrics)
        areas.append(area([1.0, *xs, 0.0], [1.0, *ys, 0.0]) if measured is None else measured)
        label = f"{name_of(plot)}, AUC {areas[-1]:.4f}"
        rows += [_row(p, p.false_positive_rate, p.recall, label) for p in _thin(every)]
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    spec = charts.curve(
        _numbered(rows), "false positive rate", "true positive rate", series=series, has_diagonal=True
    )
    title = f"ROC, AUC {areas[0]:.4f}" if len(plots) == 1 else "ROC"
    return Chart(title, spec, f"ROC curve: {'; '.join(series)}")


def _precision_recall(plots: list[Plot], metrics: Sequence[Metric]) -> Chart:
    rows = []
    areas = []
    for plot in plots:
        # Without a predicted positive there is no precision: such points say nothing.
        known = [(point, value) for point in plot.thresholds if (value := point.precision) is not None]
        xs, ys = [point.recall for point, _ in known], [precision for _, precision in known]
        measured = _measured(plot, "auc_precision_recall", metrics)
        below = area([*xs, 0.0], [*ys, ys[-1]]) if known else 0.0
        areas.append(below if measured is None else measured)
        label = f"{name_of(plot)}, AUC {areas[-1]:.4f}"
        rows += [_row(point, point.recall, precision, label) for point, precision in _thin(known)]
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    title = f"Precision and recall, AUC {areas[0]:.4f}" if len(plots) == 1 else "Precision and recall"
    spec = charts.curve(_numbered(rows), "recall", "precision", series=series)
    return Chart(title, spec, f"precision-recall curve: {'; '.join(series)}")


def _row(point: ThresholdPoint, x: float, y: float, label: str) -> dict[str, Any]:
    return {"x": round(x, 5), "y": round(y, 5), "series": label, "at": round(point.threshold, 5)}


def _numbered(rows: charts.Rows) -> charts.Rows:
    """Number the points, for lines to follow: neither of their values rises all the way."""
    return [{**row, "order": at} for at, row in enumerate(rows)]


def _threshold_chart(points: list[ThresholdPoint]) -> Chart:
    series = {"precision": "precision", "recall": "recall", "F1": "f1"}
    rows = [
        {"x": round(point.threshold, 5), "y": round(value, 5), "series": name}
        for name, field in series.items()
        for point in points
        if (value := getattr(point, field)) is not None
    ]
    spec = charts.lines(rows, "threshold", "", series=list(series), zero=True)
    best = max(points, key=lambda point: point.f1)
    description = f"F1 is highest, {best.f1:.4f}, at threshold {best.threshold:.3f}"
    return Chart("Precision, recall and F1 by threshold", spec, description)


def _slider(points: list[ThresholdPoint], start: int) -> Slider:
    columns = [
        "threshold",
        "precision",
        "recall",
        "F1",
        "true positives",
        "false positives",
        "true negatives",
        "false negatives",
    ]
    rows = [
        [
            None if value is None else round(value, 5)
            for value in (p.threshold, p.precision, p.recall, p.f1, p.tp, p.fp, p.tn, p.fn)
        ]
        for p in points
    ]
    return Slider("Threshold", columns, rows, start)


def _chosen(points: list[ThresholdPoint], best: int) -> Table:
    step = max((len(points) - 1) // 10, 1)
    rows: list[list[Value]] = [
        [
            Cell(format_number(p.threshold, 3), tone="good" if at == best else "", is_number=True),
            p.precision,
            p.recall,
            p.f1,
        ]
        for at, p in enumerate(points)
        if at % step == 0 or at == best
    ]
    return Table(
        ["threshold", "precision", "recall", "F1"],
        rows,
        caption="By threshold",
        footnote="Green: the highest F1.",
    )


def _binary_matrix(point: ThresholdPoint) -> Table:
    names = {0: "negative", 1: "positive"}
    values = {(0, 0): point.tn, (0, 1): point.fp, (1, 0): point.fn, (1, 1): point.tp}
    return _matrix(values, names, f"Confusion matrix at threshold {format_number(point.threshold, 3)}")


def class_matrix(plot: Plot) -> Section:
    """Return the most confused pairs, the multi-class confusion matrix, and how good each class is."""
    values = plot.classes or {}
    actual = sorted({one for one, _ in values if one >= 0})
    known = sorted({*actual, *[other for _, other in values if other >= 0]})
    names = {number: plot.class_name(number) for number in known[:_MAX_CLASSES]}
    if any(predicted < 0 for _, predicted in values):
        # TFMA's -1: no class reached the threshold.
        values = {(one, max(other, _NONE)): count for (one, other), count in values.items()}
        names[_NONE] = "none"
    title = f"Confusion matrix of {name_of(plot)}" if name_of(plot) != "candidate" else "Confusion matrix"
    left_out = f" The first {_MAX_CLASSES} of {len(known)} classes." if len(known) > _MAX_CLASSES else ""
    matrix = _matrix(values, names, "Counts, and rates among the actual class", left_out)
    blocks = [*class_matrices.confused_pairs(plot), matrix, class_matrices.by_class(plot)]
    return Section(title, blocks, anchor="confusion")


def label_matrix(plot: Plot) -> Section:
    """Return how often examples of a class are predicted to have each class, where they may have several."""
    counts = plot.labels or {}
    known = sorted({number for pair in counts for number in pair})
    shown = known[:_MAX_CLASSES]
    rows: list[list[Value]] = []
    for one in shown:
        cells: list[Value] = [f"class {plot.class_name(one)}"]
        for other in shown:
            predicted, total = counts.get((one, other), (0.0, 0.0))
            share = predicted / total if total else 0.0
            cells.append(Cell(f"{format_number(predicted)}\n{format_share(share)}", shade=share))
        rows.append([*cells, counts.get((one, one), (0.0, 0.0))[1]])
    footnote = "Rates are among the examples of the row's class, which may have others too."
    footnote += f" The first {_MAX_CLASSES} of {len(known)} classes." if len(known) > len(shown) else ""
    heading = ["", *[f"predicted {plot.class_name(number)}" for number in shown], "all"]
    table = Table(heading, rows, caption="Predicted classes by class", footnote=footnote, is_matrix=True)
    title = f"Classes of {name_of(plot)}" if name_of(plot) != "candidate" else "Classes"
    return Section(title, [table], anchor="classes")


def _matrix(
    values: dict[tuple[int, int], float], names: Mapping[int, str], caption: str, more: str = ""
) -> Table:
    totals: dict[int, float] = {}
    for (actual, _), count in values.items():
        totals[actual] = totals.get(actual, 0.0) + count
    rows: list[list[Value]] = []
    for actual, name in names.items():
        if actual == _NONE:
            continue
        total = totals.get(actual, 0.0)
        cells: list[Value] = [f"actual {name}"]
        for predicted in names:
            count = values.get((actual, predicted), 0.0)
            share = count / total if total else 0.0
            # Right answers in one colour, mistakes in the other.
            shade = share if actual == predicted else -share
            cells.append(Cell(f"{format_number(count)}\n{format_share(share)}", shade=shade))
        rows.append([*cells, total])
    heading = ["", *[f"predicted {name}" for name in names.values()], "all"]
    footnote = f"Rates are among the actual class.{more}"
    return Table(heading, rows, caption=caption, footnote=footnote, is_matrix=True)


def calibration(plots: list[Plot]) -> Section:
    """Return predictions against labels; for regression also the residuals."""
    rows: charts.Rows = []
    for plot in plots[:_MAX_SERIES]:
        rows += [
            {"x": round(b.prediction, 6), "y": round(b.label, 6), "size": b.count, "series": name_of(plot)}
            for b in _merged(plot)
            if math.isfinite(b.prediction) and math.isfinite(b.label)
        ]
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    count = sum(bucket.count for bucket in plots[0].calibration) or 1.0
    bias = sum((bucket.prediction - bucket.label) * bucket.count for bucket in plots[0].calibration) / count
    error = (
        sum(abs(bucket.prediction - bucket.label) * bucket.count for bucket in plots[0].calibration) / count
    )
    description = f"mean prediction minus mean label {format_number(bias)}; mean distance in a bucket {format_number(error)}"
    spec = charts.points(rows, "mean prediction", "mean label", diagonal=True, series=series)
    blocks: list[Block] = [Chart("Calibration", spec, description)]
    residuals = [{**row, "y": round(row["y"] - row["x"], 6)} for row in rows]
    spec = charts.points(
        residuals, "mean prediction", "label minus prediction", diagonal=False, series=series
    )
    blocks.append(Chart("Residuals", spec, f"mean residual {format_number(-bias)}"))
    return Section("Calibration and residuals", blocks, anchor="calibration")


def _merged(plot: Plot) -> list[CalibrationBucket]:
    """TFMA computes 10,000 buckets: put neighbours together until some 40 are left."""
    total = sum(bucket.count for bucket in plot.calibration)
    merged: list[CalibrationBucket] = []
    count = prediction = label = 0.0
    for bucket in plot.calibration:
        count += bucket.count
        prediction += bucket.prediction * bucket.count
        label += bucket.label * bucket.count
        if count >= total / 40:
            merged.append(CalibrationBucket(count, prediction / count, label / count))
            count = prediction = label = 0.0
    if count:
        merged.append(CalibrationBucket(count, prediction / count, label / count))
    return merged
