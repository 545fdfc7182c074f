"""What a check of rows is: what it keeps of each batch, and what it says when all rows were seen."""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.formats.findings import RowFinding
from headrace.formats.samples import Sample
from headrace.quality import row_samples
from headrace.quality.survey import Survey

MAX_SAMPLES = 12


@dataclass
class Tally:
    """Rows of a split that have something in common, counted, and the first of them kept.

    Attributes:
        counts: By what they have in common.
        samples: Of each, the first rows.
        more: What else a check keeps; merged by `RowCheck.merge`.
    """

    counts: Counter[Hashable] = field(default_factory=Counter)
    samples: dict[Hashable, list[Sample]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def add(self, later: Tally, num_before: int) -> None:
        """Add the counts and rows of a later file, before which the split has so many rows."""
        self.counts.update(later.counts)
        for key, found in later.samples.items():
            own = self.samples.setdefault(key, [])
            left = max(MAX_SAMPLES - len(own), 0)
            own += [replace(one, row=one.row + num_before) for one in found[:left]]


class Noter:
    """Notes rows of one batch into a tally.

    Args:
        tally: Where to.
        batch: The rows.
        survey: What the features hold.
        split: Their split.
        first: The number of the first of them in their file, from 0. Numbers in the split follow when all is read.
    """

    def __init__(self, tally: Tally, batch: pa.RecordBatch, survey: Survey, split: str, first: int) -> None:
        self.tally = tally
        self._batch = batch
        self._survey = survey
        self._split = split
        self.first = first

    def note(self, row: int, key: Hashable, words: str = "", *, first: Sequence[str] = ()) -> None:
        """Count a row of the batch, and keep it where few are."""
        self.tally.counts[key] += 1
        kept = self.tally.samples.setdefault(key, [])
        if len(kept) < MAX_SAMPLES:
            values = self._batch.slice(row, 1).to_pylist()[0]
            number = self.first + row + 1
            kept.append(
                row_samples.sample(self._split, number, values, self._survey, note=words, first=first)
            )


class Scanned(abc.ABC):
    """All rows, as a check sees them when it concludes."""

    splits: Sequence[str]
    """The splits, in order."""
    num_rows: Mapping[str, int]
    """The rows of each."""

    @abc.abstractmethod
    def tally(self, split: str) -> Tally:
        """Return what the check noted of a split."""

    @abc.abstractmethod
    def array(self, name: str) -> NDArray[Any]:
        """Return what the check kept of each row, over all splits in order."""

    @abc.abstractmethod
    def bounds(self, split: str) -> tuple[int, int]:
        """Return the place of the first row of a split among all, and that behind its last."""

    @abc.abstractmethod
    def part_starts(self) -> NDArray[np.int64]:
        """Return the place of the first row of each file among all."""

    @abc.abstractmethod
    def place(self, row: int) -> tuple[str, int]:
        """Return the split of a row, whose place among all is given, and its number there, from 1."""

    @abc.abstractmethod
    def samples(self, rows: Sequence[int], words: Sequence[str]) -> list[Sample]:
        """Read rows, whose places among all are given, to show them; `words` says of each what is the matter."""


Found = Iterator[tuple[str, RowFinding]]
"""Findings, each with its split."""


class RowCheck(abc.ABC):
    """One check.

    Args:
        spec: As `headrace.checks` made it.
        survey: What the features hold.
        where: The node, for messages.

    Raises:
        DefinitionError: If it names a feature that there is not, or that holds something else.
    """

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        self.spec = spec
        self.survey = survey
        self.where = f"{where}: {spec['check']}"

    def note(self, batch: pa.RecordBatch, noter: Noter) -> None:  # noqa: B027 - some keep arrays alone
        """Note rows of a batch."""

    def arrays(self, batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
        """Return what is kept of each row of a batch, by name."""
        return {}

    def merge(self, tally: Tally, later: Tally, num_before: int) -> None:  # noqa: B027 - most have counts alone
        """Merge what `more` of the tally of a later file holds, before which the split has so many rows."""

    @abc.abstractmethod
    def conclude(self, scanned: Scanned) -> Found:
        """Yield what was found in each split."""

    def finding(
        self,
        feature: str,
        problem: str,
        description: str,
        *,
        is_error: bool,
        num_rows: int = 0,
        reason: str = "UNKNOWN_TYPE",
        samples: Sequence[Sample] = (),
    ) -> RowFinding:
        """Return a finding of this check."""
        return RowFinding(
            self.spec["check"],
            feature,
            problem,
            description,
            is_error,
            num_rows,
            reason,
            samples,
            self.spec.get("fail_on"),
        )


def over_share(
    check: RowCheck,
    scanned: Scanned,
    split: str,
    key: Hashable,
    feature: str,
    problem: str,
    text: str,
    *,
    is_error: bool,
    reason: str = "UNKNOWN_TYPE",
    always: bool = False,
) -> Found:
    """Yield the finding on the rows of a split that were noted under a key, where these are more than is allowed.

    Args:
        check: The check; `max_share` of its specification is what is allowed.
        scanned: What was seen.
        split: The split.
        key: What the rows were noted under.
        feature: The feature.
        problem: In a few words.
        text: What the rows are, as it follows on "3 of 75 rows are ".
        is_error: Whether it is an error.
        reason: The nearest type of TFX's.
        always: Whether a single row is too many.
    """
    tally, total = scanned.tally(split), scanned.num_rows[split]
    number = tally.counts[key]
    if not number or (not always and number <= check.spec.get("max_share", 0.0) * total):
        return
    samples = tally.samples.get(key, [])
    are = "is" if number == 1 else "are"
    description = f"{rows_in_words(number, total)} {are} {text}: {named(samples)}."
    yield (
        split,
        check.finding(
            feature,
            problem,
            description,
            is_error=is_error,
            num_rows=number,
            reason=reason,
            samples=samples,
        ),
    )


def rows_in_words(number: int, total: int) -> str:
    """Return `"3 of 75 rows (4.0 %)"`."""
    share = 100 * number / total if total else 0.0
    return f"{number:,} of {total:,} {'row' if total == 1 else 'rows'} ({share:.2g} %)"


def named(samples: Sequence[Sample]) -> str:
    """Return the first rows in words, for who sees no table of them."""
    shown = [
        f"row {one.row:,}"
        + (f" '{one.features['path']}'" if "path" in one.features else "")
        + (f" ({one.note})" if one.note else "")
        for one in samples[:3]
    ]
    return ", ".join(shown) + (", …" if len(samples) > 3 else "")
