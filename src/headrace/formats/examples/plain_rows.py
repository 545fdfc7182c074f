"""Rows of an Examples artifact in plain Python, without TensorFlow: enough for a page of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from headrace.authoring import Artifact
from headrace.formats import artifacts
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord

Row = dict[str, list[Any]]


def read_rows(examples: Artifact, split: str, limit: int) -> list[Row]:
    """Return the first rows of a split: feature name to its values; an empty list where it is missing.

    Raises:
        EmptyDataError: If the split has no file.
    """
    return list(itertools.islice(_rows(examples, split, limit), limit))


def _rows(examples: Artifact, split: str, limit: int) -> Iterator[Row]:
    payload = artifacts.payload_format(examples)
    for path in artifacts.split_files(examples, split):
        if payload == "FORMAT_PARQUET":
            from headrace.formats import parquet_files

            for batch in parquet_files.read_batches(path, limit):
                for row in batch.to_pylist():
                    yield {name: _listed(value) for name, value in row.items()}
        else:
            is_sequence = payload == "FORMAT_TF_SEQUENCE_EXAMPLE"
            for records in tfrecord.read_batches(path, limit):
                for record in records:
                    yield parse_record(record, is_sequence=is_sequence)


def parse_record(record: bytes, *, is_sequence: bool) -> Row:
    """Return the features of one serialized tf.Example, or of one SequenceExample with its steps put together."""
    return _sequence(record) if is_sequence else parse_example(record)


def parse_example(record: bytes) -> Row:
    """Return the features of one serialized tf.Example, by name."""
    return _features(proto_class("Example").FromString(record).features.feature)


def _sequence(record: bytes) -> Row:
    proto = proto_class("SequenceExample").FromString(record)
    row = _features(proto.context.feature)
    for name in sorted(proto.feature_lists.feature_list):
        steps = proto.feature_lists.feature_list[name].feature
        row[name] = [value for step in steps for value in _values(step)]
    return row


def _features(features: Any) -> Row:
    return {name: _values(features[name]) for name in sorted(features)}


def _values(feature: Any) -> list[Any]:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def columns_of(rows: list[Row]) -> list[str]:
    """Return the features of some rows, by name."""
    return sorted({name for row in rows for name in row})
