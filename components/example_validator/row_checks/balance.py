"""Classes: of few rows, of a small share, in one split alone; rows without a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.components.example_validator.row_checks.check import (
    Found,
    Noter,
    RowCheck,
    Scanned,
    over_share,
)
from headrace.errors import DefinitionError
from headrace.quality import features
from headrace.quality.survey import FLOAT, Survey

_MAX_CLASSES = 10_000
_MAX_NAMED = 8
_MISSING = ("missing",)
_REASON = "SEQUENCE_VALUE_TOO_SMALL_FRACTION"


class Balance(RowCheck):
    """The check `balance`."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        self._label = spec["label"]
        survey.check_names([self._label], self.where)
        self._is_float = survey.kinds.get(self._label) == FLOAT

    def note(self, batch: pa.RecordBatch, noter: Noter) -> None:
        """Count the classes."""
        column = features.column_of(batch, self._label)
        values = [None] * batch.num_rows if column is None else column.to_pylist()
        for row, value in enumerate(values):
            if not value or value == [b""]:
                noter.note(row, _MISSING, "no class", first=[self._label])
                continue
            for one in value:
                noter.tally.counts[one] += 1
            if self._is_float and any(one != one or one != int(one) for one in value if abs(one) < 2**53):
                self._refuse(f"holds {value[0]:g}", "whole numbers")
        if len(noter.tally.counts) > _MAX_CLASSES:
            self._refuse(f"has more than {_MAX_CLASSES:,} different values", "classes")

    def _refuse(self, what: str, wanted: str) -> None:
        raise DefinitionError(
            f"{self.where}: label '{self._label}' {what}, where {wanted} are needed.",
            "name the feature of the class; a number that is predicted has no balance.",
        )

    def conclude(self, scanned: Scanned) -> Found:
        """Compare the classes of each split with the bounds, and with those of the other splits."""
        counts = {
            split: Counter({key: n for key, n in scanned.tally(split).counts.items() if key != _MISSING})
            for split in scanned.splits
        }
        if max(map(len, counts.values()), default=0) > _MAX_CLASSES:
            self._refuse(f"has more than {_MAX_CLASSES:,} different values", "classes")
        overall: Counter[Any] = sum(counts.values(), Counter())
        total = sum(overall.values())
        small = {key for key, n in overall.items() if n < self.spec["min_share"] * total}
        for split in scanned.splits:
            yield from over_share(
                self,
                scanned,
                split,
                _MISSING,
                self._label,
                "No label",
                "without a class",
                is_error=True,
                reason="FEATURE_TYPE_LOW_FRACTION_PRESENT",
            )
            few = {key: n for key, n in counts[split].items() if n < self.spec["min_count"]}
            if few:
                text = f"fewer than {self.spec['min_count']:,} rows in split '{split}'"
                yield split, self._finding("Few rows of a class", few, text)
            rare = {key: counts[split][key] for key in small if counts[split][key]}
            if rare:
                text = f"less than {100 * self.spec['min_share']:g} % of all {total:,} rows"
                yield split, self._finding("Small share of a class", rare, text)
            if self.spec["one_split"] and len([one for one in counts.values() if one]) > 1:
                yield from self._in_one_split(scanned, split, counts)

    def _in_one_split(self, scanned: Scanned, split: str, counts: Mapping[str, Counter[Any]]) -> Found:
        first = scanned.splits[0]
        if split == first:
            others = [one for one in scanned.splits if one != split and counts[one]]
            alone = {
                key: n
                for key, n in counts[split].items()
                if others and not any(counts[o][key] for o in others)
            }
            if alone:
                yield split, self._finding("Class in one split alone", alone, "rows in no other split")
            return
        unseen = {key: n for key, n in counts[split].items() if not counts[first][key]}
        if unseen and counts[first]:
            text = f"no row in split '{first}'"
            yield split, self._finding(f"Class not in '{first}'", unseen, text, is_error=True)

    def _finding(self, problem: str, classes: Mapping[Any, int], text: str, *, is_error: bool = False) -> Any:
        order = sorted(classes, key=lambda key: (classes[key], str(key)))
        shown = ", ".join(
            f"{_name(key)} ({classes[key]:,} {'row' if classes[key] == 1 else 'rows'})"
            for key in order[:_MAX_NAMED]
        )
        more = f" and {len(order) - _MAX_NAMED:,} more" if len(order) > _MAX_NAMED else ""
        has = f"{len(order):,} {'class has' if len(order) == 1 else 'classes have'}"
        return self.finding(
            self._label,
            problem,
            f"{has} {text}: {shown}{more}.",
            is_error=is_error,
            num_rows=sum(classes.values()),
            reason=_REASON,
        )


def _name(key: Any) -> str:
    if isinstance(key, bytes):
        return f"'{key[:60].decode('utf-8', 'backslashreplace')}'"
    return f"{key:g}" if isinstance(key, float) else str(key)
