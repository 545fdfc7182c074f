"""The executor of ParquetExampleGen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headrace.components.example_gen.executor import ExampleGenExecutor
from headrace.components.example_gen.rows import FeatureRows, Rows
from headrace.components.example_gen.source import Source, group, shards_for
from headrace.errors import DataError, MalformedFileError, UnsupportedColumnError
from headrace.io import example_encoder, examples

_BATCH_CELLS = 400_000


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file."""

    path: str
    number: int


class ParquetSource(Source):
    """Parquet files, read row group by row group; the rows become features."""

    def plan(self, paths: Sequence[str], num_shards: int | None) -> tuple[int, list[list[RowGroup]]]:
        """Divide the row groups of all files.

        Raises:
            MalformedFileError: If a file is not Parquet, or the files' columns differ.
            UnsupportedColumnError: If a column's type has no form in the payload.
        """
        schema = _open(paths[0]).schema_arrow
        self.check(paths[0], schema)
        pieces: list[RowGroup] = []
        sizes: list[int] = []
        for path in paths:
            file = _open(path)
            if not file.schema_arrow.equals(schema):
                raise _other_columns(paths[0], schema, path, file.schema_arrow)
            for number in range(file.metadata.num_row_groups):
                if file.metadata.row_group(number).num_rows:
                    pieces.append(RowGroup(path, number))
                    sizes.append(file.metadata.row_group(number).total_byte_size)
        total = shards_for(sum(sizes), num_shards)
        # A file without rows is read all the same, so that its splits have their files.
        return total, group(pieces, sizes, total) or [[RowGroup(paths[0], -1)]]

    def check(self, path: str, schema: pa.Schema) -> None:
        """Check that every column has a form in tf.Example."""
        for field in schema:
            try:
                examples.as_feature(pa.array([], field.type), field.name, path)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise UnsupportedColumnError(
                    f"{path}: column '{field.name}' has type {field.type}, which has no tf.Example form.",
                    f"convert or drop '{field.name}' where the file is written.",
                ) from error

    def read(self, pieces: Sequence[RowGroup], surveys: Sequence[None]) -> Iterator[Rows]:
        """Yield batches of rows."""
        for piece in pieces:
            for batch in read_batches(piece):
                yield TableRows(batch, piece.path)


def read_batches(piece: RowGroup) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one row group in batches that fit into memory; number -1 has none."""
    file = _open(piece.path)
    if piece.number < 0:
        return
    batch_rows = max(1, _BATCH_CELLS // max(1, len(file.schema_arrow)))
    try:
        yield from file.iter_batches(batch_size=batch_rows, row_groups=[piece.number])
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise MalformedFileError(
            f"{piece.path}: row group {piece.number} is damaged: {error}.", "write the file again."
        ) from error


class TableRows(FeatureRows):
    """Rows of a Parquet file as features, hashed as stock TFX hashes them."""

    def __init__(self, batch: pa.RecordBatch, path: str) -> None:
        super().__init__(_features(batch, path))
        self._columns = batch
        self._path = path

    def keys(self, feature: str | None) -> list[bytes]:
        """The serialized tf.Examples, or the serialized Feature of one column.

        Stock TFX takes 0, False and empty text for missing, and hashes the record without them. Here they
        are kept as values, and left out of the key alone, so that a row falls into the same split.
        """
        if feature is not None:
            return super().keys(feature)
        columns = [_without_zeros(column) for column in self._columns.columns]
        if all(new is old for new, old in zip(columns, self._columns.columns)):
            return self.records()
        bare = pa.RecordBatch.from_arrays(columns, self._columns.schema.names)
        return example_encoder.encode(_features(bare, self._path)).to_pylist()


def _features(batch: pa.RecordBatch, path: str) -> pa.RecordBatch:
    columns = []
    for name, column in zip(batch.schema.names, batch.columns):
        try:
            columns.append(_feature(column, name, path))
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{path}: column '{name}' of type {column.type} holds a value that does not fit: {error}.",
                "convert the column where the file is written.",
            ) from error
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _feature(column: pa.Array, name: str, path: str) -> pa.Array:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        if column.flatten().null_count:
            raise DataError(
                f"{path}: column '{name}' has a list with a null in it, which tf.Example cannot hold.",
                "drop the nulls where the file is written.",
            )
        # As in TFX, an empty list is a feature without a value, like null.
        empty = pc.equal(column.value_lengths(), 0)
        column = pc.if_else(empty, pa.scalar(None, column.type), column)
    feature = examples.as_feature(column, name, path)
    if not pa.types.is_null(feature.type) and pa.types.is_large_binary(feature.type.value_type):
        feature = feature.cast(pa.list_(pa.binary()))
    return feature


def _without_zeros(column: pa.Array) -> pa.Array:
    """Return the column with null for 0, False and empty text; the column itself where it has none."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    values = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        zeros = pc.equal(values, pa.scalar(0, kind))
    elif pa.types.is_boolean(kind):
        zeros = pc.invert(values)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_null(kind):
        return column
    else:
        zeros = pc.equal(pc.binary_length(values), 0)
    if not pc.any(zeros).as_py():
        return column
    return pc.if_else(zeros, pa.scalar(None, kind), values)


def _open(path: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise MalformedFileError(
            f"{path} is not a Parquet file, or damaged: {error}.",
            "give Parquet files, or a pattern that leaves this file out.",
        ) from error


def _other_columns(path: str, schema: pa.Schema, other: str, others: pa.Schema) -> MalformedFileError:
    ours = {field.name: str(field.type) for field in schema}
    theirs = {field.name: str(field.type) for field in others}
    parts = [f"it lacks '{name}'" for name in ours if name not in theirs]
    parts += [f"it adds '{name}'" for name in theirs if name not in ours]
    parts += [
        f"'{name}' is {theirs[name]} instead of {kind}"
        for name, kind in ours.items()
        if theirs.get(name, kind) != kind
    ]
    return MalformedFileError(
        f"{other}: the columns differ from those of {path}: {'; '.join(parts) or 'their order'}.",
        "write the files of a split with the same columns, or read them as splits of their own.",
    )


class Executor(ExampleGenExecutor):
    """Reads Parquet files."""

    def source(self, payload_format: int) -> Source:
        """Return the source of Parquet files."""
        return ParquetSource()
