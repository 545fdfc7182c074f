"""Read Parquet files whose rows stay rows of Parquet."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataError, UnsupportedFeatureError
from headrace.formats.examples import arrow_features
from headrace.sources.division import row_hashes
from headrace.sources.parquet.parquet_reader import Columns, ParquetReader, conformed
from headrace.sources.rows import Rows, no_features, without_column


class ParquetPassReader(ParquetReader):
    """Parquet files whose rows are copied as they are, but for columns that other files have or have wider."""

    def __init__(self) -> None:
        super().__init__(has_one_schema=True)

    def check(self, path: str, schema: pa.Schema) -> None:
        """Any column will do."""

    def column_type(self, kind: pa.DataType) -> pa.DataType:
        """The column stays what it is; lists of one length, which cannot hold null, become lists of any."""
        return pa.list_(kind.value_type) if pa.types.is_fixed_size_list(kind) else kind

    def unite(self, one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
        """Return the wider of two types of numbers or texts."""
        if one.equals(other):
            return one
        if pa.types.is_integer(one) and pa.types.is_integer(other):
            return pa.int64()
        if pa.types.is_floating(one) and pa.types.is_floating(other):
            return pa.float64()
        texts = (pa.string(), pa.large_string())
        return pa.large_string() if one in texts and other in texts else None

    def rows(self, batch: pa.RecordBatch, path: str, columns: Columns) -> Rows:
        """Return a batch of rows with the columns of all files."""
        try:
            return ParquetRows(conformed(batch, columns), path)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{path}: a value does not fit the type that its column has in other files: {error}.",
                "write the column with one type.",
            ) from error


class ParquetRows(Rows):
    """Rows of a Parquet file as they are."""

    def __init__(self, batch: pa.RecordBatch, path: str) -> None:
        self.num_rows = batch.num_rows
        self._batch = batch
        self._path = path

    def table(self) -> pa.RecordBatch:
        """The rows."""
        return self._batch

    def records(self) -> list[bytes]:
        """Not possible."""
        raise UnsupportedFeatureError("ImportExampleGen keeps Parquet rows in Parquet files.")

    def keys(self, feature: str | None) -> list[bytes]:
        """Each row as a pickled dict: that is what stock TFX hashes here."""
        if feature is not None:
            raise no_features()
        columns = pa.Table.from_batches([self._batch]).to_pydict()
        return [pickle.dumps(dict(zip(columns, values))) for values in zip(*columns.values())]

    def features(self) -> list[str]:
        """The names of the columns."""
        return list(self._batch.schema.names)

    def column(self, feature: str) -> pa.Array | None:
        """The column of this name, as a feature.

        Raises:
            UnsupportedColumnError: If it has no form as one.
        """
        names = self.features()
        if feature not in names:
            return None
        return arrow_features.as_feature(self._batch.columns[names.index(feature)], feature, self._path)

    def content_hashes(self) -> NDArray[np.uint64]:
        """Of the rows as Python writes them: columns of any type may be among them."""
        rows = [repr(row).encode() for row in self._batch.to_pylist()]
        return row_hashes.text_hashes(pa.array(rows, pa.large_binary()))

    def without(self, feature: str) -> Rows:
        """The other columns."""
        return ParquetRows(without_column(self._batch, feature), self._path)
