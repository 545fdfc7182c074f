"""The executor that the ExampleGen components share: read parts, divide rows into splits, write shards."""

from __future__ import annotations

import abc
import collections
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
from tfx.proto import example_gen_pb2

from headrace.errors import DataError, EmptyDataError, HeadraceError
from headrace.files import payloads, remove_folder
from headrace.files.prefetch import prefetched
from headrace.formats import artifacts, quarantine
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread
from headrace.sources import feature_kinds
from headrace.sources.feature_kinds import Kind
from headrace.sources.intake import FAIL, Intake
from headrace.sources.reading import Part, Reader, parts
from headrace.sources.rows import Rows, SplitFiles
from headrace.sources.source import Request, Source, Survey, with_node
from headrace.sources.splits import Partition, partitions


@dataclass(frozen=True)
class Outcome:
    """What became of one part.

    Errors are values here: Beam's runners replace an exception by the text of its traceback, and a worker
    that raises stops the others in the middle of a file.
    """

    split: int
    first_shard: int
    num_rows: dict[str, int] = field(default_factory=dict)
    num_quarantined: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
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
    """

    partition: Partition
    folders: dict[str, str]
    is_parquet: bool
    split: str = ""
    quarantine_uri: str = ""

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
        notes: What readers met that a person should know of, and how often.
    """

    num_rows: dict[str, int]
    num_quarantined: int
    notes: Mapping[str, int] = field(default_factory=dict)


class ExampleGenExecutor(BeamExecutor):
    """Base of the executors; a subclass says what is read."""

    @abc.abstractmethod
    def source(self, context: ExecutionContext) -> Source:
        """Return what is read."""

    def execute(self, context: ExecutionContext) -> None:
        """Write the splits; on an error, leave nothing of them."""
        input_config = context.proto_parameter("input_config", example_gen_pb2.Input)
        output_config = context.proto_parameter("output_config", example_gen_pb2.Output)
        divided = partitions(input_config, output_config)
        splits = [name for partition in divided for name in partition.splits]
        payload = int(context.parameter("output_data_format", 0)) or example_gen_pb2.FORMAT_TF_EXAMPLE
        examples = context.output("examples")
        folders = {name: artifacts.new_split_folder(examples.uri, name) for name in splits}
        is_parquet = payload == example_gen_pb2.FORMAT_PARQUET
        sets_aside = own_options(context).get("on_error", FAIL) != FAIL
        # What is removed on an error: nothing that was there before.
        made: list[str] = []
        try:
            context.progress.report("looking at the input")
            source = self.source(context)
            reader = source.reader(payload)
            survey, work, remarks = self._plan(context, input_config, source, reader)
            for folder in [*folders.values(), *([quarantine.folder(examples.uri)] if sets_aside else [])]:
                if not os.path.isdir(folder):
                    os.makedirs(folder)
                    made.append(folder)
            outputs = [
                Output(partition, folders, is_parquet, split.name, examples.uri if sets_aside else "")
                for partition, split in zip(divided, survey.splits)
            ]
            written = self._run(context, work, outputs, reader)
            _check_unchanged(context, source, survey)
            remarks = [*_check_not_empty(context.node_id, source, survey, divided, written), *remarks]
            if sets_aside and not written.num_quarantined:
                remove_folder(quarantine.folder(examples.uri))
        except BaseException:
            for folder in made:
                remove_folder(folder, is_tried=True)
            raise

        # Set last: an artifact must not name a split whose files were never written.
        examples.split_names = artifacts.encode_split_names(splits)
        examples.set_string_custom_property(
            artifacts.PAYLOAD_FORMAT_PROPERTY, example_gen_pb2.PayloadFormat.Name(payload)
        )
        # TFX says so of Parquet files too, and its readers refuse another word.
        examples.set_string_custom_property(artifacts.FILE_FORMAT_PROPERTY, "tfrecords_gzip")
        counts = ", ".join(f"{name} {written.num_rows[name]:,} rows" for name in splits)
        aside = [f"{written.num_quarantined:,} unreadable in quarantine"] if written.num_quarantined else []
        noted = [", ".join(f"{what}: {count:,}" for what, count in written.notes.items())]
        context.summarize("examples", "; ".join(filter(None, [counts, *aside, *noted, *_said(remarks)])))

    def _plan(
        self, context: ExecutionContext, input_config: Any, source: Source, reader: Reader
    ) -> tuple[Survey, list[Part], list[str]]:
        """Return what there is, the parts of all input splits, and what is to be said of them."""
        num_shards = own_options(context).get("num_shards")
        work: list[Part] = []
        remarks: list[str] = []
        try:
            survey = source.survey(Request(context.parameter("input_base", ""), input_config.splits))
            for index, split in enumerate(survey.splits):
                work += parts(index, reader, split.items, None if num_shards is None else int(num_shards))
                remarks += reader.remarks(split.items)
        except HeadraceError as error:
            raise with_node(error, context.node_id) from error.__cause__
        return survey, work, list(dict.fromkeys(remarks))

    def _run(
        self, context: ExecutionContext, work: Sequence[Part], outputs: Sequence[Output], reader: Reader
    ) -> Written:
        """Run the Beam pipeline; return what was written."""
        stage = f"{context.node_id}: Beam stage 'WriteSplits'"
        results: SharedFolder[Outcome] = SharedFolder.make(context.tmp_path, stage, len(work))
        write = _WriteSplits(reader, outputs, results, context.progress)
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            todo = pipeline | "Parts" >> beam.Create(list(enumerate(work)), reshuffle=len(work) > 1)
            learned = pipeline | "NothingLearned" >> beam.Create([[]])
            if reader.needs_learning:
                learned = (
                    todo
                    | "Learn" >> beam.ParDo(Spread(_Learn(reader, context.progress), context.side_processes))
                    | "Learned" >> beam.combiners.ToList()
                )
            _ = todo | "WriteSplits" >> beam.ParDo(
                Spread(write, context.side_processes), beam.pvalue.AsSingleton(learned)
            )
        outcomes = list(results.read())
        try:
            return _combined(outcomes, outputs)
        except HeadraceError as error:
            raise with_node(error, context.node_id) from error.__cause__


