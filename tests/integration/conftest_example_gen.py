"""Run ExampleGen executors, Headrace's and stock TFX's, and read what they wrote."""

from __future__ import annotations

import glob
import math
import os
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from executor_contexts import executor_context
from tfx.examples import chicago_taxi_pipeline
from tfx.types import standard_artifacts

TAXI = os.path.join(os.path.dirname(chicago_taxi_pipeline.__file__), "data", "simple")


@pytest.fixture
def data(tmp_path):
    """An empty folder for the files that a test reads."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def table_of_all_types(num_rows=300):
    """Rows with a column of each type that has a form in tf.Example."""
    chooser = np.random.default_rng(7)
    return pa.table(
        {
            "int": pa.array(chooser.integers(1, 1000, num_rows)),
            "missing": pa.array([None if row % 3 else row + 1 for row in range(num_rows)]),
            "float": pa.array(chooser.random(num_rows) + 0.5),
            "nan": pa.array([math.nan] * num_rows),
            "single": pa.array(chooser.random(num_rows) + 0.5, pa.float32()),
            "text": pa.array([f"tëxt {row}" for row in range(num_rows)]),
            "bytes": pa.array([b"bytes %d" % row for row in range(num_rows)]),
            "list": pa.array([[1] * (row % 4) for row in range(num_rows)]),
            "texts": pa.array([["a", "b"], None, []] * (num_rows // 3)),
            "dictionary": pa.array(["x", "y", "z"] * (num_rows // 3)).dictionary_encode(),
            "small": pa.array([7] * num_rows, pa.int8()),
        }
    )


def run(executor_class, component, folder, **parameters):
    """Execute on the component's properties, or others, without a driver; return the Examples artifact."""
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    os.makedirs(examples.uri, exist_ok=True)
    executor = executor_class(executor_context(f"{folder}.tmp"))
    executor.Do({}, {"examples": [examples]}, {**component.exec_properties, **parameters})
    return examples


def records(examples, split):
    """The records of a split, through TensorFlow's own reader."""
    paths = sorted(glob.glob(os.path.join(examples.uri, f"Split-{split}", "*")))
    return [
        record.numpy() for path in paths for record in tf.data.TFRecordDataset(path, compression_type="GZIP")
    ]


def deterministic(serialized, proto_class=tf.train.Example):
    """The records counted, with their maps in order: stock TFX writes them in an order left to chance."""
    return Counter(
        proto_class.FromString(record).SerializeToString(deterministic=True) for record in serialized
    )


def files(folder):
    """Every file under a folder, with its bytes."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                found[os.path.relpath(os.path.join(path, name), folder)] = file.read()
    return found
