"""What kind of problem a label poses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from headrace.errors import DataError
from headrace.projects.look.profiles import MISSING_WORDS, Profile
from headrace.projects.look.roles import short

Task = Literal["regression", "binary", "classes", "labels"]

MAX_CLASSES = 1000
# Share of the rarest class under which accuracy alone would say little.
_RARE = 0.2
# Below this share weights would let a few rows rule.
_TOO_RARE = 0.01
_MOST_WHOLE_CLASSES = 20
_GRADED = re.compile(
    r"(quality|rating|stars?|score|grade|rank|count|num|number|age|price|amount|year|size|rooms?|points?)",
    re.I,
)
_POSITIVE = ("1", "1.0", "true", "yes", "y", "positive", "pos", "t", "spam", "si", "sí", "ja", "oui")


@dataclass(frozen=True)
class Label:
    """What is to be predicted.

    Attributes:
        names: The column; of `"labels"` perhaps several, each 0 or 1.
        task: `"regression"`, `"binary"`, `"classes"`, or `"labels"`: several of which each is there or not.
        reason: Why this kind, as part of a sentence.
        classes: The classes as text, in the order of their numbers; empty for regression.
        counts: Rows of each class in the sample.
        is_text: Whether Examples hold it as text.
        mean: Of the numbers of a regression.
        deviation: Likewise; 1 where they are all alike.
        num_missing: Rows of the sample without it.
        is_imbalanced: Whether a class is rare.
    """

    names: tuple[str, ...]
    task: Task
    reason: str
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    is_text: bool = False
    mean: float = 0.0
    deviation: float = 1.0
    num_missing: int = 0

    @property
    def name(self) -> str:
        """The column, where it is one."""
        return self.names[0]

    @property
    def is_imbalanced(self) -> bool:
        """Whether the rarest class has far fewer rows than an even share."""
        total = sum(self.counts)
        return bool(self.counts) and min(self.counts) < 2 * _RARE * total / len(self.counts)

    @property
    def is_weighted(self) -> bool:
        """Whether rare classes are to count more in training: not where one is so rare that it would rule."""
        is_class = self.task in ("binary", "classes")
        return is_class and self.is_imbalanced and min(self.counts) >= _TOO_RARE * sum(self.counts)

    @property
    def majority(self) -> float:
        """Share of the most frequent class: the accuracy of who always says it."""
        return max(self.counts) / max(1, sum(self.counts)) if self.counts else 0.0


def find_label(columns: Sequence[Profile], names: Sequence[str], wanted: str | None = None) -> Label:
    """Decide what kind of problem a label poses.

    Args:
        columns: All columns.
        names: The label, or several columns of 0 and 1.
        wanted: `"regression"` or `"classes"` where the person says so.

    Raises:
        DataError: If nothing can be learned of it: no value, one value, a value of its own in each row, too many.
    """
    by_name = {column.name: column for column in columns}
    if len(names) > 1:
        return _several(by_name, names)
    column = by_name[names[0]]
    _check(column, column.num_distinct)
    if column.parts and wanted != "classes" and len(column.parts) < column.num_distinct:
        return Label(
            (column.name,),
            "labels",
            f"its values list {len(column.parts)} words between '|' or ';'",
            column.parts,
            is_text=True,
            num_missing=column.num_missing,
        )
    if column.is_numeric and wanted != "classes":
        reason = _regression_reason(column) if wanted is None else "you said so"
        if reason:
            _check_numbers(column)
            return Label(
                (column.name,),
                "regression",
                reason,
                is_text=column.stored == "text",
                mean=column.mean,
                deviation=column.deviation or 1.0,
                num_missing=column.num_missing + _num_no_numbers(column),
            )
    if wanted == "regression":
        raise DataError(
            f"the label '{column.name}' holds words such as {short(column.top[0][0])}, not numbers.",
            "leave out --task, or give --task classes.",
        )
    return _classes(column)


def _check(column: Profile, num_distinct: int) -> None:
    if not column.num_filled:
        raise DataError(f"the label '{column.name}' has no value in any row.", "give another --label.")
    if num_distinct == 1:
        raise DataError(
            f"the label '{column.name}' has the same value in every row: {short(column.top[0][0])}. "
            "There is nothing to predict.",
            "give another --label, or data with other values.",
        )


def _check_numbers(column: Profile) -> None:
    if column.numbers_seen < 2:
        raise DataError(
            f"the label '{column.name}' has one number and words beside it.", "give another --label."
        )


def _num_no_numbers(column: Profile) -> int:
    return column.num_odd + sum(
        count for value, count in column.top if value.strip().lower() in MISSING_WORDS
    )


def _regression_reason(column: Profile) -> str:
    """Say why numbers are amounts, or return nothing where they number classes."""
    if not column.is_whole:
        return f"its values are numbers with fractions, {column.minimum:.6g} to {column.maximum:.6g}"
    if column.numbers_seen <= 2:
        return ""
    if column.numbers_seen > _MOST_WHOLE_CLASSES:
        return f"its {column.numbers_seen:,} whole numbers, {column.minimum:.0f} to {column.maximum:.0f}, are amounts"
    if _GRADED.search(column.name):
        return f"its whole numbers, {column.minimum:.0f} to {column.maximum:.0f}, have an order, as the name says"
    is_numbering = column.minimum in (0, 1) and column.maximum - column.minimum == column.numbers_seen - 1
    if is_numbering:
        return ""
    return f"its whole numbers, {column.minimum:.0f} to {column.maximum:.0f}, do not count from 0 or 1 as classes do"


def _classes(column: Profile) -> Label:
    num_words = column.num_distinct
    if num_words > MAX_CLASSES or (num_words > 20 and num_words > 0.5 * column.num_filled):
        each = column.num_filled / num_words
        raise DataError(
            f"the label '{column.name}' has {num_words:,} different values in {column.num_filled:,} rows, "
            f"{each:.1f} rows for each: too few to learn classes, of which {MAX_CLASSES:,} are the most.",
            "give another --label"
            + (", or --task regression to predict it as a number." if column.is_numeric else "."),
        )
    has_gaps = column.maximum - column.minimum != column.numbers_seen - 1
    if column.stored == "float" and (not column.is_whole or has_gaps):
        raise DataError(
            f"the label '{column.name}' holds numbers such as {column.top[0][0]}, with fractions or gaps between them, "
            "which number no classes.",
            "leave out --task, or write the classes as words or whole numbers.",
        )
    counts = dict(column.values)
    classes = _ordered(column, list(counts))
    task: Task = "binary" if len(classes) == 2 else "classes"
    kind = "numbers" if column.is_numeric and column.stored != "text" else "words"
    reason = f"it has {len(classes)} different {kind}"
    if task == "binary":
        reason += f"; {short(classes[1])} is what is predicted"
    return Label(
        (column.name,),
        task,
        reason,
        tuple(classes),
        tuple(counts[name] for name in classes),
        is_text=column.stored == "text",
        num_missing=column.num_missing,
    )


def _ordered(column: Profile, classes: list[str]) -> list[str]:
    """Return classes by number or alphabet; of two the one that stands for yes last, else the rarer one."""
    is_number = column.is_numeric and column.stored != "text"
    ordered = sorted(classes, key=float) if is_number else sorted(classes)
    if len(ordered) == 2 and not is_number:
        counts = dict(column.values)
        first, last = ordered
        if first.strip().lower() in _POSITIVE or (
            last.strip().lower() not in _POSITIVE and counts[first] < counts[last]
        ):
            ordered = [last, first]
    return ordered


def _several(columns: dict[str, Profile], names: Sequence[str]) -> Label:
    for name in names:
        column = columns[name]
        _check(column, column.num_distinct)
        if not (column.is_whole and column.minimum == 0 and column.maximum == 1 and column.stored != "text"):
            raise DataError(
                f"with several labels each is 0 or 1, and '{name}' is not: {short(column.top[0][0])} is in it.",
                "give one --label, or columns of 0 and 1.",
            )
    return Label(
        tuple(names),
        "labels",
        f"{len(names)} columns of 0 and 1, of which each may be there or not",
        tuple(names),
        num_missing=max(columns[name].num_missing for name in names),
    )
