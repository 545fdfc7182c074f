"""The executor that the ExampleGen components share: read parts, divide rows into splits, write shards."""

from __future__ import annotations

import abc
import logging
import os
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from tfx.proto import example_gen_pb2

from headrace.authoring import Artifact
from headrace.components.example_gen.dividing import (
    GATHERED,
    Gathered,
    ReadKeys,
    as_partition,
    in_words_of,
    place_divided,
    record,
    with_divided,
)
from headrace.components.example_gen.writing import Learn, Outcome, Output, WriteSplits, Written, combined
from headrace.errors import DataError, EmptyDataError, HeadraceError
from headrace.files import payloads, remove_folder
from headrace.formats import artifacts, columns, quarantine
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread
from headrace.sources import feature_kinds, split_folders
from headrace.sources.division.division import Division, divide
from headrace.sources.intake import FAIL
from headrace.sources.reading import Part, Reader, parts
from headrace.sources.source import Request, Source, Survey, with_node
from headrace.sources.splits import AnyPartition, partition_of, partitions
from headrace.splits.asked import Asked, recorded

_log = logging.getLogger(__name__)


class ExampleGenExecutor(BeamExecutor):
    """Base of the executors; a subclass says what is read."""

    @abc.abstractmethod
    def source(self, context: ExecutionContext) -> Source:
        """Return what is read."""

    def execute(self, context: ExecutionContext) -> None:
        """Write the splits; on an error, leave nothing of them."""
        source = self.source(context)
        payload = int(context.parameter("output_data_format", 0)) or example_gen_pb2.FORMAT_TF_EXAMPLE
        reader = source.reader(payload)
        try:
            self._make(context, source, reader, payload)
        except DataError as error:
            wider = reader.widened() if feature_kinds.is_of_numbers(error) else None
            if wider is None:
                raise
            _log.warning("%s All is read again, with floats there.", error.problem)
            self._make(context, source, wider, payload)

    def _make(self, context: ExecutionContext, source: Source, reader: Reader, payload: int) -> None:
        input_config = context.proto_parameter("input_config", example_gen_pb2.Input)
        output_config = context.proto_parameter("output_config", example_gen_pb2.Output)
        asked = recorded(context.parameters)
        divided: Sequence[AnyPartition] = partitions(input_config, output_config)
        examples = context.output("examples")
        sets_aside = own_options(context).get("on_error", FAIL) != FAIL
        # What is removed on an error: nothing that was there before.
        made: list[str] = []
        try:
            context.progress.report("looking at the input")
            survey, work, remarks = self._plan(context, input_config, source, reader)
            division, learned = None, None
            place = place_divided(asked, survey, context.node_id)
            # A division is of the first parts.
            work.sort(key=lambda part: part.split != place)
            if asked is not None and asked.way.kind in GATHERED:
                rows = [part for part in work if part.split == place]
                division, learned = self._divide(context, rows, reader, asked, source, survey)
                divided = with_divided(divided, place, self._partition(context, division, asked))
                if len(rows) < len(work):
                    # What the others hold has its say in what is known of all.
                    learned = None
            elif asked is not None and len(divided) > 1 and asked.way.kind == "hash":
                divided = with_divided(divided, place, partition_of(asked.shares, asked.way.feature))
            splits = [name for partition in divided for name in partition.splits]
            folders = {name: artifacts.new_split_folder(examples.uri, name) for name in splits}
            aside_uri = examples.uri if sets_aside else ""
            _make_folders([*folders.values(), *([quarantine.folder(aside_uri)] if aside_uri else [])], made)
            is_parquet = payload == example_gen_pb2.FORMAT_PARQUET
            # The way that divided by a class or group has counted them.
            counts_labels = asked is not None and (division is None or division.classes is None)
            outputs = [
                Output(partition, folders, is_parquet, split.name, aside_uri, counts_labels)
                for partition, split in zip(divided, survey.splits)
            ]
            written = self._run(context, work, outputs, reader, learned)
            _check_unchanged(context, source, survey)
            remarks = [*_check_not_empty(context.node_id, source, survey, divided, written), *remarks]
            if sets_aside and not written.num_quarantined:
                remove_folder(quarantine.folder(examples.uri))
            said = [] if asked is None else record(examples.uri, asked, division, written)
        except BaseException:
            for folder in made:
                remove_folder(folder, is_tried=True)
            raise

        # Set last: an artifact must not name a split whose files were never written.
        _describe(examples, splits, payload)
        changes = columns.record(examples, written.columns) if written.columns else []
        remarks = [*_of_columns(changes), *remarks]
        counts = ", ".join(f"{name} {written.num_rows[name]:,} rows" for name in splits)
        aside = [f"{written.num_quarantined:,} unreadable in quarantine"] if written.num_quarantined else []
        noted = [", ".join(f"{what}: {count:,}" for what, count in written.notes.items())]
        context.summarize(
            "examples", "; ".join(filter(None, [counts, *aside, *noted, *said, *_said(remarks)]))
        )

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
            asked = recorded(context.parameters)
            if asked is not None and asked.way.kind == "folders":
                aside = split_folders.beside(context.parameter("input_base", ""), input_config.splits)
                remarks += [aside] if aside else []
        except HeadraceError as error:
            raise with_node(error, context.node_id) from error.__cause__
        return survey, work, list(dict.fromkeys(remarks))

    def _divide(
        self,
        context: ExecutionContext,
        work: Sequence[Part],
        reader: Reader,
        asked: Asked,
        source: Source,
        survey: Survey,
    ) -> tuple[Division, list[Outcome]]:
        """Look at all rows and decide the split of each; return that, and what was learned of the parts."""
        stage = f"{context.node_id}: Beam stage 'ReadKeys'"
        results: SharedFolder[Gathered] = SharedFolder.make(context.tmp_path, stage, len(work))
        sets_aside = own_options(context).get("on_error", FAIL) != FAIL
        step = ReadKeys(reader, asked.way, results, context.progress, sets_aside=sets_aside)
        self._for_each_part(context, work, reader, "ReadKeys", step, None)
        gathered = list(results.read())
        try:
            for one in gathered:
                if one.error is not None:
                    raise one.error
            keys = [one.keys for one in gathered if one.keys is not None]
            if not any(part.num_rows or part.fault for part in keys):
                raise EmptyDataError(
                    f"{source.no_rows(survey.splits, survey.place)}.",
                    f"give {source.ITEMS} with at least one row.",
                )
            return divide(keys, asked.way, asked.shares), list(gathered[0].learned)
        except HeadraceError as error:
            raise with_node(error, context.node_id) from error.__cause__

    def _partition(self, context: ExecutionContext, division: Division, asked: Asked) -> AnyPartition:
        """Return the partition of a division."""
        stage = f"{context.node_id}: the division of rows"
        return as_partition(
            division, asked.way, SharedFolder.make(context.tmp_path, stage, len(division.chosen))
        )

    def _run(
        self,
        context: ExecutionContext,
        work: Sequence[Part],
        outputs: Sequence[Output],
        reader: Reader,
        learned: Sequence[Outcome] | None,
    ) -> Written:
        """Run the Beam pipeline; return what was written. Where `learned` is given, the parts were looked at before."""
        stage = f"{context.node_id}: Beam stage 'WriteSplits'"
        results: SharedFolder[Outcome] = SharedFolder.make(context.tmp_path, stage, len(work))
        step = WriteSplits(reader, outputs, results, context.progress)
        self._for_each_part(context, work, reader, "WriteSplits", step, learned)
        outcomes = list(results.read())
        try:
            return combined(outcomes, outputs)
        except HeadraceError as error:
            told = in_words_of(recorded(context.parameters), error)
            raise with_node(told, context.node_id) from error.__cause__

    def _for_each_part(
        self,
        context: ExecutionContext,
        work: Sequence[Part],
        reader: Reader,
        label: str,
        step: beam.DoFn,
        known: Sequence[Outcome] | None,
    ) -> None:
        """Run a step for each part, given what is learned of all of them; `known` where that was learned before."""
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            todo = pipeline | "Parts" >> beam.Create(list(enumerate(work)), reshuffle=len(work) > 1)
            if known is None and reader.needs_learning:
                learned = (
                    todo
                    | "Learn" >> beam.ParDo(Spread(Learn(reader, context.progress), context.side_processes))
                    | "Learned" >> beam.combiners.ToList()
                )
            else:
                learned = pipeline | "KnownBefore" >> beam.Create([list(known or ())])
            _ = todo | label >> beam.ParDo(
                Spread(step, context.side_processes), beam.pvalue.AsSingleton(learned)
            )


