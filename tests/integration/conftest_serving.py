"""Small SavedModels over the taxi data, and how to run an executor on them; imported where needed."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tfx
from tfx.types import standard_artifacts

from headrace.formats.examples import tfrecord
from headrace.testing import make_examples

_TESTDATA = os.path.join(os.path.dirname(tfx.__file__), "components", "testdata")
NUM_CLASSES = 3
_FEATURES = {
    "trip_miles": tf.io.FixedLenFeature([], tf.float32, 0.0),
    "fare": tf.io.FixedLenFeature([], tf.float32, 0.0),
    "trip_start_hour": tf.io.FixedLenFeature([], tf.int64, 0),
    "tips": tf.io.FixedLenFeature([], tf.float32, 0.0),
}
_EXAMPLES = [tf.TensorSpec([None], tf.string, name="examples")]


class TaxiModel(tf.Module):
    """Fixed weights; `kind` is binary, classes or regression."""

    def __init__(self, kind: str, bias: float) -> None:
        super().__init__()
        self.kind = kind
        self.weights = tf.Variable([0.02, 0.05, -0.01])
        self.bias = tf.Variable(bias)

    def _score(self, parsed: dict[str, Any]) -> Any:
        columns = [tf.cast(parsed[name], tf.float32) for name in ("trip_miles", "fare", "trip_start_hour")]
        return tf.linalg.matvec(tf.stack(columns, 1), self.weights) + self.bias

    @tf.function(input_signature=_EXAMPLES)
    def serve(self, examples: Any) -> dict[str, Any]:
        score = self._score(tf.io.parse_example(examples, _FEATURES))
        if self.kind == "binary":
            return {"output_0": tf.sigmoid(score)[:, None]}
        if self.kind == "classes":
            return {"output_0": tf.nn.softmax(tf.stack([score, 0.5 - score, score * 0.1], 1))}
        return {"output_0": score[:, None]}

    @tf.function(input_signature=_EXAMPLES)
    def transform(self, examples: Any) -> dict[str, Any]:
        parsed = tf.io.parse_example(examples, _FEATURES)
        big_tip = tf.cast(parsed["tips"] > parsed["fare"] * 0.2, tf.int64)
        number = tf.cast(tf.cast(parsed["trip_miles"], tf.int64) % NUM_CLASSES, tf.int64)
        return {
            "big_tip": big_tip[:, None],
            "class": number[:, None],
            "hour": parsed["trip_start_hour"][:, None],
        }


def export(path: Path, kind: str, bias: float) -> Any:
    """Save a `TaxiModel` and return it as a Model artifact."""
    module = TaxiModel(kind, bias)
    folder = path / f"{kind}{bias}" / "Format-Serving"
    signatures = {"serving_default": module.serve, "transform_features": module.transform}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return model_artifact(folder.parent)


def model_artifact(path: Path | str) -> Any:
    """A Model artifact at `path`."""
    model = standard_artifacts.Model()
    model.uri = str(path)
    return model


def taxi_records() -> list[bytes]:
    """TFX's own taxi Examples, train before eval."""
    paths = sorted(glob.glob(os.path.join(_TESTDATA, "csv_example_gen", "Split-*", "*.gz")))
    return [record for path in paths for batch in tfrecord.read_batches(path, 10_000) for record in batch]


def schema_artifact() -> Any:
    """TFX's taxi schema."""
    schema = standard_artifacts.Schema()
    schema.uri = os.path.join(_TESTDATA, "schema_gen")
    return schema


@pytest.fixture(scope="session")
def taxi_examples(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """2,000 rows to evaluate, 500 to train on."""
    records = taxi_records()
    path = tmp_path_factory.mktemp("examples")
    return make_examples(path, {"train": records[:500], "eval": records[500:2500]})


@pytest.fixture(scope="session")
def taxi_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Models by kind, and `baseline`, a binary one."""
    path = tmp_path_factory.mktemp("models")
    models = {kind: export(path, kind, -0.5) for kind in ("binary", "classes", "regression")}
    return {**models, "baseline": export(path, "binary", -0.4)}
