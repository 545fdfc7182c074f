"""Run ExampleGen executors, Headrace's and stock TFX's, and read what they wrote."""

from __future__ import annotations

import glob
import os
from collections import Counter

import apache_beam as beam
import tensorflow as tf
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.examples import chicago_taxi_pipeline
from tfx.types import standard_artifacts

TAXI = os.path.join(os.path.dirname(chicago_taxi_pipeline.__file__), "data", "simple")


def run(executor_class, component, folder, **parameters):
    """Execute on the component's properties, or others, without a driver; return the Examples artifact."""
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    os.makedirs(examples.uri, exist_ok=True)
    context = BaseBeamExecutor.Context(tmp_dir=f"{folder}.tmp", unique_id="1")
    executor = executor_class(context)
    # Beam's bare DirectRunner, which stock TFX uses, tries to download another runner first.
    executor._make_beam_pipeline = lambda: beam.Pipeline(runner=FnApiRunner())
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
