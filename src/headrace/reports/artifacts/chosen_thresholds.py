"""The threshold that an evaluation chose, and what comes of it."""

from __future__ import annotations

from headrace.formats import decisions
from headrace.reports.blocks.blocks import Block, Note, Section, Table, Value

_MEASURES = ("precision", "recall", "f1", "specificity", "npv", "accuracy")


def section(path: str) -> list[Block]:
    """Return what was aimed at and chosen; nothing where no threshold was asked for.

    Args:
        path: Folder of the evaluation.
    """
    chosen = decisions.read(path)
    if chosen is None:
        return []
    has_classes = any(one.class_name for one in chosen.decisions)
    missing = [one.class_name for one in chosen.decisions if one.threshold is None]
    blocks: list[Block] = []
    if missing:
        of = f" for {', '.join(missing)}" if has_classes else ""
        blocks.append(Note(f"No threshold reaches the aim{of}: {chosen.aim_text}.", "warning"))
    rows: list[list[Value]] = [
        [
            *([one.class_name] if has_classes else []),
            one.threshold,
            *(one.measures.get(name) for name in _MEASURES),
        ]
        for one in chosen.decisions
        if one.threshold is not None
    ]
    if rows:
        columns = [
            *(["class"] if has_classes else []),
            "threshold",
            *("F1" if n == "f1" else n for n in _MEASURES),
        ]
        footnote = (
            f"A score above the threshold means the class. Chosen on {', '.join(chosen.splits)}, whose rows the measures "
            "are of: on new rows they may be a little worse."
        )
        blocks.append(
            Table(
                columns, rows, caption=f"Aim: {chosen.aim_text}", footnote=footnote, has_row_names=has_classes
            )
        )
    return [
        Section(
            "Chosen threshold" if len(chosen.decisions) < 2 else "Chosen thresholds",
            blocks,
            anchor="decision",
        )
    ]
