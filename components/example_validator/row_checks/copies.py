"""Copies in a split, contradicting labels, and what leaks from one split into another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.components.example_validator.row_checks import times
from headrace.components.example_validator.row_checks.check import (
    MAX_SAMPLES,
    Found,
    RowCheck,
    Scanned,
    rows_in_words,
)
from headrace.quality import groups, near
from headrace.quality.groups import NONE, Mask, Rows
from headrace.quality.row_digests import Compared, RowValues
from headrace.quality.survey import Survey

_COPIES_OF = "copies of rows of"
_COPIES = "FEATURE_TYPE_LOW_UNIQUE"
_LEAK = "SCHEMA_TRAINING_SERVING_SKEW"


class _Copies(RowCheck):
    """What both checks share: digests of rows, and what is kept for near copies."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        keys, label = spec["keys"], spec["label"]
        survey.check_names([*(keys or []), *([label] if label else [])], self.where)
        self._label = label
        ignored = tuple(spec["ignore"] or ())
        self._compared = Compared(tuple(keys)) if keys else Compared(None, ignored)
        bare = Compared(self._compared.names, (*self._compared.ignored, *([label] if label else [])))
        specs = None if spec["near"] is True else spec["near"]
        self._measures = near.measures(specs, survey, bare, self.where) if spec["near"] else []

    def arrays(self, batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
        """The digests of the rows without their label, and with it."""
        compared = self._compared
        if compared.names is not None and self._label and self._label not in compared.names:
            compared = Compared((*compared.names, self._label))
        values = RowValues(batch, compared)
        without = [self._label] if self._label else []
        found: dict[str, NDArray[Any]] = {"bare": values.digests(without)}
        if self._label:
            found["labelled"] = values.digests()
        for number, measure in enumerate(self._measures):
            found[f"near-{number}"], found[f"valid-{number}"] = measure.scan(batch)
        return found

    def _near(self, scanned: Scanned, chosen: Mask) -> list[tuple[str, Rows]]:
        """Return for each measure its words, and the first row that each chosen one is near to."""
        found = []
        for number, measure in enumerate(self._measures):
            valid = chosen & np.asarray(scanned.array(f"valid-{number}"))
            found.append((measure.words, measure.firsts(scanned.array(f"near-{number}"), valid)))
        return found

    def _samples(self, scanned: Scanned, rows: NDArray[np.int64], of: Rows, word: str) -> Any:
        shown = rows[:MAX_SAMPLES].tolist()
        words = []
        for row in shown:
            split, number = scanned.place(int(of[row]))
            words.append(f"{word} {split} {number:,}")
        return scanned.samples(shown, words)


class Duplicates(_Copies):
    """The check `duplicates`."""

    def conclude(self, scanned: Scanned) -> Found:
        """Compare the rows of each split with each other."""
        digests = np.asarray(scanned.array("labelled" if self._label else "bare"))
        bare = np.asarray(scanned.array("bare"))
        for split in scanned.splits:
            start, end = scanned.bounds(split)
            chosen = np.zeros(len(digests), bool)
            chosen[start:end] = True
            firsts = groups.first_equal(digests, chosen)
            is_first = firsts == np.arange(len(firsts))
            yield from self._copies(scanned, split, firsts, "Duplicates", "copies of earlier ones", "copy of")
            if self._label:
                yield from self._conflicts(scanned, split, groups.in_conflict(bare, digests, chosen))
            for words, nearest in self._near(scanned, chosen & is_first):
                text = f"near to earlier ones: {words}"
                yield from self._copies(scanned, split, nearest, "Near duplicates", text, "near to")

    def _copies(
        self, scanned: Scanned, split: str, firsts: Rows, problem: str, text: str, word: str
    ) -> Found:
        rows = np.flatnonzero((firsts != NONE) & (firsts != np.arange(len(firsts))))
        total, most = scanned.num_rows[split], self.spec["max_share"]
        if not len(rows) or len(rows) <= most * total:
            return
        are = "is" if len(rows) == 1 else "are"
        limit = f", more than {100 * most:g} %" if most else ""
        said = text.replace("copies of earlier ones", "a copy of an earlier one") if len(rows) == 1 else text
        yield (
            split,
            self.finding(
                "",
                problem,
                f"{rows_in_words(len(rows), total)} {are} {said}{limit}.",
                is_error=False,
                num_rows=len(rows),
                reason=_COPIES,
                samples=self._samples(scanned, rows, firsts, word),
            ),
        )

    def _conflicts(self, scanned: Scanned, split: str, of: Rows) -> Found:
        rows = np.flatnonzero(of != NONE)
        if len(rows):
            yield (
                split,
                self.finding(
                    self._label,
                    "Contradicting labels",
                    f"{rows_in_words(len(rows), scanned.num_rows[split])} equal others of the split in all but "
                    f"'{self._label}'.",
                    is_error=True,
                    num_rows=len(rows),
                    reason="ENUM_TYPE_UNEXPECTED_STRING_VALUES",
                    samples=self._samples(scanned, rows, of, "contradicts"),
                ),
            )


class Leaks(_Copies):
    """The check `leaks`."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        survey.check_names([name for name in (spec["group"], spec["time"]) if name], self.where)

    def arrays(self, batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
        """Also the digests of groups, and times."""
        found = super().arrays(batch)
        found.pop("labelled", None)
        if self.spec["group"]:
            found["group"] = RowValues(batch, Compared((self.spec["group"],))).digests()
        if self.spec["time"]:
            found["time"] = times.read(batch, self.spec["time"], self.where)
        return found

    def conclude(self, scanned: Scanned) -> Found:
        """Compare the rows of each split with those of the splits before it."""
        bare = np.asarray(scanned.array("bare"))
        every = np.ones(len(bare), bool)
        firsts = groups.first_equal(bare, every)
        yield from self._across(scanned, firsts, "Rows of another split", _COPIES_OF, "copy of")
        is_first = firsts == np.arange(len(firsts))
        for words, nearest in self._near(scanned, is_first):
            text, problem = f"near ({words}) to rows of", "Rows near to those of another split"
            yield from self._across(scanned, nearest, problem, text, "near to")
        if self.spec["group"]:
            yield from self._groups(scanned)
        if self.spec["time"]:
            yield from self._times(scanned)

    def _across(self, scanned: Scanned, firsts: Rows, problem: str, text: str, word: str) -> Found:
        for position, split in enumerate(scanned.splits):
            start, end = scanned.bounds(split)
            rows = start + np.flatnonzero((firsts[start:end] != NONE) & (firsts[start:end] < start))
            total = scanned.num_rows[split]
            if not len(rows) or len(rows) <= self.spec["max_share"] * total:
                continue
            of = firsts[rows]
            names = [
                f"'{other}' ({int(((of >= low) & (of < high)).sum()):,})"
                for other in scanned.splits[:position]
                for low, high in [scanned.bounds(other)]
                if ((of >= low) & (of < high)).any()
            ]
            are = "is" if len(rows) == 1 else "are"
            said = "a copy of a row of" if text == _COPIES_OF and len(rows) == 1 else text
            yield (
                split,
                self.finding(
                    "",
                    problem,
                    f"{rows_in_words(len(rows), total)} {are} {said} {' and '.join(names)}: what is measured on "
                    f"'{split}' is no measure of new data.",
                    is_error=True,
                    num_rows=len(rows),
                    reason=_LEAK,
                    samples=self._samples(scanned, rows, firsts, word),
                ),
            )

    def _groups(self, scanned: Scanned) -> Found:
        group = np.asarray(scanned.array("group"))
        # A row without a group is in none.
        nothing = RowValues(pa.RecordBatch.from_arrays([pa.nulls(1)], ["none"]), Compared(("",))).digests()
        has_group = (group != nothing).any(axis=1)
        firsts = groups.first_equal(group, has_group)
        yield from self._across_groups(scanned, firsts)

    def _across_groups(self, scanned: Scanned, firsts: Rows) -> Found:
        name = self.spec["group"]
        for split in scanned.splits:
            start, end = scanned.bounds(split)
            rows = start + np.flatnonzero((firsts[start:end] != NONE) & (firsts[start:end] < start))
            if len(rows):
                number = len(np.unique(firsts[rows]))
                values = "value" if number == 1 else "values"
                yield (
                    split,
                    self.finding(
                        name,
                        "Group in two splits",
                        f"{number:,} {values} of '{name}', of {rows_in_words(len(rows), scanned.num_rows[split])}, "
                        "occur in a split before it as well.",
                        is_error=True,
                        num_rows=len(rows),
                        reason=_LEAK,
                        samples=self._samples(scanned, rows, firsts, "group of"),
                    ),
                )

    def _times(self, scanned: Scanned) -> Found:
        found = np.asarray(scanned.array("time"))
        times.check_any(found, self.spec["time"], self.where)
        latest, name = -np.inf, ""
        for split in scanned.splits:
            start, end = scanned.bounds(split)
            own = found[start:end]
            known = own[times.finite(own)]
            if not len(known):
                continue
            rows = start + np.flatnonzero(own <= latest)
            if len(rows):
                yield split, self._overlap(scanned, split, rows, name, float(known.min()), latest)
            if known.max() > latest:
                latest, name = float(known.max()), split

    def _overlap(
        self, scanned: Scanned, split: str, rows: Sequence[int], before: str, begins: float, ends: float
    ) -> Any:
        time = self.spec["time"]
        samples = scanned.samples([int(row) for row in rows[:MAX_SAMPLES]], [""] * len(rows[:MAX_SAMPLES]))
        return self.finding(
            time,
            "Times overlap",
            f"{rows_in_words(len(rows), scanned.num_rows[split])} are not later than the end of '{before}': "
            f"'{before}' ends at {times.said(ends, self.survey, time)}, '{split}' begins at "
            f"{times.said(begins, self.survey, time)}.",
            is_error=True,
            num_rows=len(rows),
            reason=_LEAK,
            samples=samples,
        )
