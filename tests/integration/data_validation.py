"""Examples and executions that the tests of StatisticsGen, SchemaGen and ExampleValidator share."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import tensorflow as tf
import tfx
from executor_contexts import executor_context
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.coders import example_coder

from headrace.formats import protos
from headrace.formats.examples import examples as examples_io

TAXI_CSV = os.path.join(os.path.dirname(tfx.__file__), "examples/chicago_taxi_pipeline/data/simple/data.csv")


def taxi_records(num_rows: int | None = None) -> list[bytes]:
    """The taxi data as serialized tf.Examples."""
    table = pyarrow.csv.read_csv(TAXI_CSV).slice(0, num_rows)
    batch = table.combine_chunks().to_batches()[0]
    columns = [examples_io.as_feature(c, n, TAXI_CSV) for n, c in zip(batch.schema.names, batch.columns)]
    return list(
        example_coder.RecordBatchToExamplesEncoder().encode(
            pa.RecordBatch.from_arrays(columns, batch.schema.names)
        )
    )


def example(**features: Any) -> bytes:
    """One serialized tf.Example; a list of ints, floats, or bytes for each feature; `None` for no value."""
    proto = tf.train.Example()
    for name, values in features.items():
        feature = proto.features.feature[name]
        if values is None:
            continue
        if values and isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif values and isinstance(values[0], float):
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.SetInParent()
            feature.int64_list.value.extend(values)
    return bytes(proto.SerializeToString())


def odd_records() -> list[bytes]:
    """Missing values, several values, empty lists, unicode, huge integers, NaN and infinities."""
    records = []
    for row in range(2_500):
        features: dict[str, Any] = {
            "count": [row % 7],
            "huge": [2**63 - 1, -(2**63)] if row % 5 == 0 else [2**53 + row],
            "real": [math.nan, 1.5] if row % 11 == 0 else [float(row) / 3],
            "infinite": [math.inf if row % 3 else -math.inf, 0.25],
            "many": [float(value) for value in range(row % 6)] or None,
            "city": ["Zürich", "東京", "", "naïve"][row % 4].encode(),
            "id": f"id-{row}".encode(),
            "raw": b"\xff\xfe" + bytes([row % 256]),
            "tags": [f"tag{value}".encode() for value in range(row % 4)] or None,
        }
        features = {name: [v] if isinstance(v, bytes) else v for name, v in features.items()}
        if row % 4 == 0:
            del features["city"]
        if row % 13 == 0:
            features["empty"] = []
        if row > 2_000:
            features["late"] = [row]
        records.append(example(**features))
    return records


def in_files(records: Sequence[bytes], num_files: int) -> list[Sequence[bytes]]:
    """Divide records among files, as evenly as whole numbers allow, in their order."""
    size = -(-len(records) // num_files) or 1
    return [records[index * size : (index + 1) * size] for index in range(num_files)]


def execute(
    executor_class: Any,
    folder: Path,
    inputs: Mapping[str, Any],
    output_key: str,
    output_class: Any,
    parameters: Mapping[str, Any] | None = None,
) -> Any:
    """Run an executor as a launcher does, each input an artifact or several, and return its output artifact."""
    output = output_class()
    output.uri = str(folder / output_key)
    os.makedirs(output.uri)
    lists = {
        key: given if isinstance(given, list) else [given]
        for key, given in inputs.items()
        if given is not None
    }
    executor_class(executor_context(folder)).Do(lists, {output_key: [output]}, dict(parameters or {}))
    return output


def statistics_of(artifact: Any, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Read one split's statistics."""
    return protos.read_statistics(artifact, split)
