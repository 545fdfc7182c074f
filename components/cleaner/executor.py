"""Cleans examples in two passes: digests and faults of each row, then each file again without the rows that go."""

from __future__ import annotations

import logging
import os
import tempfile

import apache_beam as beam

from headrace.components.cleaner import decision as decisions
from headrace.components.cleaner import request as requests
from headrace.components.cleaner import scan, writing
from headrace.components.cleaner.component import EXAMPLES
from headrace.components.cleaner.decision import Decision
from headrace.components.cleaner.request import Request
from headrace.components.cleaner.scan import PartScan, ScanPart
from headrace.components.cleaner.writing import Places, WritePart
from headrace.errors import DataError, ExecutorError, HeadraceError
from headrace.files import remove_folder
from headrace.formats import artifacts, cleaning_reports
from headrace.formats.cleaning_reports import CleaningReport
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread

# A page with the pictures of all rows would hold the data set.
_MAX_THUMBNAILS = 200

_log = logging.getLogger(__name__)


class Executor(BeamExecutor):
    """Cleans examples; see `headrace.components.cleaner.component.Cleaner`."""

    def execute(self, context: ExecutionContext) -> None:
        """Write the splits, the report and what is in quarantine.

        Raises:
            DefinitionError: If a parameter is malformed, or names a feature that there is not.
            UnknownSplitError: If the examples have no split.
            EmptyDataError: If a split has no file.
            MalformedFileError: If a file is damaged.
            DataError: If no row would stay.
        """
        context.progress.report("looking at the features")
        request = requests.read(context)
        os.makedirs(context.tmp_path, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="cleaning-", dir=context.tmp_path)
        scans = self._scan(context, request, folder)
        context.progress.report("comparing rows")
        decision = decisions.decide(request, scans, folder)
        rows_in = decisions.rows_by_split(request, [one.num_rows for one in scans])
        _check_rows_stay(context, request, decision, folder)
        converted = {name: types for one in scans for name, types in one.converted.items()}
        rows_out = self._write(context, request, decision, folder, bool(converted))
        report = CleaningReport(
            rows_in=rows_in,
            rows_out=rows_out,
            counts=decisions.counts(request, decision),
            looked_for=request.actions,
            compared=request.words,
            remarks=_remarks(converted),
        )
        _check_sums(context, report)
        pieces = [writing.rows_path(folder, part) for part in request.parts]
        cleaning_reports.write(context.output("report").uri, report, pieces)
        remove_folder(folder, is_tried=True)
        _publish(context, request, report)

    def _scan(self, context: ExecutionContext, request: Request, folder: str) -> list[PartScan]:
        stage = f"{context.node_id}: Beam stage 'Scan'"
        results: SharedFolder[PartScan] = SharedFolder.make(context.tmp_path, stage, len(request.parts))
        look = ScanPart(request, folder, results, context.progress)
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            _ = (
                pipeline
                | "Parts" >> beam.Create(request.parts, reshuffle=len(request.parts) > 1)
                | "Scan" >> beam.ParDo(Spread(look, context.side_processes))
            )
        scans = list(results.read())
        for found in scans:
            if found.error is not None:
                raise _named(found.error, context.node_id)
        return scans

    def _write(
        self, context: ExecutionContext, request: Request, decision: Decision, folder: str, converts: bool
    ) -> dict[str, int]:
        """Write all parts; return the rows of each split."""
        uris = (context.output(EXAMPLES).uri, context.output("report").uri)
        for split in request.splits:
            os.makedirs(artifacts.new_split_folder(uris[0], split), exist_ok=True)
        stage = f"{context.node_id}: Beam stage 'Write'"
        results: SharedFolder[int | BaseException] = SharedFolder.make(
            context.tmp_path, stage, len(request.parts)
        )
        last = writing.last_thumbnail(decision, _MAX_THUMBNAILS)
        write = WritePart(request, uris, folder, converts, last, results, context.progress)
        places = _places(request, decision)
        work = [(part, decision.of_part(part.index), places) for part in request.parts]
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            _ = (
                pipeline
                | "Parts" >> beam.Create(work, reshuffle=len(work) > 1)
                | "Write" >> beam.ParDo(Spread(write, context.side_processes))
            )
        numbers: list[int] = []
        for done in results.read():
            if isinstance(done, BaseException):
                raise _named(done, context.node_id)
            numbers.append(done)
        return dict(decisions.rows_by_split(request, numbers))


