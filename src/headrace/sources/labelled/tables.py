"""A table of paths and labels, CSV or Parquet: each row is a file and what is known of it. Light for CSV."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headrace import files
from headrace.errors import (
    DefinitionError,
    EmptyDataError,
    MalformedFileError,
    MissingFileError,
    did_you_mean,
    listed,
)
from headrace.files import addresses, trees
from headrace.files.trees import FileLook
from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS
from headrace.sources.labelled.group import Group, groups_of

LABEL = "label"
_INT64 = range(-(2**63), 2**63)
# Of a file that is not there. It is read all the same, so that it is set aside or ends the run as others do.
_GONE = "gone"


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name; a missing value is `None`, and values of one column are of one kind."""

    columns: dict[str, list[Any]]
    kinds: dict[str, str]


def groups(
    input_base: str, table: str, path_column: str, label_column: str | None, taken: Sequence[str]
) -> list[Group]:
    """Return the files that a table names, in groups, in its order.

    Args:
        input_base: Where the table lies and the paths in it start.
        table: The table, below `input_base` or with a path of its own.
        path_column: The column of paths.
        label_column: The column that becomes the label; `None` for none, `""` for the one called `label`, if any.
        taken: Features that a column cannot be called.

    Raises:
        MissingFileError: If there is no table.
        MalformedFileError: If it is damaged.
        EmptyDataError: If it has no rows.
        DefinitionError: If a column is not there, or is called like a feature.
    """
    path = _place_of(input_base, table)
    read = _parquet(path) if path.lower().endswith((".parquet", ".pq")) else _csv(path, path_column)
    columns, kinds = dict(read.columns), dict(read.kinds)
    names = _paths(columns, path, path_column)
    if label_column:
        _check_column(columns, label_column, path, "label")
        columns[LABEL], kinds[LABEL] = columns.pop(label_column), kinds[label_column]
    elif label_column is None:
        columns.pop(LABEL, None)
    clash = next((name for name in taken if name in columns), None)
    if clash is not None:
        raise DefinitionError(
            f"'{path}' has a column '{clash}', and a feature is called so.", "name the column otherwise."
        )
    looks = [look or FileLook("", 0, _GONE) for look in trees.looks_at(input_base, names)]
    looks = [FileLook(name, look.size, look.text, look.changed_ns) for name, look in zip(names, looks)]
    chosen = [name for name in columns if any(value is not None for value in columns[name])]
    found, row = [], 0
    for group in groups_of(looks, place=input_base, prefix="", table=path):
        end = row + group.num_files
        values = json.dumps({name: columns[name][row:end] for name in chosen})
        described = tuple((name, kinds[name]) for name in chosen)
        found.append(replace(group, first_row=row + 2, columns=values, kinds=described))
        row = end
    return found


def _place_of(input_base: str, table: str) -> str:
    below = table if addresses.is_elsewhere(table) else os.path.join(input_base, addresses.here(table))
    for path in (below, addresses.here(table)):
        if files.is_file(path):
            return path
    names = files.names_in(input_base) if files.is_folder(input_base) else []
    raise MissingFileError(
        f"there is no table '{table}', neither in '{input_base}' nor at this path.",
        f"{did_you_mean(table, names)}Correct table.",
    )


def _paths(columns: dict[str, list[Any]], path: str, path_column: str) -> list[str]:
    _check_column(columns, path_column, path, "path_column")
    names = columns.pop(path_column)
    if not names:
        raise EmptyDataError(f"'{path}' has no rows.", "give a table with at least one row.")
    for row, name in enumerate(names, 2):
        if not isinstance(name, str) or not name or "\0" in name:
            raise MalformedFileError(
                f"{path}, row {row}: column '{path_column}' holds {name!r}, where a path is expected.",
                "give each row the path of its file, or name the column of paths with path_column.",
            )
    return names


def _check_column(columns: dict[str, list[Any]], name: str, path: str, parameter: str) -> None:
    if name not in columns:
        raise DefinitionError(
            f"{parameter} is '{name}', and '{path}' has no such column. It has {listed(columns)}.",
            f"{did_you_mean(name, columns)}Correct {parameter}.",
        )


