"""The rows of each class in each split, of a feature that is called like a label: what a page shows of any division."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DefinitionError
from headrace.formats.divisions import ClassTable
from headrace.sources.division.classes import are_classes
from headrace.sources.division.keys import Coder, FaultyRow, Label, label_text, sorted_labels, united
from headrace.sources.rows import Rows

# By the first of these that there is; whether letters are large or small does not matter.
NAMES = ("label", "class", "target", "y", "labels", "classes")
# With more different values in a part it is no class.
_MAX_LABELS = 20_000


@dataclass(frozen=True)
class LabelCounts:
    """Rows by split and class.

    Attributes:
        feature: The feature; empty of rows of which there are none.
        rows: For each split the rows of each class.
    """

    feature: str = ""
    rows: dict[str, dict[Label, int]] = field(default_factory=dict)

    @classmethod
    def merge(cls, parts: Sequence[LabelCounts | None]) -> LabelCounts | None:
        """Add up the counts of parts; `None` where there are none, or not of one feature."""
        known = [part for part in parts if part is not None]
        features = {part.feature for part in known} - {""}
        if len(known) < len(parts) or len(features) != 1:
            return None
        rows: dict[str, dict[Label, int]] = {}
        for part in known:
            for split, counts in part.rows.items():
                of_split = rows.setdefault(split, {})
                for label, count in counts.items():
                    of_split[label] = of_split.get(label, 0) + count
        return cls(features.pop(), rows)

    def table(self, splits: Sequence[str]) -> ClassTable | None:
        """Return the counts as a table; `None` where the values are numbers and no classes."""
        labels = sorted_labels({label for counts in self.rows.values() for label in counts})
        numbers = [label for label in labels if isinstance(label, (int, float))]
        num_rows = sum(count for counts in self.rows.values() for count in counts.values())
        if not labels or (numbers and not are_classes(len(numbers), num_rows)):
            return None
        of_splits = {name: [self.rows.get(name, {}).get(label, 0) for label in labels] for name in splits}
        return ClassTable.of(self.feature, [label_text(label) for label in labels], of_splits)


class LabelCounter:
    """Counts while rows are written."""

    def __init__(self, splits: Sequence[str]) -> None:
        self._splits = splits
        self._feature: str | None = None
        self._is_off = False
        self._coder = Coder()
        self._chosen: list[NDArray[np.int16]] = []

    def add(self, rows: Rows, chosen: NDArray[np.int16]) -> None:
        """Count rows, given the split of each."""
        if self._is_off or not rows.num_rows:
            return
        if self._feature is None:
            self._feature = _label_among(rows)
            self._is_off = self._feature is None
        column = rows.column(self._feature) if self._feature else None
        if column is None:
            self._is_off = True
            return
        try:
            self._coder.add(column, is_combined=True, where="")
        except FaultyRow:
            self._is_off = True
        self._chosen.append(chosen.astype(np.int16))

    def counts(self) -> LabelCounts | None:
        """Return the counts; `None` where there is no such feature, or it holds no classes."""
        if self._is_off:
            return None
        if self._feature is None:
            return LabelCounts()
        codes, labels = united([self._coder.values()])
        if len(labels) > _MAX_LABELS:
            return None
        chosen = np.concatenate(self._chosen)
        rows = {}
        for number, split in enumerate(self._splits):
            counts = np.bincount(codes[chosen == number], minlength=len(labels)).tolist()
            rows[split] = {label: count for label, count in zip(labels, counts) if count}
        return LabelCounts(self._feature, rows)


def _label_among(rows: Rows) -> str | None:
    try:
        names = rows.features()
    except DefinitionError:
        return None
    return next((name for wanted in NAMES for name in names if name.casefold() == wanted), None)
