"""Reads all rows once for all checks, and gives each what it noted and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from headrace.components.example_validator.row_checks.check import Noter, RowCheck, Scanned, Tally
from headrace.errors import HeadraceError
from headrace.formats.samples import Sample
from headrace.quality import parts, row_samples
from headrace.quality.parts import Part
from headrace.quality.row_arrays import RowArrays
from headrace.quality.survey import Survey
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder


@dataclass
class PartScan:
    """What was found in one file.

    Attributes:
        num_rows: Its rows.
        tallies: What each check noted.
        error: What stopped it. A value, as Beam's runners replace an exception by the text of its traceback.
    """

    num_rows: int
    tallies: list[Tally]
    error: BaseException | None = None


class ScanPart(beam.DoFn):
    """Looks at the rows of a file for all checks."""

    def __init__(
        self,
        checks: Sequence[RowCheck],
        survey: Survey,
        folder: str,
        results: SharedFolder[PartScan],
        progress: Progress,
    ) -> None:
        self._checks = list(checks)
        self._survey = survey
        self._folder = folder
        self._results = results
        self._progress = progress

    def setup(self) -> None:
        self._progress.report("checking rows")

    def process(self, part: Part) -> Iterator[None]:
        try:
            found = self._scan(part)
        except (HeadraceError, OSError) as error:
            found = PartScan(0, [], error)
        self._results.keep(part.index, found)
        yield from ()

    def _scan(self, part: Part) -> PartScan:
        found = PartScan(0, [Tally() for _ in self._checks])
        arrays = RowArrays(self._folder)
        for at, batch in enumerate(parts.read(part)):
            for number, (check, tally) in enumerate(zip(self._checks, found.tallies)):
                check.note(batch, Noter(tally, batch, self._survey, part.split, found.num_rows))
                for name, array in check.arrays(batch).items():
                    arrays.save(f"{number}-{name}", part.index, at, array)
            found.num_rows += batch.num_rows
            self._progress.add_rows(batch.num_rows)
        return found


class AllRows:
    """What the scan of all files found.

    Args:
        splits: The splits, in order.
        found_parts: The files.
        scans: What was found in each.
        folder: Where the arrays are.
        survey: What the features hold.
    """

    def __init__(
        self,
        splits: Sequence[str],
        found_parts: Sequence[Part],
        scans: Sequence[PartScan],
        folder: str,
        survey: Survey,
    ) -> None:
        self.splits = list(splits)
        self.parts = list(found_parts)
        self.scans = list(scans)
        self.folder = folder
        self.survey = survey
        self.starts = np.concatenate([np.zeros(1, np.int64), np.cumsum([one.num_rows for one in scans])])
        self.num_rows = {split: end - start for split in splits for start, end in [self.bounds(split)]}

    def bounds(self, split: str) -> tuple[int, int]:
        """Return the place of the first row of a split among all, and that behind its last."""
        own = [part.index for part in self.parts if part.split == split]
        return int(self.starts[own[0]]), int(self.starts[own[-1] + 1])

    def of(self, number: int, check: RowCheck) -> Scanned:
        """Return what one check sees, by its number among the checks."""
        return _OfCheck(self, number, check)

    def place(self, row: int) -> tuple[str, int]:
        """Return the split of a row, and its number there."""
        part = self._part_of(row)
        return part.split, row - self.bounds(part.split)[0] + 1

    def samples(self, rows: Sequence[int], words: Sequence[str]) -> list[Sample]:
        """Read rows to show them, in the order given; files without any are not read."""
        wanted: dict[int, list[int]] = {}
        for row in rows:
            wanted.setdefault(self._part_of(row).index, []).append(row)
        read: dict[int, dict[str, Any]] = {}
        for index, own in wanted.items():
            read |= self._read(self.parts[index], sorted(own))
        found = []
        for row, note in zip(rows, words):
            split, number = self.place(row)
            found.append(row_samples.sample(split, number, read[row], self.survey, note=note))
        return found

    def _part_of(self, row: int) -> Part:
        return self.parts[int(np.searchsorted(self.starts, row, "right")) - 1]

    def _read(self, part: Part, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        start = int(self.starts[part.index])
        for batch in parts.read(part):
            for row in rows:
                if start <= row < start + batch.num_rows:
                    found[row] = batch.slice(row - start, 1).to_pylist()[0]
            start += batch.num_rows
            if start > rows[-1]:
                break
        return found


class _OfCheck(Scanned):
    def __init__(self, every: AllRows, number: int, check: RowCheck) -> None:
        self._every = every
        self._number = number
        self.splits = every.splits
        self.num_rows = every.num_rows
        self._tallies = {split: self._merged(split, check) for split in every.splits}

    def _merged(self, split: str, check: RowCheck) -> Tally:
        merged, num_before = Tally(), 0
        for part, scan in zip(self._every.parts, self._every.scans):
            if part.split == split:
                merged.add(scan.tallies[self._number], num_before)
                check.merge(merged, scan.tallies[self._number], num_before)
                num_before += scan.num_rows
        return merged

    def tally(self, split: str) -> Tally:
        return self._tallies[split]

    def array(self, name: str) -> NDArray[Any]:
        return RowArrays(self._every.folder)[f"{self._number}-{name}"]

    def bounds(self, split: str) -> tuple[int, int]:
        return self._every.bounds(split)

    def part_starts(self) -> NDArray[np.int64]:
        return self._every.starts[:-1]

    def place(self, row: int) -> tuple[str, int]:
        return self._every.place(row)

    def samples(self, rows: Sequence[int], words: Sequence[str]) -> list[Sample]:
        return self._every.samples(rows, words)
