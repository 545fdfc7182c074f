"""Copies of data in the form that an ExampleGen reads: UTF-8, commas, one header line of plain names."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence


from headrace.errors import MalformedFileError
from headrace.files import copy_file, create_text, gzip_files
from headrace.projects.look.csv_files import CsvForm
from headrace.projects.look.looking import Look
from headrace.projects.look.sources import Source

FOLDER = "data"


def reasons(look: Look) -> list[str]:
    """Return why the data cannot be read where they are, as parts of sentences; empty where they can."""
    found = list(look.source.form.reasons) if look.source.form else []
    with_comma = [column.name for column in look.columns if column.profile.has_decimal_comma]
    if with_comma:
        found.append(f"its numbers have a decimal comma ({', '.join(with_comma[:3])})")
    return found


def copied_name(name: str) -> str:
    """Return the name of a converted copy."""
    stem = os.path.basename(name)
    for ending in (".gz", ".gzip", ".csv", ".tsv", ".tab", ".txt"):
        stem = stem.removesuffix(ending)
    return f"{stem}.csv"


def copy(source: Source, folder: str) -> None:
    """Copy data as they are into `data/` of a project."""
    for name in source.files:
        copy_file(
            os.path.join(source.folder, *name.split("/")), os.path.join(folder, FOLDER, *name.split("/"))
        )


def convert(look: Look, folder: str) -> None:
    """Write CSV files into `data/` of a project in the form that CsvExampleGen reads, row by row.

    Raises:
        MalformedFileError: If a file does not hold text of its encoding to its end.
    """
    source, form = look.source, look.source.form
    if form is None:
        return
    with_comma = [place for place, column in enumerate(look.columns) if column.profile.has_decimal_comma]
    os.makedirs(os.path.join(folder, FOLDER), exist_ok=True)
    for name in source.files:
        target = os.path.join(folder, FOLDER, copied_name(name))
        _convert_csv(os.path.join(source.folder, name), target, form, with_comma)


def _convert_csv(path: str, target: str, form: CsvForm, with_comma: Sequence[int]) -> None:
    with gzip_files.open_binary(path) as raw, create_text(target) as out:
        text = io.TextIOWrapper(raw, form.encoding, newline="")
        reader = csv.reader(text, delimiter=form.delimiter)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(form.names)
        try:
            is_first = form.has_header
            for row in reader:
                if not row:
                    continue
                if is_first:
                    is_first = False
                    continue
                for place in with_comma:
                    if place < len(row):
                        row[place] = row[place].replace(",", ".")
                writer.writerow(row)
        except (UnicodeDecodeError, csv.Error) as error:
            raise MalformedFileError(
                f"{path}: line {reader.line_num + 1} is no text in {form.encoding}, or no CSV: {error}.",
                "save the file as UTF-8, and correct that line.",
            ) from error
