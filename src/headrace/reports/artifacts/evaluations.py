"""ModelEvaluation: the verdict, metrics per slice beside the baseline, and the curves."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from headrace.formats import verdicts as verdict_files
from headrace.formats.evaluations import files
from headrace.formats.evaluations.metrics import OVERALL, Metric, read_errors, read_metrics
from headrace.formats.evaluations.plots import Plot, read_plots
from headrace.reports.artifacts import chosen_thresholds, curves, verdicts
from headrace.reports.blocks import charts
from headrace.reports.blocks.blocks import Block, Cell, Chart, Facts, Listing, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.runtime.context import SUMMARY_PROPERTY
from headrace.store.session import Subject
from headrace.ui.units import plural

_MAX_CHARTED_SLICES = 30
_MAX_SLICE_SECTIONS = 12
_MAX_METRIC_CHARTS = 6
_COUNTS = ("example_count", "weighted_example_count")
_MAX_ERRORS = 5
_MANY = 2_000


def render(subject: Subject, other: Subject | None = None) -> list[Block]:
    """Return verdict, metrics and curves; with `other`, its metrics of the whole data set stand beside."""
    path = subject.artifact.uri
    metrics = read_metrics(path)
    plots = read_plots(path)
    slices = list(dict.fromkeys(metric.slice_name for metric in metrics))
    blocks: list[Block] = []
    verdict = verdict_files.read(path)
    if verdict is not None:
        word, tone = verdicts.in_words(verdict.is_blessed)
        blocks.append(Note(_reason(subject) or word, tone))
    blocks.append(Facts([("slices", len(slices)), ("examples", _count(metrics, OVERALL))]))
    blocks += verdicts.thresholds(verdict)
    blocks += chosen_thresholds.section(path)
    blocks += _errors(path)
    if metrics:
        blocks.append(Section("Whole data set", [_overall(metrics, other)], anchor="overall"))
    elif not plots:
        blocks.append(Note("The evaluation holds no metrics.", "warning"))
    blocks += curve_sections([plot for plot in plots if plot.slice_name == OVERALL], metrics)
    if metrics and len(slices) > 1:
        blocks.append(_slices(metrics, slices))
    rest = [plot for plot in plots if plot.slice_name != OVERALL]
    blocks += [_curves_of_slices(rest, metrics)] if rest else []
    config = files.read_eval_config(path)
    if config:
        text = json.dumps(config, indent=2, ensure_ascii=False)
        blocks.append(
            Section("Configuration", [Listing("EvalConfig", text)], anchor="config", is_folded=True)
        )
    return blocks


def _errors(path: str) -> list[Block]:
    found = read_errors(path)
    shown: list[Block] = [Note(f"{name}: {text}", "warning") for name, text in found[:_MAX_ERRORS]]
    more = len(found) - len(shown)
    return [*shown, Note(f"And so in {plural(more, 'more slice')}.", "warning")] if more else shown


def _curves_of_slices(plots: list[Plot], metrics: Sequence[Metric] = ()) -> Section:
    names = list(dict.fromkeys(plot.slice_name for plot in plots))
    sections: list[Block] = [
        Section(
            name, curve_sections([plot for plot in plots if plot.slice_name == name], metrics), is_folded=True
        )
        for name in names[:_MAX_SLICE_SECTIONS]
    ]
    if len(names) > _MAX_SLICE_SECTIONS:
        sections.append(Note(f"The first {_MAX_SLICE_SECTIONS} of {len(names)} slices are shown."))
    return Section("Curves by slice", sections, anchor="slice-curves")


def _reason(subject: Subject) -> str:
    """Return the verdict in words, as the blessing made beside says it."""
    beside = [one for made in subject.outputs.values() for one in made if one.type_name == "ModelBlessing"]
    return next((text for one in beside if (text := one.get_string_custom_property(SUMMARY_PROPERTY))), "")


def _overall(metrics: list[Metric], other: Subject | None) -> Block:
    overall = [metric for metric in metrics if metric.slice_name == OVERALL]
    candidate = {m.name: m for m in overall if not m.is_baseline and not m.is_difference}
    baseline = {m.name: m for m in overall if m.is_baseline and not m.is_difference}
    theirs: dict[str, Metric] = {}
    if other is not None:
        theirs = {
            m.name: m
            for m in read_metrics(other.artifact.uri)
            if m.slice_name == OVERALL and not m.is_baseline and not m.is_difference
        }
    columns = ["metric", "candidate"]
    columns += ["interval"] if any(m.low is not None for m in candidate.values()) else []
    columns += ["baseline", "change"] if baseline else []
    columns += [f"evaluation {other.artifact.id}", "difference"] if other is not None else []
    rows: list[list[Value]] = []
    for name, metric in candidate.items():
        row: list[Value] = [name, metric.value]
        row += [_interval(metric)] if "interval" in columns else []
        for table in [baseline] * bool(baseline) + [theirs] * (other is not None):
            against = table.get(name)
            row += [against.value if against else None, _change(metric, against)]
        rows.append(row)
    return Table(columns, rows, caption="Metrics of the whole data set")


def _interval(metric: Metric) -> str:
    return f"{format_number(metric.low)} to {format_number(metric.high)}" if metric.low is not None else "–"


def _change(metric: Metric, against: Metric | None) -> Value:
    if against is None or not math.isfinite(metric.value - against.value):
        return None
    change = metric.value - against.value
    return Cell(f"{'+' if change > 0 else ''}{format_number(change, 3)}".replace("-", "−"), is_number=True)


def _count(metrics: list[Metric], slice_name: str) -> float | None:
    return next((m.value for m in metrics if m.slice_name == slice_name and _is_count(m)), None)


def _is_count(metric: Metric) -> bool:
    """Whether a metric counts examples, be it of one output of several."""
    return metric.name.partition(" (")[0] in _COUNTS


def _slices(metrics: list[Metric], slices: list[str]) -> Section:
    shown = [m for m in metrics if not m.is_difference and not m.is_baseline]
    names = list(dict.fromkeys(m.name for m in shown if not _is_count(m)))
    values = {(m.slice_name, m.name): m for m in shown}
    counts = {name: _count(metrics, name) for name in slices}
    rows: list[list[Value]] = []
    for name in slices[:_MANY]:
        row: list[Value] = [name, counts[name]]
        for metric_name in names:
            metric = values.get((name, metric_name))
            if metric is None:
                row.append(None)
            elif metric.low is not None:
                row.append(Cell(f"{format_number(metric.value)} ({_interval(metric)})", is_number=True))
            else:
                row.append(metric.value)
        rows.append(row)
    footnote = plural(len(slices), "slice") + (
        f", the first {_MANY} are shown." if len(slices) > _MANY else "."
    )
    table = Table(
        ["slice", "examples", *names], rows, caption="Metrics by slice", footnote=footnote, is_sortable=True
    )
    drawn = [
        name
        for name in names
        if any((one, name) in values and math.isfinite(values[one, name].value) for one in slices)
    ]
    found = [_slice_chart(name, slices, values, counts) for name in drawn[:_MAX_METRIC_CHARTS]]
    return Section("Slices", [*found, table], anchor="slices")


def _slice_chart(
    name: str, slices: list[str], values: dict[tuple[str, str], Metric], counts: dict[str, float | None]
) -> Chart:
    known = [one for one in slices if (one, name) in values and math.isfinite(values[one, name].value)]
    ordered = sorted(known, key=lambda one: (one != OVERALL, values[one, name].value))
    # Both ends are what one looks for: the worst slices and the best.
    half = _MAX_CHARTED_SLICES // 2
    drawn = ordered if len(ordered) <= 2 * half else [*ordered[:half], *ordered[-half:]]
    rows = [
        {"name": one, "x": m.value, "low": m.low, "high": m.high, "size": counts.get(one)}
        for one in drawn
        for m in (values[one, name],)
    ]
    worst = next((one for one in ordered if one != OVERALL), OVERALL)
    extent = (
        f"; the {half} lowest and the {half} highest of {len(ordered)} slices"
        if len(drawn) < len(ordered)
        else ""
    )
    description = f"{name} by slice, lowest in {worst}{extent}"
    return Chart(f"{name} by slice", charts.intervals(rows, name, order=drawn), description)


def curve_sections(plots: list[Plot], metrics: Sequence[Metric] = ()) -> list[Block]:
    """Return sections with the curves of one slice: binary, multi-class, calibration and residuals."""
    blocks: list[Block] = []
    binary = [plot for plot in plots if plot.thresholds]
    if binary:
        blocks += curves.threshold_blocks(binary, metrics)
    for plot in plots:
        if plot.classes:
            blocks.append(curves.class_matrix(plot))
        if plot.labels:
            blocks.append(curves.label_matrix(plot))
    calibrated = [plot for plot in plots if plot.calibration]
    if calibrated:
        blocks.append(curves.calibration(calibrated))
    return blocks
