"""Read Parquet files: rows become features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from headrace.errors import DataError, MalformedFileError, did_you_mean, listed
from headrace.formats import parquet_files
from headrace.formats.examples import arrow_features, example_encoder
from headrace.sources.parquet import parquet_partitions
from headrace.sources.reading import Reader, group, shards_for
from headrace.sources.rows import FeatureRows, Rows

_BATCH_CELLS = 400_000

# The columns of a file, or of several: what `ParquetReader.unite` makes one of.
Columns = dict[str, pa.DataType]


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file."""

    path: str
    number: int


class ParquetReader(Reader):
    """Parquet files, read row group by row group; the rows become features.

    A column may be missing from some of the files, as where it came later: their rows lack the feature.

    Args:
        has_one_schema: Whether all rows must have the columns of all files, as in Parquet files that are written.
    """

    def __init__(self, *, has_one_schema: bool = False) -> None:
        self._has_one_schema = has_one_schema

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[RowGroup]]]:
        """Divide the row groups of all files.

        Raises:
            MalformedFileError: If a file is not Parquet, or a column has another type than in a file before.
            UnsupportedColumnError: If a column's type has no form in the payload.
        """
        pieces: list[RowGroup] = []
        sizes: list[int] = []
        known: Columns = {}
        # For each column, the file in which its type was met first.
        origins: dict[str, tuple[str, pa.DataType]] = {}
        for path in items:
            file = parquet_files.open_file(path)
            schema = _schema_of(path, file.schema_arrow)
            self.check(path, schema)
            for field in schema:
                if not self._merge(known, field.name, self.column_type(field.type)):
                    raise _other_type(path, field, *origins[field.name])
                if not pa.types.is_null(self.column_type(field.type)):
                    origins.setdefault(field.name, (path, field.type))
            for number in range(file.metadata.num_row_groups):
                if file.metadata.row_group(number).num_rows:
                    pieces.append(RowGroup(path, number))
                    sizes.append(file.metadata.row_group(number).total_byte_size)
        total = shards_for(sum(sizes), num_shards)
        # A file without rows is read all the same, so that its splits have their files.
        return total, group(pieces, sizes, total) or [[RowGroup(items[0], -1)]]

    def check(self, path: str, schema: pa.Schema) -> None:
        """Check that every column has a form in tf.Example."""
        for field in schema:
            if arrow_features.feature_kind(field.type) is None:
                # The message is that of reading such a column.
                arrow_features.as_feature(pa.nulls(0, field.type), field.name, path)

    def column_type(self, kind: pa.DataType) -> pa.DataType:
        """Return what becomes of a column of type `kind`."""
        values = arrow_features.feature_kind(kind)
        return pa.null() if values is None or pa.types.is_null(values) else pa.list_(values)

    def unite(self, one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
        """Return the type that holds both of two types of `column_type`; `None` where there is none."""
        return one if one.equals(other) else None

    def _merge(self, known: Columns, name: str, kind: pa.DataType) -> bool:
        """Add a column to those known; return whether its type fits."""
        before = known.setdefault(name, kind)
        if pa.types.is_null(before):
            known[name] = kind
        elif not pa.types.is_null(kind):
            united = self.unite(before, kind)
            if united is None:
                return False
            known[name] = united
        return True

    @property
    def needs_learning(self) -> bool:
        """Whether the columns of all files must be known before any is read."""
        return self._has_one_schema

    def learn(self, pieces: Sequence[RowGroup]) -> Columns:
        """Return the columns of these pieces' files."""
        known: Columns = {}
        for path in dict.fromkeys(piece.path for piece in pieces):
            for field in _schema_of(path, parquet_files.open_file(path).schema_arrow):
                self._merge(known, field.name, self.column_type(field.type))
        return known

    def read(self, pieces: Sequence[RowGroup], learned: Sequence[Columns]) -> Iterator[Rows]:
        """Yield batches of rows."""
        columns: Columns = {}
        for one in learned:
            for name, kind in one.items():
                self._merge(columns, name, kind)
        num_rows = 0
        for path, of_file in groupby(pieces, key=lambda piece: piece.path):
            for batch in read_batches(path, [piece.number for piece in of_file]):
                num_rows += batch.num_rows
                yield self.rows(batch, path, columns)
        if not num_rows:
            # A file without rows has columns, and Parquet files of its splits need some.
            path = pieces[0].path
            schema = _schema_of(path, parquet_files.open_file(path).schema_arrow)
            yield self.rows(pa.RecordBatch.from_pylist([], schema=schema), path, columns)

    def rows(self, batch: pa.RecordBatch, path: str, columns: Columns) -> Rows:
        """Return a batch of rows; `columns` are those of all files, or none where they do not matter."""
        return TableRows(batch, path, columns)


def read_batches(path: str, row_groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some row groups in batches that fit into memory; number -1 has none."""
    file = parquet_files.open_file(path)
    batch_rows = max(1, _BATCH_CELLS // max(1, len(file.schema_arrow)))
    for batch in parquet_files.read_batches(path, batch_rows, [at for at in row_groups if at >= 0], file):
        yield _with_partitions(path, batch)


def _partition_fields(path: str, schema: pa.Schema) -> list[pa.Field]:
    """Return the columns that the names of a file's folders say; one that the file has itself is the file's."""
    types = {int: pa.int64(), str: pa.string(), type(None): pa.null()}
    values = parquet_partitions.values_of(path)
    return [pa.field(key, types[type(value)]) for key, value in values.items() if key not in schema.names]


def _schema_of(path: str, schema: pa.Schema) -> pa.Schema:
    for field in _partition_fields(path, schema):
        schema = schema.append(field)
    return schema


def _with_partitions(path: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    fields = _partition_fields(path, batch.schema)
    if not fields:
        return batch
    values = parquet_partitions.values_of(path)
    added = [pa.array([values[field.name]] * batch.num_rows, field.type) for field in fields]
    return pa.RecordBatch.from_arrays(
        [*batch.columns, *added], [*batch.schema.names, *(field.name for field in fields)]
    )


def conformed(batch: pa.RecordBatch, columns: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """Return a batch with exactly these columns, in their order; one that it lacks holds nulls."""
    places = {name: place for place, name in enumerate(batch.schema.names)}
    made = [
        arrow_features.variable_lists(batch.column(places[name])).cast(kind)
        if name in places
        else pa.nulls(batch.num_rows, kind)
        for name, kind in columns.items()
    ]
    return pa.RecordBatch.from_arrays(made, list(columns))


class TableRows(FeatureRows):
    """Rows of a Parquet file as features, hashed as stock TFX hashes them.

    Args:
        batch: The rows.
        path: Their file.
        columns: The columns of `table`, where not just those of the batch.
    """

    def __init__(self, batch: pa.RecordBatch, path: str, columns: Columns) -> None:
        super().__init__(_features(batch, path))
        self._columns = batch
        self._path = path
        self._all_columns = columns

    def table(self) -> pa.RecordBatch:
        """The features as lists, those of other files among them."""
        return conformed(super().table(), self._all_columns) if self._all_columns else super().table()

    def keys(self, feature: str | None) -> list[bytes]:
        """The serialized tf.Examples, or the serialized Feature of one column.

        Stock TFX takes 0, False and empty text for missing, and hashes the record without them. Here they
        are kept as values, and left out of the key alone, so that a row falls into the same split.
        """
        if feature is not None:
            names = self._columns.schema.names
            if feature not in names:
                raise DataError(
                    f"{self._path}: there is no column '{feature}', which partition_feature_name names. There is "
                    f"{listed(names)}.",
                    f"{did_you_mean(feature, names)}Split by a column that every file has, or by the whole row.",
                )
            return super().keys(feature)
        columns = [_without_zeros(column) for column in self._columns.columns]
        if all(new is old for new, old in zip(columns, self._columns.columns)):
            return self.records()
        bare = pa.RecordBatch.from_arrays(columns, self._columns.schema.names)
        return example_encoder.encode(_features(bare, self._path)).to_pylist()


def _features(batch: pa.RecordBatch, path: str) -> pa.RecordBatch:
    columns = [_feature(column, name, path) for name, column in zip(batch.schema.names, batch.columns)]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _feature(column: pa.Array, name: str, path: str) -> pa.Array:
    feature = arrow_features.as_feature(column, name, path)
    if pa.types.is_null(feature.type):
        return feature
    if pa.types.is_large_binary(feature.type.value_type):
        feature = feature.cast(pa.list_(pa.binary()))
    # As in TFX, an empty list is a feature without a value, like null.
    empty = pc.equal(feature.value_lengths(), 0)
    return pc.if_else(empty, pa.scalar(None, feature.type), feature) if pc.any(empty).as_py() else feature


def _without_zeros(column: pa.Array) -> pa.Array:
    """Return the column with null for 0, False and empty text; the column itself where it has none."""
    kind = arrow_features.feature_kind(column.type)
    if kind is None or pa.types.is_null(kind):
        return column
    values = arrow_features.decoded(column)
    if arrow_features.is_list(values.type):
        return column
    if pa.types.is_boolean(values.type):
        zeros = pc.invert(values)
    elif pa.types.is_integer(values.type):
        zeros = pc.equal(values, pa.scalar(0, values.type))
    elif pa.types.is_floating(values.type):
        zeros = pc.equal(arrow_features.as_values(values, pa.float64()), pa.scalar(0.0))
    else:
        values = arrow_features.as_values(values, pa.binary())
        zeros = pc.equal(pc.binary_length(values), 0)
    if not pc.any(zeros).as_py():
        return column
    return pc.if_else(zeros, pa.scalar(None, values.type), values)


def _other_type(path: str, field: pa.Field, earlier: str, kind: pa.DataType) -> MalformedFileError:
    return MalformedFileError(
        f"{path}: column '{field.name}' is {field.type}, and {kind} in {earlier}.",
        "write the column with one type, or read the files as splits of their own.",
    )
