"""Copies of data in the form that an ExampleGen reads: UTF-8, commas, one header line of plain names."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headrace.errors import MalformedFileError, listed
from headrace.files import copy_file, create_file, create_text, open_file, packed_files
from headrace.formats.examples import arrow_features
from headrace.projects.look import json_files
from headrace.projects.look.csv_files import CsvForm
from headrace.projects.look.looking import Look
from headrace.projects.look.sources import Source, kind_of

FOLDER = "data"


def reasons(look: Look) -> list[str]:
    """Return why the data cannot be read where they are, as parts of sentences; empty where they can."""
    found = list(look.source.form.reasons) if look.source.form else []
    with_comma = [column.name for column in look.columns if column.profile.has_decimal_comma]
    if with_comma:
        found.append(f"its numbers have a decimal comma ({', '.join(with_comma[:3])})")
    foreign = [column.name for column in look.columns if column.profile.is_foreign]
    if foreign and look.source.kind == "parquet":
        found.append(f"Examples have no form for the types of {listed(foreign[:3])}")
    if look.label is not None and look.label.num_missing and look.source.database is None:
        found.append("rows without a label are left out")
    return found


def copied_name(name: str) -> str:
    """Return the name of a converted copy."""
    stem = os.path.basename(name)
    if kind_of(name) in ("parquet", "json"):
        return stem.removesuffix(".gz")
    for ending in (".gz", ".gzip", ".csv", ".tsv", ".tab", ".txt"):
        stem = stem.removesuffix(ending)
    return f"{stem}.csv"


def copy(source: Source, folder: str) -> None:
    """Copy data as they are into `data/` of a project."""
    if source.archive:
        copy_file(source.archive, os.path.join(folder, FOLDER, os.path.basename(source.archive)))
        return
    for name in source.files:
        copy_file(
            os.path.join(source.folder, *name.split("/")), os.path.join(folder, FOLDER, *name.split("/"))
        )


def convert(look: Look, folder: str) -> None:
    """Write a copy into `data/` of a project in the form that an ExampleGen reads, row by row, without unlabelled rows.

    Raises:
        MalformedFileError: If a file does not hold text of its encoding to its end.
    """
    source = look.source
    os.makedirs(os.path.join(folder, FOLDER), exist_ok=True)
    for name in source.files:
        path, target = os.path.join(source.folder, name), os.path.join(folder, FOLDER, copied_name(name))
        if source.form is not None:
            _convert_csv(path, target, source.form, _Rows.of(look))
        elif source.kind == "parquet":
            _convert_parquet(path, target, _labels(look))
        else:
            _convert_json(path, target, _labels(look))


@dataclass(frozen=True)
class _Rows:
    """What becomes of a row's cells.

    Attributes:
        with_comma: Places of numbers with a decimal comma.
        labels: Places of the labels.
        is_number: Whether a label has to be a number.
    """

    with_comma: tuple[int, ...]
    labels: tuple[int, ...]
    is_number: bool

    @classmethod
    def of(cls, look: Look) -> _Rows:
        columns = list(enumerate(look.columns))
        return cls(
            tuple(place for place, column in columns if column.profile.has_decimal_comma),
            tuple(place for place, column in columns if column.role == "label"),
            look.label is not None and look.label.task == "regression",
        )

    def kept(self, row: list[str]) -> bool:
        """Bring a row into form, and say whether it has its labels; one of another length is left to the reader."""
        for place in self.with_comma:
            if place < len(row):
                row[place] = row[place].replace(",", ".")
        labels = [row[place] for place in self.labels if place < len(row)]
        return all(_is_number(text) if self.is_number else text.strip() for text in labels)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _labels(look: Look) -> list[str]:
    return [column.name for column in look.columns if column.role == "label"]


def _convert_csv(path: str, target: str, form: CsvForm, rows: _Rows) -> None:
    with packed_files.open_binary(path) as raw, create_text(target) as out:
        reader = csv.reader(io.TextIOWrapper(raw, form.encoding, newline=""), delimiter=form.delimiter)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(form.names)
        is_header = form.has_header
        try:
            for row in reader:
                if row and not is_header and rows.kept(row):
                    writer.writerow(row)
                is_header = is_header and not row
        except (UnicodeDecodeError, csv.Error) as error:
            raise MalformedFileError(
                f"{path}: line {reader.line_num + 1} is no text in {form.encoding}, or no CSV: {error}.",
                "save the file as UTF-8, and correct that line.",
            ) from error


def _convert_parquet(path: str, target: str, labels: Sequence[str]) -> None:
    with open_file(path) as file, create_file(target) as out:
        parquet = pq.ParquetFile(file)
        writer = None
        for batch in parquet.iter_batches():
            for name in labels:
                batch = batch.filter(pc.is_valid(batch.column(batch.schema.get_field_index(name))))
            table = _of_known_types(batch)
            writer = writer or pq.ParquetWriter(out, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _of_known_types(batch: pa.RecordBatch) -> pa.Table:
    """Write times as text and decimals as floats; what else has no form is left out."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns):
        if arrow_features.feature_kind(column.type) is not None:
            columns[name] = column
        elif pa.types.is_decimal(column.type):
            columns[name] = pc.cast(column, pa.float64())
        elif pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
            columns[name] = pc.cast(column, pa.string())
    return pa.table(columns)


def _convert_json(path: str, target: str, labels: Sequence[str]) -> None:
    with create_file(target) as out:
        for _, row in json_files.objects(path):
            if all(row.get(name) is not None for name in labels):
                out.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
