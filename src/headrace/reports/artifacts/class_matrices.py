"""Several classes on a page of an evaluation: what each is taken for, and how good each is."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.formats.evaluations.plots import Plot
from headrace.reports.blocks.blocks import Cell, Table, Value
from headrace.reports.blocks.numbers import format_number, format_share
from headrace.ui.units import plural

_MAX_PAIRS = 20
_MAX_CLASSES = 50

_Counts = Mapping[tuple[int, int], float]


def classes_of(counts: _Counts) -> list[int]:
    """Return the classes of a matrix, actual or predicted, in their order; without TFMA's number of none."""
    return sorted({number for pair in counts for number in pair if number >= 0})


def confused_pairs(plot: Plot) -> list[Table]:
    """Return which class is taken for which other, the most frequent mistake first; nothing where there is none."""
    counts = plot.classes or {}
    totals: dict[int, float] = {}
    for (actual, _), count in counts.items():
        totals[actual] = totals.get(actual, 0.0) + count
    wrong = sorted(
        (
            (count, actual, other)
            for (actual, other), count in counts.items()
            if count and actual != other >= 0
        ),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    if not wrong:
        return []
    all_wrong = sum(count for count, _, _ in wrong)
    rows: list[list[Value]] = []
    for count, actual, other in wrong[:_MAX_PAIRS]:
        share, of_wrong = count / totals[actual], count / all_wrong
        shares: list[Value] = [
            Cell(format_share(share), bar=share, is_number=True),
            Cell(format_share(of_wrong), is_number=True),
        ]
        rows.append([f"{plot.class_name(actual)} taken for {plot.class_name(other)}", count, *shares])
    more = len(wrong) - _MAX_PAIRS
    footnote = f"And {plural(more, 'rarer pair')}." if more > 0 else ""
    columns = ["mistake", "examples", "of the actual class", "of all mistakes"]
    return [Table(columns, rows, caption="Most confused pairs", footnote=footnote)]


def by_class(plot: Plot) -> Table:
    """Return precision, recall, F1 and specificity of each class, and what they are computed of."""
    counts = plot.classes or {}
    total = sum(counts.values())
    right = sum(count for (actual, predicted), count in counts.items() if actual == predicted)
    known = classes_of(counts)
    rows: list[list[Value]] = []
    for number in known[:_MAX_CLASSES]:
        tp = counts.get((number, number), 0.0)
        fn = sum(count for (actual, other), count in counts.items() if actual == number != other)
        fp = sum(count for (actual, other), count in counts.items() if other == number != actual)
        tn = total - tp - fn - fp
        shares = (_share(tp, fp), _share(tp, fn), _share(2 * tp, fp + fn), _share(tn, fp), _share(tn, fn))
        rows.append([plot.class_name(number), *shares, tp, fp, fn, tn, tp + fn])
    columns = ["class", "precision", "recall", "F1", "specificity", "NPV", "TP", "FP", "FN", "TN", "all"]
    footnote = f"{format_number(right)} of {format_number(total)} are right: accuracy {format_number(_share(right, total - right))}."
    if len(known) > _MAX_CLASSES:
        footnote += f" The first {_MAX_CLASSES} of {len(known)} classes."
    return Table(columns, rows, caption="By class", footnote=footnote, is_sortable=True)


def _share(part: float, rest: float) -> float | None:
    return part / (part + rest) if part + rest else None
