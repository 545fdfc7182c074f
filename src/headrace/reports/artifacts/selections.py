"""ModelSelection: the candidates, the best first, and why one was chosen."""

from __future__ import annotations

from headrace.formats import selections
from headrace.formats.selections import Candidate, Selection
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Table, Value
from headrace.store.session import Subject
from headrace.ui.units import format_bytes

_BLESSED = {True: Cell("blessed", tone="good"), False: Cell("not blessed", tone="bad"), None: Cell("–")}
# More are in the evaluations.
_MAX_METRICS = 12


def render(subject: Subject) -> list[Block]:
    """Return the choice and the table of candidates."""
    selection = selections.read(subject.artifact)
    better = "smallest" if selection.is_lower_better else "largest"
    return [
        Note(f"{selection.chosen} was chosen: {selection.reason}.", "good"),
        *[Note(f"{remark[:1].upper()}{remark[1:]}.", "warning") for remark in selection.remarks],
        Facts([("compared by", selection.metric), ("in slice", selection.slice_name), ("better is", better)]),
        _table(selection),
    ]


def _table(selection: Selection) -> Table:
    known = dict.fromkeys(name for one in selection.candidates for name in one.metrics)
    others = [name for name in known if name != selection.metric][:_MAX_METRICS]
    has_blessings = any(one.is_blessed is not None for one in selection.candidates)
    heads = ["model", selection.metric, "size", *(["verdict"] if has_blessings else []), *others]
    rows = [_row(selection, one, others, has_blessings) for one in selection.candidates]
    return Table(heads, rows, caption="Candidates", footnote="Best first.", is_sortable=True)


def _row(selection: Selection, one: Candidate, others: list[str], has_blessings: bool) -> list[Value]:
    is_chosen = one.name == selection.chosen
    name = Cell(f"{one.name} (chosen)", tone="good") if is_chosen else Cell(one.name)
    verdict = [_BLESSED[one.is_blessed]] if has_blessings else []
    return [
        name,
        one.value,
        format_bytes(one.num_bytes),
        *verdict,
        *[one.metrics.get(other) for other in others],
    ]
