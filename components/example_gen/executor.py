"""The executor that the ExampleGen components share: read parts, divide rows into splits, write shards."""

from __future__ import annotations

import abc
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
from tfx.proto import example_gen_pb2

from headrace.errors import DataError, EmptyDataError, HeadraceError, listed
from headrace.files import addresses, payloads, remove_folder
from headrace.files.prefetch import prefetched
from headrace.formats import artifacts
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread
from headrace.sources import input_files
from headrace.sources.rows import Rows, SplitFiles
from headrace.sources.source import Part, Source, parts
from headrace.sources.splits import Partition, partitions

_NUM_SHARDS = "num_shards"


@dataclass(frozen=True)
class Outcome:
    """What became of one part.

    Errors are values here: Beam's runners replace an exception by the text of its traceback, and a worker
    that raises stops the others in the middle of a file.
    """

    split: int
    first_shard: int
    num_rows: dict[str, int] = field(default_factory=dict)
    survey: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Output:
    """Where one input split's rows go.

    Attributes:
        partition: The splits.
        folders: The folder of each split.
        is_parquet: Whether to write Parquet; else TFRecord.
    """

    partition: Partition
    folders: dict[str, str]
    is_parquet: bool


class ExampleGenExecutor(BeamExecutor):
    """Base of the executors; a subclass names the file format."""

    @abc.abstractmethod
    def source(self, payload_format: int) -> Source:
        """Return the format of the input, for a payload of `example_gen_pb2.PayloadFormat`."""

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
        # What is removed on an error: nothing that was there before.
        made: list[str] = []
        try:
            context.progress.report("looking at the input files")
            work, remarks, read = self._plan(context, input_config, self.source(payload))
            for folder in folders.values():
                if not os.path.isdir(folder):
                    os.makedirs(folder)
                    made.append(folder)
            outputs = [Output(partition, folders, is_parquet) for partition in divided]
            num_rows = self._run(context, work, outputs, self.source(payload))
            _check_unchanged(context, read)
            empty = [
                split.pattern
                for split, partition in zip(input_config.splits, divided)
                if not sum(num_rows[name] for name in partition.splits)
            ]
            if len(empty) == len(divided):
                raise EmptyDataError(
                    f"{context.node_id}: the files that match {listed(empty)} in "
                    f"'{context.parameter('input_base')}' hold no rows.",
                    "give files with at least one row.",
                )
            if empty:
                # A day without a row to evaluate is no reason to stop the others.
                remarks = [f"the files that match {listed(empty)} hold no rows", *remarks]
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
        counts = ", ".join(f"{name} {num_rows[name]:,} rows" for name in splits)
        context.summarize("examples", "; ".join([counts, *_said(remarks)]))

    def _plan(
        self, context: ExecutionContext, input_config: Any, source: Source
    ) -> tuple[list[Part], list[str], list[tuple[str, list[str]]]]:
        """Return the parts of all input splits, what is to be said of their files, and the files of each split."""
        num_shards = _num_shards(context)
        work: list[Part] = []
        remarks: list[str] = []
        read: list[tuple[str, list[str]]] = []
        try:
            for index, split in enumerate(input_config.splits):
                paths = input_files.find(context.parameter("input_base", ""), split.pattern)
                read.append((split.name, paths))
                work += parts(index, source, paths, num_shards)
                remarks += source.remarks(paths)
        except HeadraceError as error:
            raise _named(error, context.node_id) from error.__cause__
        return work, list(dict.fromkeys(remarks)), read

    def _run(
        self, context: ExecutionContext, work: Sequence[Part], outputs: Sequence[Output], source: Source
    ) -> dict[str, int]:
        """Run the Beam pipeline; return the number of rows of each split."""
        stage = f"{context.node_id}: Beam stage 'WriteSplits'"
        results: SharedFolder[Outcome] = SharedFolder.make(context.tmp_path, stage, len(work))
        write = _WriteSplits(source, outputs, results, context.progress)
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            todo = pipeline | "Parts" >> beam.Create(list(enumerate(work)), reshuffle=len(work) > 1)
            surveys = pipeline | "NoSurveys" >> beam.Create([[]])
            if source.needs_survey:
                surveys = (
                    todo
                    | "Survey"
                    >> beam.ParDo(Spread(_Survey(source, context.progress), context.side_processes))
                    | "Surveys" >> beam.combiners.ToList()
                )
            _ = todo | "WriteSplits" >> beam.ParDo(
                Spread(write, context.side_processes), beam.pvalue.AsSingleton(surveys)
            )
        outcomes = list(results.read())
        for outcome in outcomes:
            if isinstance(outcome.error, HeadraceError):
                raise _named(outcome.error, context.node_id)
            if outcome.error is not None:
                raise outcome.error
        num_rows: dict[str, int] = {name: 0 for output in outputs for name in output.partition.splits}
        for outcome in outcomes:
            for name, count in outcome.num_rows.items():
                num_rows[name] += count
        return num_rows


