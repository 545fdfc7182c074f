"""The first pass: for each row digests, and what is wrong with it by itself. Of the rows nothing else is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.cleaner.request import Request
from headrace.errors import HeadraceError
from headrace.files import create_text, open_text
from headrace.formats.cleaning_reports import CONFLICT, DUPLICATE, OFF_SCHEMA, UNDECODABLE
from headrace.quality import features, parts, pictures, sounds, texts
from headrace.quality.parts import Part
from headrace.quality.row_arrays import RowArrays
from headrace.quality.row_digests import RowValues
from headrace.quality.schema_rows import SchemaRows
from headrace.quality.survey import IMAGE, SOUND, TEXT
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder

# Bits of a row's faults.
FAULTS = {UNDECODABLE: 1, OFF_SCHEMA: 2}
_PROBLEMS = {IMAGE: pictures.problem, TEXT: texts.problem, SOUND: sounds.problem}


@dataclass
class PartScan:
    """What was found in one part.

    Attributes:
        num_rows: Its rows.
        converted: Features that have another type than the schema says, with both types.
        error: What stopped it. A value, as Beam's runners replace an exception by the text of its traceback.
    """

    num_rows: int = 0
    converted: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None


class ScanPart(beam.DoFn):
    """Writes the arrays of a part into a folder, and the words on its faults."""

    def __init__(
        self, request: Request, folder: str, results: SharedFolder[PartScan], progress: Progress
    ) -> None:
        self._request = request
        self._folder = folder
        self._results = results
        self._progress = progress

    def setup(self) -> None:
        self._progress.report("looking at rows")
        self._schema_rows: SchemaRows | None = None
        if self._request.schema:
            self._schema_rows = SchemaRows(schema_pb2.Schema.FromString(self._request.schema))

    def process(self, part: Part) -> Iterator[None]:
        try:
            found = self._scan(part)
        except (HeadraceError, OSError) as error:
            found = PartScan(error=error)
        self._results.keep(part.index, found)
        yield from ()

    def _scan(self, part: Part) -> PartScan:
        found = PartScan()
        arrays = RowArrays(self._folder)
        with create_text(faults_path(self._folder, part)) as faults:
            for number, batch in enumerate(parts.read(part)):
                codes, words = self._faults(batch)
                for row in sorted(words):
                    faults.write(json.dumps([found.num_rows + row, words[row]]) + "\n")
                if self._schema_rows is not None and self._request.actions.get(OFF_SCHEMA) != "keep":
                    found.converted |= self._schema_rows.differing_types(batch)
                for name, array in self._arrays(batch, codes).items():
                    arrays.save(name, part.index, number, array)
                found.num_rows += batch.num_rows
                self._progress.add_rows(batch.num_rows)
        return found

    def _arrays(self, batch: pa.RecordBatch, codes: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        request = self._request
        arrays: dict[str, NDArray[Any]] = {"faults": codes}
        wants_conflicts = CONFLICT in request.actions
        if DUPLICATE in request.actions or wants_conflicts:
            values = RowValues(batch, request.compared)
            arrays["digests"] = values.digests()
            if wants_conflicts and request.label is not None:
                arrays["bare"] = values.digests(without=[request.label])
        for number, measure in enumerate(request.measures):
            arrays[f"near-{number}"], arrays[f"valid-{number}"] = measure.scan(batch)
        return arrays

    def _faults(self, batch: pa.RecordBatch) -> tuple[NDArray[np.uint8], dict[int, dict[str, str]]]:
        """Return the bits of each row's faults, and what is wrong in words: by row, then by reason."""
        codes = np.zeros(batch.num_rows, np.uint8)
        words: dict[int, dict[str, str]] = {}
        found = {UNDECODABLE: self._undecodable(batch) if UNDECODABLE in self._request.actions else {}}
        if self._schema_rows is not None:
            found[OFF_SCHEMA] = self._schema_rows.faults(batch)
        for reason, by_row in found.items():
            for row, why in by_row.items():
                codes[row] |= FAULTS[reason]
                words.setdefault(row, {})[reason] = "; ".join(why)
        return codes, words

    def _undecodable(self, batch: pa.RecordBatch) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for kind, problem in _PROBLEMS.items():
            for name in self._request.survey.of_kind(kind):
                if kind == TEXT and _is_utf8(batch, name):
                    continue
                for row, values in enumerate(features.bytes_of(batch, name)):
                    why = next((text for text in map(problem, values) if text), "")
                    if why:
                        found.setdefault(row, []).append(f"{name}: {why}")
        return found


def _is_utf8(batch: pa.RecordBatch, name: str) -> bool:
    """Whether all values of a feature are; Arrow looks at them at once."""
    column = features.column_of(batch, name)
    if column is None or not features.is_bytes(column):
        return True
    try:
        column.flatten().cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def faults_path(folder: str, part: Part) -> str:
    """Return the file of the words on the faults of a part's rows."""
    return os.path.join(folder, f"faults-{part.index:06}.jsonl")


def read_faults(folder: str, part: Part) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a part that have faults, in order, with the words by reason."""
    with open_text(faults_path(folder, part)) as file:
        for line in file:
            row, words = json.loads(line)
            yield row, words
