"""Rows on their way from an input file to the splits."""

from __future__ import annotations

import abc
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataError, DefinitionError, UnsupportedFeatureError, did_you_mean, listed
from headrace.formats.examples import example_encoder, example_writer, tfrecord
from headrace.sources.division import row_hashes
from headrace.sources.feature_kinds import Kinds


class Rows(abc.ABC):
    """Some rows of the input, in its order.

    Attributes:
        num_rows: How many.
        kinds: The kind of each feature, where the reader does not know it of all rows beforehand: it is then compared
            with those of the other rows.
        notes: What the reader met on the way to these rows that a person should know of, such as `"converted from
            CMYK"`, and how often. They are added up, and stand in the summary of the run.
        columns: The kind of each column, of readers that tell: what changed since the run before is then said. Empty
            where no row had a value.
    """

    num_rows: int
    kinds: Kinds = types.MappingProxyType({})
    notes: Mapping[str, int] = types.MappingProxyType({})
    columns: Mapping[str, str] = types.MappingProxyType({})

    @abc.abstractmethod
    def keys(self, feature: str | None) -> list[bytes]:
        """Return the bytes that decide each row's split: of the whole row, or of one feature.

        Raises:
            DataError: If the feature is missing from a row, or not of bytes or integers.
            DefinitionError: If there is no such feature at all, or none can be told apart.
        """

    @abc.abstractmethod
    def records(self) -> list[bytes]:
        """Return each row as the payload of a TFRecord."""

    @abc.abstractmethod
    def table(self) -> pa.RecordBatch:
        """Return the rows as they go into a Parquet file."""

    def features(self) -> list[str]:
        """Return the names of the features that `column` can give.

        Raises:
            DefinitionError: If the rows have no features that are known.
        """
        raise DefinitionError(
            "records of unknown content have no features.", "divide them by_hash() or by shuffle()."
        )

    def column(self, feature: str) -> pa.Array | None:
        """Return the values of a feature, lists or of null type; `None` where none of these rows has it."""
        return None

    def content_hashes(self) -> NDArray[np.uint64]:
        """Return 64 bits for each row, equal for rows of equal content."""
        return row_hashes.text_hashes(pa.array(self.records(), pa.large_binary()))

    def without(self, feature: str) -> Rows:
        """Return the rows without a feature, such as one that only named their splits."""
        raise UnsupportedFeatureError(f"'{feature}' cannot be left out of records of unknown content.")


