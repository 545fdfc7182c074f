"""The second pass: each file again, without the rows that go; these into quarantine, all that was found into a list."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.cleaner import scan
from headrace.components.cleaner.decision import CODES, Decision, Found
from headrace.components.cleaner.request import Request
from headrace.errors import HeadraceError
from headrace.files import copy_file, create_text
from headrace.formats import artifacts, cleaning_reports
from headrace.formats.cleaning_reports import CONFLICT, DUPLICATE, KEEP, QUARANTINE, FoundRow
from headrace.formats.examples import example_encoder, example_writer, tfrecord
from headrace.formats.examples.example_decoder import ExampleDecoder
from headrace.formats.examples.example_writer import SplitWriter
from headrace.formats.samples import Sample
from headrace.quality import parts, row_samples
from headrace.quality.groups import NONE
from headrace.quality.parts import Part
from headrace.quality.schema_rows import SchemaRows
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder

_ACTIONS = {code: action for action, code in CODES.items()}


class WritePart(beam.DoFn):
    """Writes what becomes of a part.

    Args:
        request: What was asked for.
        decision: What was decided, of all parts: a worker gets that of its part alone.
        uris: The folders of the two outputs, the examples and the report.
        folder: Where the words on faults are, and the list of rows goes.
        last_thumbnail: The number of the last row, over all, that is shown with its picture.
        results: Where each part says how many rows it wrote.
        progress: Who is told.
    """

    def __init__(
        self,
        request: Request,
        uris: tuple[str, str],
        folder: str,
        converts: bool,
        last_thumbnail: int,
        results: SharedFolder[int | BaseException],
        progress: Progress,
    ) -> None:
        self._request = request
        self._examples_uri, self._report_uri = uris
        self._folder = folder
        self._converts = converts
        self._last_thumbnail = last_thumbnail
        self._results = results
        self._progress = progress

    def setup(self) -> None:
        self._progress.report("writing examples")
        self._schema_rows: SchemaRows | None = None
        if self._converts:
            self._schema_rows = SchemaRows(schema_pb2.Schema.FromString(self._request.schema))

    def process(self, element: tuple[Part, Decision, Places]) -> Iterator[None]:
        part, decision, places = element
        try:
            done: int | BaseException = self._write(part, decision, places)
        except (HeadraceError, OSError) as error:
            done = error
        self._results.keep(part.index, done)
        yield from ()

    def _write(self, part: Part, decision: Decision, places: Places) -> int:
        target = _path(artifacts.new_split_folder(self._examples_uri, part.split), part)
        listing = _Listing(self._request, self._folder, part, decision, places, self._last_thumbnail)
        with contextlib.ExitStack() as stack:
            lines = stack.enter_context(create_text(rows_path(self._folder, part)))
            if not decision.action.any() and not self._converts and target.endswith(_suffix(part.path)):
                copy_file(part.path, target)
                for _, rows, batch in _listed(part, listing):
                    lines.writelines(listing.lines(rows, batch))
                return len(decision.action)
            kept = stack.enter_context(_Output(part, target))
            removed = None
            if (decision.action == CODES[QUARANTINE]).any():
                folder = cleaning_reports.quarantine_folder(self._report_uri, part.split)
                os.makedirs(folder, exist_ok=True)
                removed = stack.enter_context(_Output(part, _path(folder, part)))
            for start, batch in _batches(part):
                action = decision.action[start : start + batch.num_rows]
                kept.write(batch, np.flatnonzero(action == CODES[KEEP]), self._schema_rows)
                if removed is not None:
                    removed.write(batch, np.flatnonzero(action == CODES[QUARANTINE]))
                rows = listing.rows_between(start, start + batch.num_rows)
                if len(rows):
                    lines.writelines(listing.lines(rows, batch.features(rows - start)))
                self._progress.add_rows(batch.num_rows)
        return kept.num_rows


class _Batch:
    """Rows of a part: records of a TFRecord, of which few need to be decoded, or columns of Parquet."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self.num_rows = rows.num_rows if isinstance(rows, pa.RecordBatch) else len(rows)

    def features(self, chosen: NDArray[np.int64]) -> pa.RecordBatch:
        """Return some rows with a column for each feature."""
        if isinstance(self._rows, pa.RecordBatch):
            return self._rows.take(pa.array(chosen))
        return ExampleDecoder().decode(self._rows.take(chosen))

    def records(self, chosen: NDArray[np.int64]) -> list[bytes]:
        """Return some rows as records."""
        found: list[bytes] = self._rows.take(chosen)
        return found


def _batches(part: Part) -> Iterator[tuple[int, _Batch]]:
    """Yield the rows of a part, each batch with the number of its first row."""
    start = 0
    found: Iterator[Any] = parts.read(part) if part.is_parquet else tfrecord.read(part.path, parts.BATCH_ROWS)
    for rows in found:
        batch = _Batch(rows)
        yield start, batch
        start += batch.num_rows


def _listed(part: Part, listing: _Listing) -> Iterator[tuple[int, NDArray[np.int64], pa.RecordBatch]]:
    """Yield the rows that are listed, of a part that is copied as it is."""
    if not listing.is_empty:
        for start, batch in _batches(part):
            rows = listing.rows_between(start, start + batch.num_rows)
            if len(rows):
                yield start, rows, batch.features(rows - start)


