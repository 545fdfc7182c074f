"""Decode serialized tf.Examples into Arrow, ten times as fast as tfx_bsl and equal to it.

tfx_bsl reads each record into a protobuf map: 11.5 s for a million taxi rows, on one core, whatever the
schema. There are two ways around it.

Records that one writer wrote mostly list their features in one order; `uniform_examples` decodes these.
TensorFlow's `parse_example` takes any order and reads the wire format itself; but it must be told the
features, skips those it was not told of, and takes an empty list for a missing one. So its
answer is kept only where the length of every record accounts for it: a list of values takes at least the
bytes of its minimal encoding, so a record as long as the sum of these holds nothing else. Writers that
mark a missing feature by an entry, without a value as tfx_bsl does or with an empty list as TFX's
CsvExampleGen does, are accounted for by searching the record for that entry. Any other batch goes to
tfx_bsl.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.formats.examples.records import Records
from headrace.formats.examples.uniform_examples import BYTES, FLOAT, INT64, UniformDecoder
from headrace.formats.tfx_bsl_internals import example_coder

_TENSOR_TYPES = {INT64: tf.int64, FLOAT: tf.float32, BYTES: tf.string}

# So many rows are decoded by tfx_bsl to learn the features.
_LEARNING_ROWS = 200
# Data that keeps surprising the fast way, such as data with empty lists, is left to tfx_bsl.
_MAX_SURPRISES = 5
_MAX_ATTEMPTS = 4
# Of fewer rows, such as batches of very wide ones, going feature by feature gains nothing.
_LEAST_UNIFORM_ROWS = 200
# To search a record a hundred times takes as long as tfx_bsl takes to decode it.
_MAX_SEARCHES_PER_ROW = 100

Features = dict[str, pa.DataType]
Parse = Callable[[Any], Sequence[tuple[Any, Any]]]


class ExampleDecoder:
    """Decodes batches of serialized tf.Examples as `tfx_bsl.coders.example_coder` does.

    Not picklable: make one where records are decoded.

    Args:
        schema: Limits and orders the columns and fixes their types; without it a batch has a column for
            each feature that occurs in it, by name.
        wanted: Without a schema, the features that are needed: others may be left out.
    """

    def __init__(
        self, schema: schema_pb2.Schema | None = None, wanted: Collection[str] | None = None
    ) -> None:
        serialized = None if schema is None else schema.SerializeToString()
        self._complete = example_coder.ExamplesToRecordBatchDecoder(serialized)
        self._inferring = example_coder.ExamplesToRecordBatchDecoder(None)
        self._arrow_schema: pa.Schema | None = None if schema is None else self._complete.ArrowSchema()
        self._features: Features = {}
        # Features of which only entries without a value were seen.
        self._valueless: set[str] = set()
        self._surprises = 0
        self._uniform = UniformDecoder(wanted if self._arrow_schema is None else self._arrow_schema.names)
        self._uniform_surprises = 0
        if self._arrow_schema is not None and not self._learn(self._arrow_schema):
            self._surprises = _MAX_SURPRISES

    def decode(self, records: Sequence[bytes]) -> pa.RecordBatch:
        """Return one row per record: a column is `large_list<int64 | float | large_binary>`, null where missing.

        Args:
            records: 1 or more serialized tf.Examples; `Records` are not copied.
        """
        if self._uniform_surprises < _MAX_SURPRISES and len(records) >= _LEAST_UNIFORM_ROWS:
            batch = self._decode_uniform(records if isinstance(records, Records) else Records.of(records))
            if batch is not None:
                return batch
            self._uniform_surprises += 1
        return self._decode_any(records.to_list() if isinstance(records, Records) else records)

    def _decode_uniform(self, records: Records) -> pa.RecordBatch | None:
        """Return the batch; `None` where the records do not list their features in one order."""
        found = self._uniform.decode(records)
        if found is None:
            return None
        columns: dict[str, pa.Array] = {}
        for name, column in found.items():
            if column.kind is None:
                continue
            if self._arrow_schema is not None and self._arrow_schema.field(name).type != column.kind:
                return None
            if column.is_present.any():
                columns[name] = _make_list_array(
                    column.kind, column.values, column.offsets, column.is_present
                )
        unset = {name for name, column in found.items() if column.has_unset}
        return self._make_batch(columns, unset, len(records))

    def _decode_any(self, records: Sequence[bytes]) -> pa.RecordBatch:
        if self._surprises < _MAX_SURPRISES:
            if not self._features:
                self._learn_from(records[:_LEARNING_ROWS])
            for _ in range(_MAX_ATTEMPTS):
                batch, unexplained = self._decode_quickly(records)
                if batch is not None:
                    return batch
                if not self._learn_from([records[row] for row in unexplained[:_LEARNING_ROWS]]):
                    break
            self._surprises += 1
        return self._complete.DecodeBatch(records)

    def _learn_from(self, records: Sequence[bytes]) -> bool:
        """Learn the features of some records; return whether that taught anything."""
        if not records:
            return False
        before = len(self._features), len(self._valueless)
        try:
            is_learned = self._learn(self._inferring.DecodeBatch(records).schema)
        except RuntimeError:
            # A feature of two types. tfx_bsl says so in the end, unless a schema leaves the feature out.
            is_learned = False
        if not is_learned:
            self._surprises = _MAX_SURPRISES
            return False
        return before != (len(self._features), len(self._valueless))

    def _learn(self, found: pa.Schema) -> bool:
        """Add the features of `found`; `False` where two batches contradict each other."""
        features = dict(self._features)
        for field in found:
            if pa.types.is_null(field.type):
                self._valueless.add(field.name)
            elif field.type in _TENSOR_TYPES and features.setdefault(field.name, field.type) != field.type:
                return False
        self._valueless -= features.keys()
        if features != self._features:
            self._features = dict(sorted(features.items()))
        return True

    def _decode_quickly(self, records: Sequence[bytes]) -> tuple[pa.RecordBatch | None, Sequence[int]]:
        """Return the batch; or `None` and the rows that may hold more than was found, if these are known."""
        # A map entry may leave out an empty key, so its minimal size is not what `_entry_sizes` says.
        if not self._features or "" in self._features:
            return None, []
        try:
            parsed = _make_parse(tuple(self._features.items()))(np.array(records, dtype=object))
        except tf.errors.InvalidArgumentError:
            return None, []
        account = _Account(records)
        found: dict[str, tuple[pa.DataType, pa.Array, Any]] = {}
        for (name, kind), (values, offsets) in zip(self._features.items(), parsed):
            found[name] = kind, pa.array(values, type=kind.value_type), offsets
            account.add(name, kind, found[name][1], offsets)
        for name in self._valueless:
            account.add_missing(name, None, np.ones(len(records), bool))
        unexplained = account.unexplained_rows()
        if unexplained is None or len(unexplained):
            return None, unexplained or []
        columns: dict[str, pa.Array] = {}
        for name, (kind, value_array, offsets) in found.items():
            present = np.diff(offsets) > 0
            if name in account.empty:
                present |= account.empty[name]
            if present.any():
                columns[name] = _make_list_array(kind, value_array, offsets, present)
        return self._make_batch(columns, account.unset_names, len(records)), []

    def _make_batch(self, columns: dict[str, pa.Array], unset: set[str], num_rows: int) -> pa.RecordBatch:
        if self._arrow_schema is None:
            # tfx_bsl gives null type to a feature whose entries all lack a value.
            columns |= {name: pa.nulls(num_rows) for name in unset if name not in columns}
            names = sorted(columns)
            return pa.RecordBatch.from_arrays([columns[name] for name in names], names)
        return pa.RecordBatch.from_arrays(
            [columns.get(field.name, pa.nulls(num_rows, field.type)) for field in self._arrow_schema],
            schema=self._arrow_schema,
        )


class _Account:
    """Adds up what the features found in a batch take in each record, and compares it with the record.

    Args:
        records: The records of the batch.

    Attributes:
        empty: For features that have entries with an empty list, the rows of these.
        unset_names: Features that have an entry without a value in some row.
    """

    def __init__(self, records: Sequence[bytes]) -> None:
        self.empty: dict[str, Any] = {}
        self.unset_names: set[str] = set()
        self._records = records
        # Bytes of the entries in `Features.feature`.
        self._sizes = np.zeros(len(records), np.int64)
        self._missing: dict[str, tuple[pa.DataType | None, Any]] = {}

    def add(self, name: str, kind: pa.DataType, values: pa.Array, offsets: Any) -> None:
        """Add one feature: row `i` holds `values[offsets[i]:offsets[i + 1]]`."""
        lengths = np.diff(offsets)
        missing = lengths == 0
        self._sizes += np.where(missing, 0, _entry_sizes(name, values, offsets, lengths))
        if missing.any():
            self.add_missing(name, kind, missing)

    def add_missing(self, name: str, kind: pa.DataType | None, missing: Any) -> None:
        """Add the rows in which a feature has no value; `kind` is `None` where its type is not known."""
        self._missing[name] = kind, missing

    def unexplained_rows(self) -> list[int] | None:
        """Return the rows whose record may hold more than was added; `None` where to find out takes too long."""
        actual = np.fromiter(map(len, self._records), np.int64, len(self._records))
        # Without any feature a record may hold an empty `Features` or nothing at all.
        complete = np.where(self._sizes > 0, actual == _delimited(self._sizes), actual <= 2)
        if complete.all():
            return []
        sizes = self._sizes.copy()
        searched = {name: np.flatnonzero(missing & ~complete) for name, (_, missing) in self._missing.items()}
        if sum(map(len, searched.values())) > _MAX_SEARCHES_PER_ROW * len(actual):
            return None
        for name, (kind, _) in self._missing.items():
            rows = searched[name]
            marks = [(_entry(name), False)]
            if kind is not None:
                marks.append((_entry(name, kind), True))
            if len(rows):
                # A writer mostly keeps to one mark: look for that one first.
                marks.sort(key=lambda mark: mark[0] not in self._records[rows[0]])
            for entry, is_empty_list in marks:
                rows = self._find(name, entry, is_empty_list, rows, sizes)
        return np.flatnonzero(~complete & (actual != _delimited(sizes))).tolist()

    def _find(self, name: str, entry: bytes, is_empty_list: bool, rows: Any, sizes: Any) -> Any:
        """Add a mark's size in the rows that have it; return the other rows."""
        records = self._records
        has_mark = np.fromiter((entry in records[row] for row in rows.tolist()), bool, len(rows))
        marked = rows[has_mark]
        if len(marked):
            sizes[marked] += len(entry)
            if is_empty_list:
                self.empty[name] = np.zeros(len(records), bool)
                self.empty[name][marked] = True
            else:
                self.unset_names.add(name)
        return rows[~has_mark]


