"""Read TFRecord files: records stay what they are."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from google.protobuf.message import DecodeError
from tfx.proto import example_gen_pb2

from headrace import files
from headrace.errors import DataError, MalformedFileError, UnsupportedFeatureError
from headrace.formats.examples import example_encoder, tfrecord
from headrace.formats.tfx_bsl_internals import example_coder
from headrace.sources import rows as rows_module
from headrace.sources.reading import Reader, group, shards_for
from headrace.sources.rows import Rows

_BATCH_RECORDS = 20_000
_PROTOS = {
    example_gen_pb2.FORMAT_TF_EXAMPLE: tf.train.Example,
    example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE: tf.train.SequenceExample,
}


class TFRecordReader(Reader):
    """TFRecord files. Such a file cannot be cut: it is read from its start, by one worker.

    Args:
        payload_format: What a record is, of `example_gen_pb2.PayloadFormat`.
    """

    def __init__(self, payload_format: int) -> None:
        self._payload_format = payload_format

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[str]]]:
        """Divide the files."""
        sizes = files.sizes_of(items)
        total = shards_for(sum(sizes), num_shards)
        return total, group(items, sizes, total)

    def read(self, pieces: Sequence[str], learned: Sequence[None]) -> Iterator[Rows]:
        """Yield batches of records.

        Raises:
            MalformedFileError: If a file is not TFRecord, or damaged, or holds other records.
        """
        proto_class = _PROTOS.get(self._payload_format)
        for path in pieces:
            first = 1
            for records in tfrecord.read_batches(path, _BATCH_RECORDS):
                yield (
                    RawRows(records) if proto_class is None else ProtoRows(records, proto_class, path, first)
                )
                first += len(records)


class RawRows(Rows):
    """Records of unknown content."""

    def __init__(self, records: list[bytes]) -> None:
        self.num_rows = len(records)
        self._records = records

    def records(self) -> list[bytes]:
        """The records as they are."""
        return self._records

    def keys(self, feature: str | None) -> list[bytes]:
        """The records as they are."""
        if feature is not None:
            raise rows_module.no_features()
        return self._records

    def table(self) -> pa.RecordBatch:
        """Not possible."""
        raise UnsupportedFeatureError("TFRecord files cannot be imported as Parquet.")


class ProtoRows(RawRows):
    """Records of tf.Example or tf.SequenceExample, brought into protobuf's deterministic form.

    Args:
        records: The records.
        proto_class: What they are.
        path: Their file, for messages.
        first: Number of the first of them in the file.
    """

    def __init__(self, records: list[bytes], proto_class: Any, path: str, first: int) -> None:
        self._proto_class = proto_class
        self._place = (path, first)
        super().__init__(self._deterministic(records))

    def keys(self, feature: str | None) -> list[bytes]:
        """The records, or one serialized Feature of each."""
        if feature is None:
            return self._records
        return [self._feature_key(row, record, feature) for row, record in enumerate(self._records)]

    @functools.cached_property
    def _parsed(self) -> list[Any]:
        """The features of each record, of a tf.SequenceExample those of its context."""
        protos = map(self._proto_class.FromString, self._records)
        return [(one.features if hasattr(one, "features") else one.context).feature for one in protos]

    @functools.cached_property
    def _batch(self) -> pa.RecordBatch:
        """The features as columns."""
        if self._proto_class is tf.train.Example:
            try:
                return example_coder.ExamplesToRecordBatchDecoder(None).DecodeBatch(self._records)
            except (RuntimeError, ValueError):
                pass
        names = dict.fromkeys(name for features in self._parsed for name in features)
        columns = [pa.array([_values(features, name) for features in self._parsed]) for name in names]
        return pa.RecordBatch.from_arrays(columns, list(names))

    def features(self) -> list[str]:
        """The names of the features, of a tf.SequenceExample those of its context."""
        return list(self._batch.schema.names)

    def column(self, feature: str) -> pa.Array | None:
        """The values of one of them."""
        names = self.features()
        return self._batch.columns[names.index(feature)] if feature in names else None

    def without(self, feature: str) -> Rows:
        """The records without one of them."""
        records = []
        for record in self._records:
            proto = self._proto_class.FromString(record)
            (proto.features if hasattr(proto, "features") else proto.context).feature.pop(feature, None)
            records.append(proto.SerializeToString(deterministic=True))
        return RawRows(records)

    def _feature_key(self, row: int, record: bytes, name: str) -> bytes:
        proto = self._proto_class.FromString(record)
        features = proto.features.feature if hasattr(proto, "features") else proto.context.feature
        if name not in features:
            raise rows_module.no_such_feature(name, list(features))
        kind = features[name].WhichOneof("kind")
        if kind is None:
            raise DataError(
                f"{self._named(row)}: partition_feature_name '{name}' has no value.",
                "split by a feature that every row has, or by the whole row.",
            )
        if kind == "float_list":
            raise rows_module.float_feature(name)
        return features[name].SerializeToString(deterministic=True)

    def _named(self, row: int) -> str:
        path, first = self._place
        return f"{path}: record {first + row}"

    def _deterministic(self, records: list[bytes]) -> list[bytes]:
        """Return the records with their maps in order.

        Parsing in Python costs 20 us a record. Rows that tfx_bsl decodes without a null cell have every feature,
        so encoding them again loses nothing, in a quarter of the time. Rows with a null go through Python,
        because there an absent feature and one without values look the same; so do rows that come back in
        another length, which had a field that tfx_bsl does not know.
        """
        if self._proto_class is not tf.train.Example:
            return [self._through_python(row, record) for row, record in enumerate(records)]
        try:
            batch = example_coder.ExamplesToRecordBatchDecoder(None).DecodeBatch(records)
        except (RuntimeError, ValueError):
            return [self._through_python(row, record) for row, record in enumerate(records)]
        if not batch.num_columns:
            return [self._through_python(row, record) for row, record in enumerate(records)]
        encoded = example_encoder.encode(batch).to_pylist()
        doubtful = np.array([len(new) != len(old) for new, old in zip(encoded, records)])
        for column in batch.columns:
            if column.null_count:
                doubtful |= column.is_null().to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(doubtful).tolist():
            encoded[row] = self._through_python(row, records[row])
        return encoded

    def _through_python(self, row: int, record: bytes) -> bytes:
        try:
            return self._proto_class.FromString(record).SerializeToString(deterministic=True)
        except DecodeError as error:
            raise MalformedFileError(
                f"{self._named(row)} is not a {self._proto_class.DESCRIPTOR.full_name}: {error}.",
                "give files of such records, or name their payload_format.",
            ) from error


def _values(features: Any, name: str) -> list[Any] | None:
    """The values of a feature; `None` where it has none."""
    kind = features[name].WhichOneof("kind") if name in features else None
    return None if kind is None else list(getattr(features[name], kind).value)