class _Output:
    """A file that rows are written to, under its name when it is complete."""

    def __init__(self, part: Part, path: str) -> None:
        self._is_parquet = part.is_parquet
        self._path = path
        self._writer: SplitWriter | None = None if part.is_parquet else tfrecord.Writer(path)
        self.num_rows = 0

    def write(self, batch: _Batch, chosen: NDArray[np.int64], schema_rows: SchemaRows | None = None) -> None:
        """Append some rows, in the types of the schema where one is given."""
        self.num_rows += len(chosen)
        if not self._is_parquet and schema_rows is None:
            self._append(batch.records(chosen))
            return
        if not len(chosen) and not self._is_parquet:
            return
        rows = batch.features(chosen)
        if schema_rows is not None:
            rows = schema_rows.converted(rows)
        self._append(rows if self._is_parquet else example_encoder.encode(rows).to_pylist())

    def _append(self, rows: Any) -> None:
        if self._writer is None:
            self._writer = example_writer.ParquetWriter(self._path, rows.schema)
        self._writer.write(rows)

    def __enter__(self) -> _Output:
        return self

    def __exit__(self, *raised: Any) -> None:
        if self._writer is not None:
            self._writer.__exit__(*raised)


class Places:
    """Where rows stand: the split and number of a row whose number over all is known.

    Args:
        splits: The splits, in order.
        starts: The number of the first row of each, and that of all rows.
    """

    def __init__(self, splits: Sequence[str], starts: Sequence[int]) -> None:
        self._splits = list(splits)
        self._starts = np.array(starts, np.int64)

    def of(self, row: int) -> tuple[str, int]:
        """Return the split of a row, and its number there, from 1."""
        at = int(np.searchsorted(self._starts, row, "right")) - 1
        return self._splits[at], row - int(self._starts[at]) + 1


class _Listing:
    """The lines on the rows of a part in which something was found."""

    def __init__(
        self,
        request: Request,
        folder: str,
        part: Part,
        decision: Decision,
        places: Places,
        last_thumbnail: int,
    ) -> None:
        self._request = request
        self._found = decision.found
        self._first_row = int(decision.starts[0])
        self._places = places
        self._last_thumbnail = last_thumbnail
        rows = [found.rows for _, found in decision.found]
        self._rows = np.unique(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
        self._faults = scan.read_faults(folder, part) if rows else iter(())
        self._next_fault = next(self._faults, None)

    @property
    def is_empty(self) -> bool:
        """Whether there is no such row."""
        return not len(self._rows)

    def rows_between(self, start: int, end: int) -> NDArray[np.int64]:
        """Return those from `start` to before `end`, as numbers in the part."""
        first, last = np.asarray(np.searchsorted(self._rows, np.array([start, end]))).tolist()
        return self._rows[first:last]

    def lines(self, rows: NDArray[np.int64], batch: pa.RecordBatch) -> Iterator[str]:
        """Yield the lines on rows, given their features; rows are asked for in order."""
        for number, features in zip(rows.tolist(), batch.to_pylist()):
            words = self._words(number)
            over_all = self._first_row + number
            split, place = self._places.of(over_all)
            has_thumbnail = over_all <= self._last_thumbnail
            sample = row_samples.sample(
                split,
                place,
                features,
                self._request.survey,
                first=self._request.first,
                has_thumbnail=has_thumbnail,
            )
            for reason, found in self._found:
                at = int(np.searchsorted(found.rows, number))
                if at < len(found.rows) and found.rows[at] == number:
                    yield self._line(sample, reason, found, at, words)

    def _line(self, sample: Sample, reason: str, found: Found, at: int, words: dict[str, str]) -> str:
        action = _ACTIONS[int(found.action[at])]
        of = None if found.of[at] == NONE else self._places.of(int(found.of[at]))
        if of == (sample.split, sample.row):
            of = None
        detail = words.get(reason, found.detail)
        if reason == CONFLICT:
            detail = f"rows of equal features differ in '{self._request.label}'"
        if reason == DUPLICATE and of is not None and of[0] != sample.split:
            detail = "a copy of a row of another split"
        return FoundRow(sample, action, reason, detail, of).as_line()

    def _words(self, row: int) -> dict[str, str]:
        """Return the words on the faults of a row."""
        while self._next_fault is not None and self._next_fault[0] < row:
            self._next_fault = next(self._faults, None)
        if self._next_fault is not None and self._next_fault[0] == row:
            return self._next_fault[1]
        return {}


def last_thumbnail(decision: Decision, most: int) -> int:
    """Return the number of the last row that is shown with its picture, when `most` are."""
    removed = np.flatnonzero(decision.action != CODES[KEEP])
    found = [rows.rows for _, rows in decision.found]
    listed = removed if len(removed) else np.unique(np.concatenate(found)) if found else removed
    return int(listed[min(most, len(listed)) - 1]) if len(listed) else NONE


def rows_path(folder: str, part: Part) -> str:
    """Return the file of the lines on the rows of a part."""
    return os.path.join(folder, f"rows-{part.index:06}.jsonl")


def _path(folder: str, part: Part) -> str:
    make = example_writer.parquet_path if part.is_parquet else example_writer.tfrecord_path
    return make(folder, part.number, part.num_files)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1]
