"""FeatureImportances: what the score loses without each feature, the most important first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.formats import importances
from headrace.formats.importances import Importance, Importances
from headrace.reports.blocks import charts
from headrace.reports.blocks.blocks import Block, Cell, Chart, Facts, Note, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject

_MAX_DRAWN = 40
_MAX_ROWS = 1000
_MAX_TOLD = 10


def render(subject: Subject) -> list[Block]:
    """Return the score, a chart and a table of the features."""
    content = importances.read(subject.artifact)
    unread = [one.name for one in content.features if not one.mean and not one.deviation]
    idle = [one.name for one in content.features if one.mean <= one.deviation and one.name not in unread]
    blocks: list[Block] = [
        Facts(
            [
                (content.metric, content.score),
                ("better is", "smallest" if content.is_lower_better else "largest"),
                ("rows", content.num_rows),
                ("split", content.split),
                ("repeats", content.num_repeats),
            ]
        )
    ]
    if content.features:
        blocks += [_chart(content), _table(content)]
    if unread:
        blocks.append(Note(f"The model's predictions do not depend on {_told(unread)}.", "info"))
    if idle:
        blocks.append(
            Note(
                f"Without these alone the score is no worse than chance makes it: {_told(idle)}.",
                "info",
                "Features that tell the same each look unimportant: mix them together, features=[['a', 'b']].",
            )
        )
    return blocks


def _told(names: Sequence[str]) -> str:
    more = len(names) - _MAX_TOLD
    return ", ".join(names[:_MAX_TOLD]) + (f" and {more:,} more" if more > 0 else "")


def _chart(content: Importances) -> Chart:
    drawn = content.features[:_MAX_DRAWN]
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "x": one.mean,
            "low": one.mean - one.deviation,
            "high": one.mean + one.deviation,
            "size": content.num_rows,
        }
        for one in drawn
    ]
    title = f"{content.metric} lost without the feature"
    first = drawn[0]
    description = (
        f"{title}: most by {first.name}, {format_number(first.mean)}; lines are one standard deviation"
    )
    return Chart(title, charts.intervals(rows, title, order=[one.name for one in drawn]), description)


def _table(content: Importances) -> Table:
    rows: list[list[Value]] = [_row(one) for one in content.features[:_MAX_ROWS]]
    return Table(
        ["feature", "lost", "deviation"],
        rows,
        caption="Importances",
        footnote=f"Mean and standard deviation of what {content.metric} loses over {content.num_repeats} permutations.",
        is_sortable=True,
    )


def _row(one: Importance) -> list[Value]:
    return [Cell(one.name), one.mean, one.deviation]
