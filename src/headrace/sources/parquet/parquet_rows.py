"""Read Parquet files whose rows stay rows of Parquet."""

from __future__ import annotations

import pickle

import pyarrow as pa

from headrace.errors import DataError, UnsupportedFeatureError
from headrace.sources.parquet.parquet_reader import Columns, ParquetReader, conformed
from headrace.sources.rows import Rows, no_features


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
            return ParquetRows(conformed(batch, columns))
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{path}: a value does not fit the type that its column has in other files: {error}.",
                "write the column with one type.",
            ) from error


class ParquetRows(Rows):
    """Rows of a Parquet file as they are."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.num_rows = batch.num_rows
        self._batch = batch

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
