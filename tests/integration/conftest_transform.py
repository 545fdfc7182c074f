"""Executions of Transform, Headrace's and stock TFX's, on small data, and readers of what they made."""

from __future__ import annotations

import glob
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
import tfx
from data_validation import example, taxi_records
from executor_contexts import executor_context
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.transform import executor as stock_executor
from tfx.types import standard_artifacts
from tfx_bsl.coders import example_coder

from headrace.components.transform.executor import Executor
from headrace.components.transform.stock import without_deep_copy
from headrace.formats.examples import tfrecord
from headrace.runtime.implementation import NAME_PROPERTY, REASON_PROPERTY, Implementation
from headrace.testing import make_examples

TAXI_FUNCTION = "tfx.examples.chicago_taxi_pipeline.taxi_utils_native_keras.preprocessing_fn"
TAXI_SCHEMA = os.path.join(os.path.dirname(tfx.__file__), "components/testdata/schema_gen")
STATISTICS = (
    "pre_transform_schema",
    "pre_transform_stats",
    "post_transform_schema",
    "post_transform_stats",
    "post_transform_anomalies",
)
_TYPES = {
    "transform_graph": standard_artifacts.TransformGraph,
    "transformed_examples": standard_artifacts.Examples,
    "updated_analyzer_cache": standard_artifacts.TransformCache,
    "pre_transform_schema": standard_artifacts.Schema,
    "pre_transform_stats": standard_artifacts.ExampleStatistics,
    "post_transform_schema": standard_artifacts.Schema,
    "post_transform_stats": standard_artifacts.ExampleStatistics,
    "post_transform_anomalies": standard_artifacts.ExampleAnomalies,
}


@dataclass
class Run:
    """One execution: its inputs, outputs and parameters."""

    folder: Path
    inputs: dict[str, list[Any]]
    outputs: dict[str, list[Any]]
    parameters: dict[str, Any] = field(default_factory=dict)

    def path(self, key: str) -> str:
        """Folder of one output."""
        return str(self.outputs[key][0].uri)

    def rows(self, split: str) -> pa.RecordBatch:
        """The transformed rows of a split."""
        return rows(os.path.join(self.path("transformed_examples"), f"Split-{split}"))

    @property
    def implementation(self) -> Implementation:
        """What did the work, as a launcher records it."""
        return Implementation(*(self.parameters.get(name, "") for name in (NAME_PROPERTY, REASON_PROPERTY)))

    def summary(self, key: str) -> str:
        """The line that is shown for an output."""
        return str(self.outputs[key][0].get_string_custom_property("headrace_summary"))


def rows(folder: str) -> pa.RecordBatch:
    """All records of a folder as one batch."""
    records = [
        record
        for path in sorted(glob.glob(f"{folder}/*.gz"))
        for batch in tfrecord.read_batches(path, 100_000)
        for record in batch
    ]
    return example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(records)


def taxi_schema() -> Any:
    """The Schema artifact of the taxi data that ships with TFX."""
    artifact = standard_artifacts.Schema()
    artifact.uri = TAXI_SCHEMA
    return artifact


def taxi_examples(folder: Path, num_rows: int = 1_500) -> Any:
    """Taxi Examples: two files to train, one to evaluate."""
    records = taxi_records(num_rows)
    third = num_rows // 3
    return make_examples(
        folder, {"train": [records[:third], records[third : 2 * third]], "eval": records[2 * third :]}
    )


def odd_schema() -> schema_pb2.Schema:
    """Features that every row has, and features that may be missing or have several values."""
    schema = schema_pb2.Schema()
    kinds = {"x": schema_pb2.FLOAT, "key": schema_pb2.BYTES, "number": schema_pb2.INT}
    for name, kind in kinds.items():
        feature = schema.feature.add(name=name, type=kind)
        feature.shape.SetInParent()
        feature.presence.min_fraction = 1.0
    schema.feature.add(name="tags", type=schema_pb2.BYTES)
    schema.feature.add(name="maybe", type=schema_pb2.FLOAT)
    schema.feature.add(name="unused", type=schema_pb2.INT)
    return schema