def _places(request: Request, decision: Decision) -> Places:
    firsts = {part.split: int(decision.starts[part.index]) for part in reversed(request.parts)}
    return Places(request.splits, [firsts[split] for split in request.splits])


def _check_rows_stay(context: ExecutionContext, request: Request, decision: Decision, folder: str) -> None:
    """Refuse to remove all rows: that is a fault of what was asked for, not of each row.

    Raises:
        DataError: If no row would stay.
    """
    total = len(decision.action)
    if not total or not decision.action.all():
        return
    counted = decisions.counts(request, decision)
    numbers = {one.reason: 0 for one in counted}
    for one in counted:
        numbers[one.reason] += one.dropped + one.quarantined
    said = ", ".join(f"{number:,} {reason}" for reason, number in numbers.items() if number)
    faults = ((part, *fault) for part in request.parts for fault in scan.read_faults(folder, part))
    part, row, words = next(faults, (None, 0, {}))
    example = f" Its row {row + 1}: {'; '.join(words.values())}." if part is not None else ""
    raise DataError(
        f"{context.node_id}: none of the {total:,} rows would stay: {said}.{example}",
        'correct the schema or the parameters, or say "keep" to see what is found.',
    )


def _remarks(converted: dict[str, str]) -> list[str]:
    return [
        f"feature '{name}' converted from {types}, as the schema says"
        for name, types in sorted(converted.items())
    ]


def _check_sums(context: ExecutionContext, report: CleaningReport) -> None:
    """See that no row is lost.

    Raises:
        ExecutorError: If the rows that were written and those that were removed are not those that came.
    """
    removed = dict.fromkeys(report.rows_in, 0)
    for count in report.counts:
        removed[count.split] += count.dropped + count.quarantined
    for split, number in report.rows_in.items():
        if number != report.rows_out[split] + removed[split]:
            raise ExecutorError(
                f"{context.node_id}: split '{split}' had {number:,} rows, and {report.rows_out[split]:,} were written "
                f"and {removed[split]:,} removed: a file was changed in the meantime.",
                "run the node again.",
            )


def _publish(context: ExecutionContext, request: Request, report: CleaningReport) -> None:
    """Set the properties of the outputs: last, as an artifact must not name what was never written."""
    given, examples = context.input("examples"), context.output(EXAMPLES)
    examples.split_names = artifacts.encode_split_names(request.splits)
    examples.span, examples.version = artifacts.span_of(given), given.version
    examples.set_string_custom_property(artifacts.PAYLOAD_FORMAT_PROPERTY, artifacts.payload_format(given))
    # TFX says so of Parquet files too, and its readers refuse another word.
    examples.set_string_custom_property(artifacts.FILE_FORMAT_PROPERTY, "tfrecords_gzip")
    for remark in report.remarks:
        _log.warning("%s: %s.", context.node_id, remark)
    rows = ", ".join(f"{split} {number:,} rows" for split, number in report.rows_out.items())
    context.summarize(EXAMPLES, f"{rows}; {report.num_removed:,} removed")
    context.summarize("report", "; ".join([cleaning_reports.summary(report), *report.remarks]))
    empty = [split for split, number in report.rows_out.items() if not number and report.rows_in[split]]
    if empty:
        _log.warning("%s: no row is left in %s.", context.node_id, ", ".join(empty))


def _named(error: BaseException, node_id: str) -> BaseException:
    """Return the error with the node in front."""
    if isinstance(error, HeadraceError):
        return type(error)(f"{node_id}: {error.problem}", error.fix)
    return error