def _combined(outcomes: Sequence[Outcome], outputs: Sequence[Output]) -> Written:
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
    for outcome in outcomes:
        notes.update(outcome.notes)
    return Written(num_rows, sum(outcome.num_quarantined for outcome in outcomes), notes)


def _check_not_empty(
    node_id: str, source: Source, survey: Survey, divided: Sequence[Partition], written: Written
) -> list[str]:
    """Return a remark on input splits without rows.

    Raises:
        EmptyDataError: If none has any.
    """
    empty = [
        split
        for split, partition in zip(survey.splits, divided)
        if not sum(written.num_rows[name] for name in partition.splits)
    ]
    if len(empty) == len(divided):
        aside = (
            f": what they hold could not be read, {written.num_quarantined:,} times"
            if written.num_quarantined
            else ""
        )
        raise EmptyDataError(
            f"{node_id}: {source.no_rows(empty, survey.place)}{aside}.",
            f"give {source.ITEMS} with at least one row.",
        )
    # A day without a row to evaluate is no reason to stop the others.
    return [source.no_rows(empty)] if empty else []


def _check_unchanged(context: ExecutionContext, source: Source, survey: Survey) -> None:
    """Refuse input that changed since the driver looked, or is other: the result is filed under what it saw.

    Raises:
        DataError: If it did.
    """
    seen = str(context.parameter("input_fingerprint", ""))
    watched = source.watched(survey)
    if not seen or payloads.is_unknown(seen) or not watched:
        return
    if source.fingerprint(survey) != seen:
        raise DataError(
            f"{context.node_id}: {watched} changed while they were read.",
            "resume when nobody writes there.",
        )


class _Learn(beam.DoFn):
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


class _WriteSplits(beam.DoFn):
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
        self._results.keep(index, self._outcome(part, learned))

    def _outcome(self, part: Part, learned: Sequence[Outcome]) -> Outcome:
        # In the order of the parts: what is found out may depend on it.
        learned = sorted(learned, key=lambda each: (each.split, each.first_shard))
        for one in learned:
            if one.error is not None:
                return one
        output = self._outputs[part.split]
        known = [one.learned for one in learned if one.split == part.split]
        try:
            with output.intake(part) as intake:
                rows = intake.rows(self._reader.read(part.pieces, known))
                num_rows = _write(rows, part, output, self._progress)
        except (HeadraceError, OSError) as error:
            return Outcome(part.split, part.shards[0], error=error)
        return Outcome(
            part.split, part.shards[0], num_rows, intake.num_quarantined, intake.kinds, intake.notes
        )


def _write(read: Iterator[Rows], part: Part, output: Output, progress: Progress) -> dict[str, int]:
    """Write a part's shards; return the number of rows in each split."""
    partition = output.partition
    files = [
        SplitFiles(output.folders[name], part.shards, part.num_shards, output.is_parquet)
        for name in partition.splits
    ]
    failure: BaseException | None = None
    try:
        for rows in prefetched(_encoded(read, output)):
            if not partition.bounds:
                files[0].write(rows, np.arange(rows.num_rows))
            else:
                chosen = partition.assign(rows.keys(partition.feature))
                for position, split_files in enumerate(files):
                    split_files.write(rows, np.flatnonzero(chosen == position))
            progress.add_rows(rows.num_rows)
    except BaseException as error:
        failure = error
        raise
    finally:
        for split_files in files:
            split_files.close(failure)
    return {name: split_files.num_rows for name, split_files in zip(partition.splits, files)}


def _encoded(read: Iterator[Rows], output: Output) -> Iterator[Rows]:
    """Serialize the rows where they are read, which is in the other thread."""
    for rows in read:
        if not output.is_parquet:
            rows.records()
        yield rows


def _said(remarks: Sequence[str]) -> list[str]:
    """Write remarks into the node's log; return what the line of the run says of them: the first."""
    for remark in remarks:
        logging.getLogger(__name__).warning("%s", remark)
    more = f" (and {len(remarks) - 1} more: see the log)" if len(remarks) > 1 else ""
    return [f"note: {remarks[0]}{more}"] if remarks else []


def own_options(context: ExecutionContext) -> dict[str, Any]:
    """Return the options of Headrace's in custom_config, such as `num_shards`; other users of that slot are left alone."""
    options = context.json_parameter("custom_config", {}) if context.parameter("custom_config") else {}
    value = options.get("custom_config", options.get("customConfig", {})).get("value")
    return value if isinstance(value, dict) else {}