def odd_records(num_rows: int = 600, seed: int = 0) -> list[bytes]:
    """Rows for `odd_schema`: missing and several values, unicode, a key that occurs once, huge integers."""
    random = np.random.default_rng(seed)
    keys = ["a", "b", "Zürich", "日本"]
    records = []
    for row in range(num_rows):
        features: dict[str, Any] = {
            "x": [float(np.float32(random.normal(3.0, 2.0)))],
            "key": [keys[int(random.integers(4)) if row else 0].encode()],
            "number": [int(random.integers(-5, 6)) if row % 50 else 2**40 + row],
            "unused": [row],
        }
        if row % 3:
            features["tags"] = [f"t{int(random.integers(6))}".encode() for _ in range(row % 4)] or None
        if row % 5 == 0:
            features["maybe"] = [math.nan if row % 10 else 1.5]
        records.append(example(**features))
    return records


def outputs_in(folder: Path, *without: str) -> dict[str, list[Any]]:
    """Artifacts for every output of Transform, but those in `without`."""
    found = {}
    for key, kind in _TYPES.items():
        if key not in without:
            artifact = kind()
            artifact.uri = str(folder / key)
            found[key] = [artifact]
    return found


def transform(
    folder: Path,
    examples: Any,
    schema: Any,
    function: str,
    *,
    stock: bool = False,
    without: tuple[str, ...] = (),
    cache: Any = None,
    **parameters: Any,
) -> Run:
    """Run Transform's executor, Headrace's or the stock one."""
    inputs = {"examples": examples if isinstance(examples, list) else [examples], "schema": [schema]}
    if cache is not None:
        inputs["analyzer_cache"] = [cache]
    run = Run(folder, inputs, outputs_in(folder, *without))
    run.parameters = {"preprocessing_fn": function, "custom_config": "null", **parameters}
    executor_class: Any = stock_executor.Executor if stock else Executor
    with without_deep_copy():
        executor_class(executor_context(folder)).Do(run.inputs, run.outputs, run.parameters)
    return run


def assert_equal_rows(ours: pa.RecordBatch, theirs: pa.RecordBatch, tolerance: float = 2e-6) -> None:
    """Same features and rows; floats within `tolerance` of each other, relatively, NaN where NaN is."""
    assert sorted(ours.schema.names) == sorted(theirs.schema.names)
    assert ours.num_rows == theirs.num_rows
    for name in ours.schema.names:
        one, other = (batch.column(batch.schema.get_field_index(name)) for batch in (ours, theirs))
        assert one.value_lengths().equals(other.value_lengths()), name
        values, expected = one.flatten(), other.flatten()
        if pa.types.is_floating(values.type):
            np.testing.assert_allclose(
                values.to_numpy(), expected.to_numpy(), rtol=tolerance, atol=tolerance, err_msg=name
            )
        else:
            assert values.equals(expected), name


def transform_by_stock(folder: Path, examples: Any, schema: Any, function: str) -> Run:
    """Run stock TFX's executor for its graph and rows alone: statistics and cache take it more than half of its time."""
    without = (*STATISTICS, "updated_analyzer_cache")
    return transform(folder, examples, schema, function, stock=True, without=without, disable_statistics=1)


def tree(folder: str) -> list[str]:
    """Relative paths of all files."""
    return sorted(
        os.path.relpath(path, folder)
        for path in glob.glob(f"{folder}/**", recursive=True)
        if os.path.isfile(path)
    )


def vocabularies(run: Run) -> dict[str, bytes]:
    """Contents of the graph's assets."""
    folder = os.path.join(run.path("transform_graph"), "transform_fn", "assets")
    return {name: Path(folder, name).read_bytes() for name in tree(folder)} if os.path.isdir(folder) else {}


def tensors(records: list[bytes], schema: schema_pb2.Schema) -> Any:
    """Records parsed for a model."""
    kinds = {schema_pb2.BYTES: tf.string, schema_pb2.INT: tf.int64, schema_pb2.FLOAT: tf.float32}
    spec = {
        feature.name: tf.io.FixedLenFeature([], kinds[feature.type])
        if feature.HasField("shape")
        else tf.io.VarLenFeature(kinds[feature.type])
        for feature in schema.feature
    }
    return tf.io.parse_example(records, spec)