# Making one takes as long as parsing 100,000 records; the files of a data set share it.
@functools.lru_cache(maxsize=16)
def _make_parse(features: tuple[tuple[str, pa.DataType], ...]) -> Parse:
    """Return a function from an object array of records to `(values, offsets)` per feature.

    A session of its own, because the eager context would claim the memory of a GPU to parse text.
    """
    graph = tf.Graph()
    with graph.as_default():
        records = tf.compat.v1.placeholder(tf.string, [None])
        parsed = tf.io.parse_example(
            records,
            {
                name: tf.io.RaggedFeature(_TENSOR_TYPES[kind], row_splits_dtype=tf.int64)
                for name, kind in features
            },
        )
        fetches = [(parsed[name].values, parsed[name].row_splits) for name, _ in features]
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    parse: Parse = tf.compat.v1.Session(graph=graph, config=config).make_callable(
        fetches, feed_list=[records]
    )
    return parse


def _make_list_array(kind: pa.DataType, values: pa.Array, offsets: Any, present: Any) -> pa.Array:
    """Build a list array over `values`; a row that is not `present` is null."""
    num_missing = int(len(present) - np.count_nonzero(present))
    validity = pa.py_buffer(np.packbits(present, bitorder="little")) if num_missing else None
    return pa.Array.from_buffers(
        kind, len(present), [validity, pa.py_buffer(offsets)], null_count=num_missing, children=[values]
    )


