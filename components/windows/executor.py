"""Executor of `Windows`: reads all rows, looks their windows up, divides them by time and writes them.

Rows and windows lie on the disk; in memory are the times, groups and values of all rows, and the rest of some of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from headrace import files
from headrace.components.windows import division
from headrace.components.windows.spool import Spool
from headrace.errors import DataError, EmptyDataError
from headrace.features import series, series_lookup
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
        os.makedirs(context.tmp_path, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="windows-", dir=context.tmp_path) as folder:
            self._execute(context, asked, shares, folder)

    def _execute(
        self, context: ExecutionContext, asked: series.Windows, shares: Mapping[str, float], folder: str
    ) -> None:
        context.progress.report("reading rows")
        spool = _read(context, os.path.join(folder, "rows"))
        context.progress.report("looking windows up")
        path = os.path.join(folder, "windows")
        with files.create_file(path) as target:
            found, order = series_lookup.compute_aside(asked, _columns(spool, asked, context.node_id), target)
        if not len(found.rows):
            raise EmptyDataError(
                f"{context.node_id}: none of {spool.num_rows:,} rows has a whole window of {asked.reach + 1:,} steps and a "
                f"value {asked.horizon:,} steps ahead. A step is {pd.Timedelta(found.step, 'ns')}.",
                "look at step, lags and group; or take windows(..., gaps='last').",
            )
        wide: Any = np.memmap(path, np.float32, "r", shape=(len(order), len(asked.features) + 1))
        parts, num_between = division.divide(found, asked, shares, context.node_id)
        output = context.output("windowed_examples")
        for split, places in parts.items():
            context.progress.report(f"writing {split}")
            _write(output.uri, split, asked, (spool, found.rows[places]), (wide, order[places]), context)
        _describe(context, asked, found, {split: len(places) for split, places in parts.items()}, num_between)
        # Set last: an artifact must not name a split whose file was never written.
        output.split_names = artifacts.encode_split_names(parts)


def _read(context: ExecutionContext, folder: str) -> Spool:
    """All rows of all splits, with the columns that any of them has."""
    os.makedirs(folder)
    spool = Spool(folder, context.node_id)
    spool.fill(
        batch
        for artifact in context.inputs["examples"]
        for split in artifacts.split_names(artifact)
        for batch in examples.read_record_batches(artifact, split)
    )
    if not spool.num_rows:
        raise EmptyDataError(
            f"{context.node_id}: the examples have no row.", "look at the ExampleGen's input."
        )
    context.progress.add_rows(spool.num_rows)
    return spool


def _columns(spool: Spool, asked: series.Windows, node_id: str) -> dict[str, Any]:
    """The columns that windows are made of, one value in each row, and the names of the others."""
    wanted = (asked.time, asked.value, *asked.group)
    columns: dict[str, Any] = {name: None for name in spool.schema.names if name not in wanted}
    table = spool.columns([name for name in wanted if name in spool.schema.names])
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
    asked: series.Windows,
    others: tuple[Spool, Any],
    made: tuple[Any, Any],
    context: ExecutionContext,
) -> None:
    """Write the windows of a split: the other columns at rows of the spool, and what was made at places of its file."""
    folder = artifacts.new_split_folder(uri, split)
    os.makedirs(folder, exist_ok=True)
    (spool, rows), (wide, places) = others, made
    names = [name for name in spool.schema.names if name != asked.value]
    with tfrecord.Writer(example_writer.tfrecord_path(folder, 0, 1)) as writer:
        for start in range(0, len(rows), _BATCH_ROWS):
            some = slice(start, start + _BATCH_ROWS)
            taken = spool.take(rows[some], names)
            columns = {name: taken.column(place) for place, name in enumerate(names)}
            values = wide[places[some]]
            columns |= {
                name: pa.array(np.ascontiguousarray(values[:, place]))
                for place, name in enumerate([*asked.features, asked.target])
            }
            features = [as_feature(column, name, context.node_id) for name, column in columns.items()]
            batch = pa.RecordBatch.from_arrays(features, list(columns))
            writer.write(example_encoder.encode(batch).to_pylist())
            context.progress.add_rows(len(values))


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