def _make_folders(paths: Sequence[str], made: list[str]) -> None:
    """Make the folders that are missing, and add each to `made`."""
    for path in paths:
        if not os.path.isdir(path):
            os.makedirs(path)
            made.append(path)


def _describe(examples: Artifact, splits: Sequence[str], payload: int) -> None:
    """Set the properties by which readers know splits and files."""
    examples.split_names = artifacts.encode_split_names(splits)
    examples.set_string_custom_property(
        artifacts.PAYLOAD_FORMAT_PROPERTY, example_gen_pb2.PayloadFormat.Name(payload)
    )
    # TFX says so of Parquet files too, and its readers refuse another word.
    examples.set_string_custom_property(artifacts.FILE_FORMAT_PROPERTY, "tfrecords_gzip")


def _check_not_empty(
    node_id: str, source: Source, survey: Survey, divided: Sequence[AnyPartition], written: Written
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


def _of_columns(changes: Sequence[str]) -> list[str]:
    """Say what changed in the columns since the run before, in one remark."""
    return [f"since the run before, {'; '.join(changes)}"] if changes else []


def _said(remarks: Sequence[str]) -> list[str]:
    """Write remarks into the node's log; return what the line of the run says of them: the first."""
    for remark in remarks:
        _log.warning("%s", remark)
    more = f" (and {len(remarks) - 1} more: see the log)" if len(remarks) > 1 else ""
    return [f"note: {remarks[0]}{more}"] if remarks else []


def own_options(context: ExecutionContext) -> dict[str, Any]:
    """Return the options of Headrace's in custom_config, such as `num_shards`; other users of that slot are left alone."""
    options = context.json_parameter("custom_config", {}) if context.parameter("custom_config") else {}
    value = options.get("custom_config", options.get("customConfig", {})).get("value")
    return value if isinstance(value, dict) else {}