def _varint_sizes(numbers: Any) -> Any:
    """Bytes that each number takes as a varint (protobuf's encoding guide); negative ones take 10."""
    unsigned = numbers.astype(np.uint64)
    sizes = np.ones(len(unsigned), np.int64)
    largest = int(unsigned.max(initial=0))
    for bits in range(7, 64, 7):
        if largest < 1 << bits:
            break
        sizes += unsigned >= np.uint64(1 << bits)
    return sizes


def _delimited(sizes: Any) -> Any:
    """Bytes of a length-delimited field, its tag and length included; field numbers here are below 16."""
    return 1 + _varint_sizes(sizes) + sizes


def _entry_sizes(name: str, values: pa.Array, offsets: Any, lengths: Any) -> Any:
    """Least bytes that each row's entry in `Features.feature` takes, where the row has values."""
    if pa.types.is_floating(values.type):
        payload = _delimited(4 * lengths)
    else:
        if pa.types.is_integer(values.type):
            sizes = _varint_sizes(values.to_numpy())
        else:
            ends = np.frombuffer(values.buffers()[1], np.int64, len(values) + 1, values.offset * 8)
            sizes = _delimited(np.diff(ends))
        sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        payload = sums[offsets[1:]] - sums[offsets[:-1]]
        if pa.types.is_integer(values.type):
            payload = _delimited(payload)
    key_size = _delimited(np.array([len(name.encode())]))[0]
    return _delimited(key_size + _delimited(_delimited(payload)))


def _entry(name: str, kind: pa.DataType | None = None) -> bytes:
    """The entry of a feature without a value, or with an empty list of this kind."""
    feature = tf.train.Feature()
    if kind == INT64:
        feature.int64_list.SetInParent()
    elif kind == FLOAT:
        feature.float_list.SetInParent()
    elif kind == BYTES:
        feature.bytes_list.SetInParent()
    return cast("bytes", tf.train.Features(feature={name: feature}).SerializeToString())
