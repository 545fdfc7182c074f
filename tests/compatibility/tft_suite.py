"""pytest plugin: TFT's own cases, computed by Transform.

A case hands rows, their schema, a `preprocessing_fn` and the rows that it expects to
`assertAnalyzeAndTransformResults`. Here the rows become tf.Examples in three files, which Transform analyzes and
transforms; the expected rows are compared with the records that it wrote.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import suite_surroundings
import tensorflow_transform as tft
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.beam import analyzer_cache, tft_unit
from tensorflow_transform.coders import example_proto_coder
from tfx.types import standard_artifacts

from headrace.components.transform.execution import Execution
from headrace.components.transform.request import Dataset, TransformRequest
from headrace.formats.examples import tfrecord
from headrace.runtime.context import ExecutionContext

NUM_FILES = 3
_taken: list[str] = []


def _dataset(folder: Path, records: list[bytes], output_path: str) -> Dataset:
    """The records in files, in order."""
    paths = [str(folder / f"data-{index}.gz") for index in range(min(NUM_FILES, len(records)))]
    for path, part in zip(paths, np.array_split(np.arange(len(records)), len(paths))):
        with tfrecord.Writer(path) as writer:
            writer.write([records[number] for number in part])
    key = analyzer_cache.DatasetKey("rows")
    return Dataset("rows", tuple(paths), "FORMAT_TF_EXAMPLE", key, "", output_path)


def _transform(folder: Path, schema: schema_pb2.Schema, function: Any, dataset: Dataset) -> str:
    """Run Transform; returns where the graph is."""
    graph = standard_artifacts.TransformGraph()
    graph.uri = str(folder / "graph")
    context = ExecutionContext("Transform", {}, {"transform_graph": [graph]}, {}, str(folder / "tmp"))
    request = TransformRequest(
        node_id="Transform",
        schema=schema,
        preprocessing_fn=function,
        stats_options_updater_fn=None,
        analyze=(dataset,),
        transform=(dataset,),
        splits=("rows",),
        force_tf_compat_v1=False,
        with_statistics=False,
    )
    Execution(context, request, lambda: beam.Pipeline(runner=FnApiRunner())).run()
    return str(graph.uri)


def _rows(folder: Path, schema: schema_pb2.Schema) -> list[Any]:
    """The transformed rows as the cases expect them."""
    shapes = {
        feature.name: [part.size for part in feature.shape.dim] if feature.HasField("shape") else [-1]
        for feature in schema.feature
    }
    return [
        tft_unit._format_example_as_numpy_dict(record, shapes)
        for name in sorted(os.listdir(folder))
        for batch in tfrecord.read_batches(str(folder / name), 1000)
        for record in batch
    ]


def _assert_results(
    self: Any,
    input_data: Any,
    input_metadata: Any,
    preprocessing_fn: Any,
    expected_data: Any = None,
    expected_metadata: Any = None,
    *_: Any,
    **__: Any,
) -> None:
    """In the place of `assertAnalyzeAndTransformResults`, for rows without another set to transform."""
    folder = Path(tempfile.mkdtemp())
    encode = example_proto_coder.ExampleProtoCoder(input_metadata.schema).encode
    dataset = _dataset(folder, [encode(row) for row in input_data], str(folder / "rows"))
    graph = _transform(folder, input_metadata.schema, preprocessing_fn, dataset)
    schema = tft.TFTransformOutput(graph).transformed_metadata.schema
    self.assertDataCloseOrEqual(expected_data, _rows(folder / "rows", schema))
    if expected_metadata is not None:
        assert expected_metadata.schema == schema
    _taken.append(self.id())


def pytest_configure(config: pytest.Config) -> None:
    """Put Headrace's code in the place of TFT's."""
    suite_surroundings.prepare()
    tft_unit.TransformTestCase.assertAnalyzeAndTransformResults = _assert_results


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how often Headrace's code was used: a suite that it never meets shows nothing."""
    terminalreporter.write_line(f"cases taken: {len(_taken)}")