def _check_unchanged(context: ExecutionContext, read: Sequence[tuple[str, list[str]]]) -> None:
    """Refuse files elsewhere that changed since the driver looked, or are others: the result is filed under what it saw.

    Args:
        context: The execution.
        read: The files that were read of each split.

    Raises:
        DataError: If they did.
    """
    input_base = str(context.parameter("input_base", ""))
    seen = str(context.parameter("input_fingerprint", ""))
    if not seen or payloads.is_unknown(seen) or not addresses.is_elsewhere(input_base):
        return
    if "\n".join(input_files.fingerprint(split, paths) for split, paths in read) != seen:
        raise DataError(
            f"{context.node_id}: the files in '{input_base}' changed while they were read.",
            "resume when nobody writes there.",
        )


class _Survey(beam.DoFn):
    """Looks at a part before any part is read."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    def setup(self) -> None:
        self._progress.report("finding the column types")

    def process(self, element: tuple[int, Part]) -> Iterator[Outcome]:
        _, part = element
        try:
            yield Outcome(part.split, part.shards[0], survey=self._source.survey(part.pieces))
        except (HeadraceError, OSError) as error:
            yield Outcome(part.split, part.shards[0], error=error)


class _WriteSplits(beam.DoFn):
    """Reads a part and writes its shards of each split."""

    def __init__(
        self, source: Source, outputs: Sequence[Output], results: SharedFolder[Outcome], progress: Progress
    ) -> None:
        self._results = results
        self._source = source
        self._progress = progress
        self._outputs = outputs

    def setup(self) -> None:
        # Not for each part: a report starts the count of rows anew.
        self._progress.report("writing examples")

    def process(self, element: tuple[int, Part], surveys: Sequence[Outcome]) -> None:
        index, part = element
        self._results.keep(index, self._outcome(part, surveys))

    def _outcome(self, part: Part, surveys: Sequence[Outcome]) -> Outcome:
        # In the order of the parts: what is found out may depend on it.
        surveys = sorted(surveys, key=lambda each: (each.split, each.first_shard))
        for survey in surveys:
            if survey.error is not None:
                return survey
        output = self._outputs[part.split]
        known = [survey.survey for survey in surveys if survey.split == part.split]
        try:
            num_rows = _write(self._source, part, known, output, self._progress)
        except (HeadraceError, OSError) as error:
            return Outcome(part.split, part.shards[0], error=error)
        return Outcome(part.split, part.shards[0], num_rows)


def _write(
    source: Source, part: Part, surveys: Sequence[Any], output: Output, progress: Progress
) -> dict[str, int]:
    """Write a part's shards; return the number of rows in each split."""
    partition = output.partition
    files = [
        SplitFiles(output.folders[name], part.shards, part.num_shards, output.is_parquet)
        for name in partition.splits
    ]
    failure: BaseException | None = None
    try:
        for rows in prefetched(_encoded(source.read(part.pieces, surveys), output)):
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


def _named(error: HeadraceError, node_id: str) -> HeadraceError:
    """Return the error with the node in front."""
    return type(error)(f"{node_id}: {error.problem}", error.fix)


def _num_shards(context: ExecutionContext) -> int | None:
    """Return `num_shards` of custom_config; other users of that slot are left alone."""
    options = context.json_parameter("custom_config", {}) if context.parameter("custom_config") else {}
    value = options.get("custom_config", options.get("customConfig", {})).get("value")
    number = value.get(_NUM_SHARDS) if isinstance(value, dict) else None
    return None if number is None else int(number)