class FeatureRows(Rows):
    """Rows with one column per feature, each of lists or of null type."""

    def __init__(
        self,
        batch: pa.RecordBatch,
        kinds: Kinds | None = None,
        notes: Mapping[str, int] | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self.num_rows = batch.num_rows
        self._batch = batch
        self._records: list[bytes] | None = None
        if kinds is not None:
            self.kinds = kinds
        if notes is not None:
            self.notes = notes
        if columns is not None:
            self.columns = columns

    def records(self) -> list[bytes]:
        """Serialized tf.Examples."""
        if self._records is None:
            self._records = example_encoder.encode(self._batch).to_pylist()
        return self._records

    def table(self) -> pa.RecordBatch:
        """The features, as lists."""
        return self._batch

    def keys(self, feature: str | None) -> list[bytes]:
        """The serialized tf.Examples, or the serialized Feature of one column."""
        if feature is None:
            return self.records()
        return feature_keys(self._batch, feature)

    def features(self) -> list[str]:
        """The names of the columns."""
        return list(self._batch.schema.names)

    def column(self, feature: str) -> pa.Array | None:
        """The column of this name."""
        names = self._batch.schema.names
        return self._batch.columns[names.index(feature)] if feature in names else None

    def content_hashes(self) -> NDArray[np.uint64]:
        """Of all features that have a value, whatever their order."""
        return row_hashes.row_hashes(self._batch)

    def without(self, feature: str) -> Rows:
        """The other columns, those of the whole input among them."""
        kinds = {name: kind for name, kind in self.kinds.items() if name != feature}
        return FeatureRows(without_column(self.table(), feature), kinds)


def without_column(batch: pa.RecordBatch, name: str) -> pa.RecordBatch:
    """Return a batch without a column."""
    kept = [(one, column) for one, column in zip(batch.schema.names, batch.columns) if one != name]
    return pa.RecordBatch.from_arrays([column for _, column in kept], [one for one, _ in kept])


def feature_keys(batch: pa.RecordBatch, feature: str) -> list[bytes]:
    """Return each row's serialized Feature of one column; see `Rows.keys`."""
    names = batch.schema.names
    if feature not in names:
        raise no_such_feature(feature, names)
    column = batch.columns[names.index(feature)]
    if pa.types.is_null(column.type) or column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(
            f"partition_feature_name '{feature}' has no value in row {row + 1} of a block of {len(column)}.",
            "split by a feature that every row has, or by the whole row.",
        )
    if pa.types.is_floating(column.type.value_type):
        raise float_feature(feature)
    return example_encoder.encode_feature(column).to_pylist()


def no_such_feature(feature: str, names: Sequence[str]) -> DefinitionError:
    """The error for a partition feature that rows do not have."""
    return DefinitionError(
        f"partition_feature_name '{feature}' is not a feature of the input. It has {listed(names)}.",
        f"{did_you_mean(feature, names)}Correct partition_feature_name in output_config.",
    )


def float_feature(feature: str) -> DefinitionError:
    """The error for a partition feature of floats."""
    return DefinitionError(
        f"partition_feature_name '{feature}' holds floats; bytes and integers can be split by.",
        "name another feature in output_config.",
    )


def no_features() -> DefinitionError:
    """The error for a partition feature of rows that have none."""
    return DefinitionError(
        "partition_feature_name works for FORMAT_TF_EXAMPLE and FORMAT_TF_SEQUENCE_EXAMPLE only.",
        "drop it from output_config, so that whole records decide.",
    )


class SplitFiles:
    """The open files of one split in one part of the work: its shards.

    Args:
        folder: The split's folder.
        shards: Numbers of the shards to write; batches go to them in turn.
        num_shards: The number of shards of the split in all.
        is_parquet: Whether to write Parquet; else TFRecord.
    """

    def __init__(self, folder: str, shards: Sequence[int], num_shards: int, is_parquet: bool) -> None:
        self._folder = folder
        self._num_shards = num_shards
        self._is_parquet = is_parquet
        self._writers: dict[int, example_writer.SplitWriter] = {}
        self._shards = shards
        self._num_batches = 0
        self._schema: pa.Schema | None = None
        self.num_rows = 0

    def write(self, rows: Rows, chosen: NDArray[Any]) -> None:
        """Append the rows at the positions `chosen`, in order."""
        shard = self._shards[self._num_batches % len(self._shards)]
        self._num_batches += 1
        self.num_rows += len(chosen)
        if self._is_parquet:
            table = rows.table()
            self._schema = table.schema
            if len(chosen) < table.num_rows:
                table = table.take(pa.array(chosen)) if len(chosen) else table.slice(0, 0)
            self._writer(shard).write(table)
        else:
            records = rows.records()
            if len(chosen) < len(records):
                records = [records[row] for row in chosen.tolist()]
            self._writer(shard).write(records)

    def _writer(self, shard: int) -> example_writer.SplitWriter:
        if shard not in self._writers:
            if self._is_parquet:
                path = example_writer.parquet_path(self._folder, shard, self._num_shards)
                self._writers[shard] = example_writer.ParquetWriter(path, self._schema)
            else:
                path = example_writer.tfrecord_path(self._folder, shard, self._num_shards)
                self._writers[shard] = tfrecord.Writer(path)
        return self._writers[shard]

    def close(self, error: BaseException | None) -> None:
        """Finish the files, each shard having one even without rows; with an `error`, remove them."""
        if error is None and (not self._is_parquet or self._schema is not None):
            for shard in self._shards:
                self._writer(shard)
        for writer in self._writers.values():
            writer.__exit__(type(error) if error else None, error, None)