def _csv(path: str, path_column: str) -> Table:
    """Read a CSV table with a header line, in UTF-8; a column's type is that of all of its cells, paths are texts."""
    try:
        with files.open_text(path, newline="") as file:
            rows = _csv_rows(path, csv.reader(file, strict=True))
            header = [name.removeprefix("\ufeff") for name in next(rows, [])]
            twice = next((name for at, name in enumerate(header) if name in header[:at]), None)
            if not header or twice is not None:
                what = "has no header line" if not header else f"has two columns '{twice}'"
                raise MalformedFileError(f"'{path}' {what}.", "give a header with a name for each column.")
            cells: list[list[str]] = [[] for _ in header]
            for number, row in enumerate(rows, 2):
                if len(row) != len(header):
                    raise MalformedFileError(
                        f"{path}, row {number} has {len(row)} cells, and the header has {len(header)}.",
                        "give each row as many; quote a text with a comma in it.",
                    )
                for column, cell in zip(cells, row):
                    column.append(cell)
    except UnicodeDecodeError as error:
        raise MalformedFileError(f"'{path}' is not in UTF-8: {error}.", "save it in UTF-8.") from error
    typed = {
        name: (BYTES, list(column)) if name == path_column else _typed(column)
        for name, column in zip(header, cells)
    }
    kinds = {name: kind for name, (kind, _) in typed.items()}
    return Table({name: values for name, (_, values) in typed.items()}, kinds)


def _csv_rows(path: str, rows: Any) -> Iterator[list[str]]:
    try:
        yield from (row for row in rows if row)
    except csv.Error as error:
        raise MalformedFileError(f"{path}, line {rows.line_num}: {error}.", "correct the quotes.") from error


def _typed(cells: Sequence[str]) -> tuple[str, list[Any]]:
    """A column's kind and values: integers if all cells are, floats if all are numbers, else texts; empty is missing."""
    given = [cell for cell in cells if cell.strip()]
    for kind, convert in ((INTEGERS, _integer), (FLOATS, float)):
        try:
            for cell in given:
                convert(cell)
        except ValueError:
            continue
        return kind, [convert(cell) if cell.strip() else None for cell in cells]
    return BYTES, [cell if cell else None for cell in cells]


def _integer(cell: str) -> int:
    number = int(cell)
    if number not in _INT64:
        raise ValueError(cell)
    return number


def _parquet(path: str) -> Table:
    """Read a Parquet table: integers, floats, booleans, texts, and lists of these."""
    from headrace.formats import parquet_files

    file = parquet_files.open_file(path)
    columns: dict[str, list[Any]] = {name: [] for name in file.schema_arrow.names}
    kinds = {field.name: _kind_of(field.type, field.name, path) for field in file.schema_arrow}
    for batch in parquet_files.read_batches(path, 20_000):
        for name, column in zip(batch.schema.names, batch.columns):
            row = len(columns[name]) + 1
            columns[name] += [
                _plain(value, path, name, row + at) for at, value in enumerate(column.to_pylist())
            ]
    return Table(columns, kinds)


def _plain(value: Any, path: str, name: str, row: int) -> Any:
    if isinstance(value, list):
        if None in value:
            raise MalformedFileError(
                f"{path}, row {row}: column '{name}' has a list with a null in it, which tf.Example cannot hold.",
                "leave it out of the list.",
            )
        return [_plain(one, path, name, row) for one in value] or None
    return int(value) if isinstance(value, bool) else value


def _kind_of(arrow_type: Any, name: str, path: str) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(arrow_type):
        return _kind_of(arrow_type.value_type, name, path)
    if pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type):
        return _kind_of(arrow_type.value_type, name, path)
    if pa.types.is_boolean(arrow_type) or pa.types.is_integer(arrow_type):
        return INTEGERS
    if pa.types.is_floating(arrow_type):
        return FLOATS
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or pa.types.is_null(arrow_type):
        return BYTES
    raise DefinitionError(
        f"'{path}': column '{name}' is of type {arrow_type}, which a table of files cannot have.",
        "write it as text, integers, floats or lists of these, or leave it out.",
    )
