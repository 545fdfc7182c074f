"""Executor of `Windows`: reads all rows, looks their windows up, divides them by time and writes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from headrace.components.windows import division
from headrace.errors import DataError, EmptyDataError
from headrace.features import series
from headrace.formats import artifacts
from headrace.formats.examples import example_encoder, example_writer, examples, tfrecord
from headrace.formats.examples.arrow_features import as_feature
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor

_BATCH_ROWS = 20_000
WINDOWS_PROPERTY = "windows"


class Executor(BaseExecutor):
    """Makes windows; see `headrace.components.windows.component.Windows`."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `windowed_examples`.

        Raises:
            DataError: If a column is missing, holds several values in a row, or cannot be read as times or numbers.
            EmptyDataError: If there is no row, no whole window, or none is left for a split.
        """
        asked = series.read(context.parameter("windows"))
        shares = context.json_parameter("splits")
        context.progress.report("reading rows")
        table = _read(context)
        context.progress.report("looking windows up")
        found = series.compute(asked, _columns(table, asked, context.node_id))
        if not len(found.rows):
            raise EmptyDataError(
                f"{context.node_id}: none of {table.num_rows:,} rows has a whole window of {asked.reach + 1:,} steps and a "
                f"value {asked.horizon:,} steps ahead. A step is {pd.Timedelta(found.step, 'ns')}.",
                "look at step, lags and group; or take windows(..., gaps='last').",
            )
        parts, num_between = division.divide(found, asked, shares, context.node_id)
        output = context.output("windowed_examples")
        for split, places in parts.items():
            context.progress.report(f"writing {split}")
            _write(output.uri, split, table, asked, found.only(places), context)
        _describe(context, asked, found, {split: len(places) for split, places in parts.items()}, num_between)
        # Set last: an artifact must not name a split whose file was never written.
        output.split_names = artifacts.encode_split_names(parts)


def _read(context: ExecutionContext) -> pa.Table:
    """All rows of all splits, with the columns that any of them has."""
    batches = [
        batch
        for artifact in context.inputs["examples"]
        for split in artifacts.split_names(artifact)
        for batch in examples.read_record_batches(artifact, split)
    ]
    schema = pa.unify_schemas([batch.schema for batch in batches]) if _agree(batches) else None
    if schema is None:
        kinds: dict[str, Any] = {}
        for batch in batches:
            for field in batch.schema:
                known = kinds.setdefault(field.name, field.type)
                if pa.types.is_null(known):
                    kinds[field.name] = field.type
        schema = pa.schema(list(kinds.items()))
    tables = [_with_columns(batch, schema, context.node_id) for batch in batches]
    table = pa.concat_tables(tables) if tables else pa.table({})
    if not table.num_rows:
        raise EmptyDataError(
            f"{context.node_id}: the examples have no row.", "look at the ExampleGen's input."
        )
    context.progress.add_rows(table.num_rows)
    return table


def _agree(batches: list[pa.RecordBatch]) -> bool:
    return len({tuple(zip(batch.schema.names, map(str, batch.schema.types))) for batch in batches}) == 1


def _with_columns(batch: pa.RecordBatch, schema: pa.Schema, node_id: str) -> pa.Table:
    columns = []
    for field in schema:
        place = batch.schema.get_field_index(field.name)
        column = pa.nulls(batch.num_rows) if place < 0 else batch.column(place)
        if pa.types.is_null(column.type):
            column = pa.nulls(batch.num_rows, field.type)
        if column.type != field.type:
            raise DataError(
                f"{node_id}: column '{field.name}' holds {column.type} in one split or span and {field.type} in another.",
                "give it one type in the data.",
            )
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _columns(table: pa.Table, asked: series.Windows, node_id: str) -> dict[str, Any]:
    """The columns that windows are made of, one value in each row, and the names of the others."""
    wanted = (asked.time, asked.value, *asked.group)
    columns: dict[str, Any] = {name: None for name in table.schema.names if name not in wanted}
    for name in wanted:
        if name not in table.schema.names:
            continue
        column = table.column(name).combine_chunks()
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        if lengths.max(initial=0) > 1:
            raise DataError(
                f"{node_id}: column '{name}' has {lengths.max()} values in a row.",
                "give one value in each row.",
            )
        values = column.flatten().to_numpy(zero_copy_only=False)
        if lengths.all():
            columns[name] = values
            continue
        is_float = np.issubdtype(values.dtype, np.number)
        filled = np.full(len(lengths), np.nan if is_float else None, dtype=np.float64 if is_float else object)
        filled[lengths > 0] = values
        columns[name] = filled
    return columns


def _write(
    uri: str,
    split: str,
    table: pa.Table,
    asked: series.Windows,
    found: series.Found,
    context: ExecutionContext,
) -> None:
    folder = artifacts.new_split_folder(uri, split)
    os.makedirs(folder, exist_ok=True)
    others = [name for name in table.schema.names if name != asked.value]
    made = {**found.features, asked.target: found.target}
    with tfrecord.Writer(example_writer.tfrecord_path(folder, 0, 1)) as writer:
        for start in range(0, len(found.rows), _BATCH_ROWS):
            rows = found.rows[start : start + _BATCH_ROWS]
            taken = table.select(others).take(pa.array(rows)).combine_chunks()
            columns = {name: taken.column(name).combine_chunks() for name in others}
            columns |= {
                name: pa.array(values[start : start + _BATCH_ROWS], pa.float32())
                for name, values in made.items()
            }
            features = [as_feature(column, name, context.node_id) for name, column in columns.items()]
            batch = pa.RecordBatch.from_arrays(features, list(columns))
            writer.write(example_encoder.encode(batch).to_pylist())
            context.progress.add_rows(len(rows))


def _describe(
    context: ExecutionContext,
    asked: series.Windows,
    found: series.Found,
    counts: Mapping[str, int],
    num_between: int,
) -> None:
    output = context.output("windowed_examples")
    given = context.inputs["examples"][0]
    output.set_string_custom_property(artifacts.FILE_FORMAT_PROPERTY, "tfrecords_gzip")
    output.set_string_custom_property(artifacts.PAYLOAD_FORMAT_PROPERTY, "FORMAT_TF_EXAMPLE")
    output.set_string_custom_property(WINDOWS_PROPERTY, asked.to_text())
    output.span = artifacts.span_of(given)
    output.version = given.version
    told = [", ".join(f"{split} {count:,} rows" for split, count in counts.items())]
    told.append(f"a step is {pd.Timedelta(found.step, 'ns')}".replace("0 days ", ""))
    if found.num_gaps:
        told.append(f"{found.num_gaps:,} gaps, {found.num_missing:,} times missing")
    if found.num_repeated:
        told.append(f"{found.num_repeated:,} rows that came twice left out")
    if num_between:
        told.append(f"{num_between:,} rows between the splits left out")
    context.summarize("windowed_examples", "; ".join(told))
