"""Beam steps of an ExampleGen: look at parts before any is read, and read a part into its shards of each split."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np

from headrace.errors import HeadraceError
from headrace.files.prefetch import prefetched
from headrace.formats import quarantine
from headrace.formats.columns import Columns
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.sources import feature_kinds
from headrace.sources.division.label_counts import LabelCounter, LabelCounts
from headrace.sources.feature_kinds import Kind
from headrace.sources.intake import Intake, joined_columns
from headrace.sources.reading import Part, Reader
from headrace.sources.rows import Rows, SplitFiles
from headrace.sources.splits import AnyPartition, Chooser


@dataclass(frozen=True)
class Outcome:
    """What became of one part.

    Errors are values here: Beam's runners replace an exception by the text of its traceback, and a worker
    that raises stops the others in the middle of a file.
    """

    split: int
    first_shard: int
    num_rows: dict[str, int] = field(default_factory=dict)
    labels: LabelCounts | None = None
    num_quarantined: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    learned: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Output:
    """Where one input split's rows go.

    Attributes:
        partition: The splits.
        folders: The folder of each split.
        is_parquet: Whether to write Parquet; else TFRecord.
        split: The input split's name.
        quarantine_uri: The artifact's folder, where what cannot be read is set aside; empty where it ends the run.
        counts_labels: Whether the rows of each class are counted, of a feature that is called like a label.
    """

    partition: AnyPartition
    folders: dict[str, str]
    is_parquet: bool
    split: str = ""
    quarantine_uri: str = ""
    counts_labels: bool = False

    def intake(self, part: Part) -> Intake:
        """Return what a part's reading goes through."""
        if not self.quarantine_uri:
            return Intake(None)
        return Intake(quarantine.Writer(self.quarantine_uri, self.split, part.shards[0], part.num_shards))


@dataclass(frozen=True)
class Written:
    """What all parts came to.

    Attributes:
        num_rows: The number of rows of each split.
        num_quarantined: The number of items that could not be read and are set aside.
        labels: The rows of each class in each split, where they were counted.
        notes: What readers met that a person should know of, and how often.
        columns: By input split, the kind of each column, where readers tell.
    """

    num_rows: dict[str, int]
    num_quarantined: int
    labels: LabelCounts | None = None
    notes: Mapping[str, int] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)


def combined(outcomes: Sequence[Outcome], outputs: Sequence[Output]) -> Written:
    """Add up what became of the parts.

    Raises:
        DataError: If a feature is of one kind in one part and of another in another.
        BaseException: What stopped a part.
    """
    num_rows: dict[str, int] = {name: 0 for output in outputs for name in output.partition.splits}
    kinds: dict[str, Kind] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    for outcome in outcomes:
        kinds = feature_kinds.merge(kinds, outcome.kinds)
        for name, count in outcome.num_rows.items():
            num_rows[name] += count
    notes: collections.Counter[str] = collections.Counter()
    columns: dict[str, dict[str, str]] = {}
    for outcome in outcomes:
        notes.update(outcome.notes)
        if outcome.columns:
            split = outputs[outcome.split].split
            columns[split] = joined_columns(columns.get(split, {}), outcome.columns)
    return Written(
        num_rows,
        sum(outcome.num_quarantined for outcome in outcomes),
        LabelCounts.merge([outcome.labels for outcome in outcomes]),
        notes,
        columns,
    )


class Learn(beam.DoFn):
    """Looks at a part before any part is read."""

    def __init__(self, reader: Reader, progress: Progress) -> None:
        self._reader = reader
        self._progress = progress

    def setup(self) -> None:
        self._progress.report("finding the column types")

    def process(self, element: tuple[int, Part]) -> Iterator[Outcome]:
        _, part = element
        try:
            yield Outcome(part.split, part.shards[0], learned=self._reader.learn(part.pieces))
        except (HeadraceError, OSError) as error:
            yield Outcome(part.split, part.shards[0], error=error)


class WriteSplits(beam.DoFn):
    """Reads a part and writes its shards of each split."""

    def __init__(
        self, reader: Reader, outputs: Sequence[Output], results: SharedFolder[Outcome], progress: Progress
    ) -> None:
        self._results = results
        self._reader = reader
        self._progress = progress
        self._outputs = outputs

    def setup(self) -> None:
        # Not for each part: a report starts the count of rows anew.
        self._progress.report("writing examples")

    def process(self, element: tuple[int, Part], learned: Sequence[Outcome]) -> None:
        index, part = element
        self._results.keep(index, self._outcome(index, part, learned))

    def _outcome(self, index: int, part: Part, learned: Sequence[Outcome]) -> Outcome:
        output = self._outputs[part.split]
        try:
            known = learned_of(part, learned)
            with output.intake(part) as intake:
                rows = intake.rows(self._reader.read(part.pieces, known))
                num_rows, labels = _write(rows, index, part, output, self._progress)
        except (HeadraceError, OSError) as error:
            return Outcome(part.split, part.shards[0], error=error)
        return Outcome(
            part.split,
            part.shards[0],
            num_rows,
            labels,
            intake.num_quarantined,
            intake.kinds,
            intake.notes,
            intake.columns,
        )


def learned_of(part: Part, learned: Sequence[Outcome]) -> list[Any]:
    """Return what was learned of all parts of a part's split, in their order: what is found out may depend on it.

    Raises:
        BaseException: What stopped the learning of one.
    """
    ordered = sorted(learned, key=lambda each: (each.split, each.first_shard))
    for one in ordered:
        if one.error is not None:
            raise one.error
    return [one.learned for one in ordered if one.split == part.split]


def _write(
    read: Iterator[Rows], index: int, part: Part, output: Output, progress: Progress
) -> tuple[dict[str, int], LabelCounts | None]:
    """Write a part's shards; return the number of rows in each split, and of each class."""
    splits = output.partition.splits
    files = [
        SplitFiles(output.folders[name], part.shards, part.num_shards, output.is_parquet) for name in splits
    ]
    labels = LabelCounter(splits) if output.counts_labels else None
    chooser = output.partition.chooser(index)
    failure: BaseException | None = None
    try:
        for rows in prefetched(_encoded(read, output, chooser)):
            chosen = chooser.choose(rows)
            if len(files) == 1 and not (chosen < 0).any():
                files[0].write(rows, np.arange(rows.num_rows))
            else:
                for position, split_files in enumerate(files):
                    split_files.write(rows, np.flatnonzero(chosen == position))
            if labels is not None:
                labels.add(rows, chosen)
            progress.add_rows(rows.num_rows)
        chooser.check_end()
    except BaseException as error:
        failure = error
        raise
    finally:
        for split_files in files:
            split_files.close(failure)
    num_rows = {name: split_files.num_rows for name, split_files in zip(splits, files)}
    return num_rows, None if labels is None else labels.counts()


def _encoded(read: Iterator[Rows], output: Output, chooser: Chooser) -> Iterator[Rows]:
    """Serialize the rows where they are read, which is in the other thread."""
    dropped = output.partition.dropped
    for rows in read:
        chooser.look(rows)
        if dropped:
            rows = rows.without(dropped)
        if not output.is_parquet:
            rows.records()
        yield rows
