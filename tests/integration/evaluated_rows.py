"""Rows with labels and predictions in them, written as files in several ways; imported where needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from evaluation import evaluate
from google.protobuf import json_format
from tensorflow_model_analysis.proto import metrics_for_slice_pb2
from tfx.types import artifact_utils, standard_artifacts

from headrace.formats.examples import tfrecord

NUM_ROWS = 60
# How the rows fall into the files of one or more artifacts.
LAYOUTS: dict[str, list[list[int]]] = {
    "one file": [[60]],
    "several files": [[7, 13, 40]],
    "an empty file": [[0, 7, 0, 53]],
    "several spans": [[20, 1], [39]],
}


def example(row: Mapping[str, Any]) -> bytes:
    """A serialized `tf.train.Example` of a row."""
    made = tf.train.Example()
    for name, value in row.items():
        values = np.atleast_1d(value)
        feature = made.features.feature[name]
        if values.dtype.kind in "iub":
            feature.int64_list.value.extend(values.tolist())
        elif values.dtype.kind == "f":
            feature.float_list.value.extend(values.tolist())
        else:
            feature.bytes_list.value.extend([str(one).encode() for one in values.tolist()])
    return bytes(made.SerializeToString())


def rows() -> list[dict[str, Any]]:
    """Rows of a regression, of two, of three and of any number of classes, with weights and slices."""
    rng = np.random.default_rng(3)
    scores = np.exp(rng.normal(0, 2, (NUM_ROWS, 3)))
    scores = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    shares = rng.random(NUM_ROWS).astype(np.float32)
    many = rng.random((NUM_ROWS, 3)).astype(np.float32)
    value = rng.normal(3, 1, NUM_ROWS).astype(np.float32)
    found = []
    for at in range(NUM_ROWS):
        number = int(rng.choice(3, p=scores[at].astype(np.float64) / scores[at].astype(np.float64).sum()))
        found.append(
            {
                "value": value[at],
                "target": np.float32(value[at] + rng.normal(0, 0.5)),
                "far": np.float32(1_000_000 + at % 7),
                "far_value": np.float32(1_000_000 + at % 5),
                "share": shares[at],
                "is_it": np.float32(rng.random() < shares[at]),
                "scores": scores[at],
                "class": number,
                "one_hot": np.eye(3, dtype=np.float32)[number],
                "many": many[at],
                "labels": (rng.random(3) < many[at]).astype(np.float32),
                "weight": np.float32(rng.integers(0, 4)),
                "slice": "ab"[at % 2],
            }
        )
    return found


ROWS = rows()


def columns(*names: str, of_slice: str = "") -> list[np.ndarray]:
    """Columns of the rows of a slice, in float64."""
    kept = [row for row in ROWS if of_slice in ("", row["slice"])]
    return [np.array([row[name] for row in kept], np.float64) for name in names]


def weights(is_weighted: bool, of_slice: str = "") -> np.ndarray:
    """Of the rows of a slice."""
    (found,) = columns("weight", of_slice=of_slice)
    return found if is_weighted else np.ones_like(found)


def write(path: Path, records: Sequence[bytes], layout: Sequence[Sequence[int]]) -> list[Any]:
    """Write records as Examples artifacts of files of so many rows."""
    made, start = [], 0
    for number, sizes in enumerate(layout):
        folder = path / str(number) / "Split-eval"
        folder.mkdir(parents=True)
        for at, size in enumerate(sizes):
            name = f"data_tfrecord-{at:05}-of-{len(sizes):05}.gz"
            with tfrecord.Writer(str(folder / name)) as writer:
                writer.write(list(records[start : start + size]))
            start += size
        artifact = standard_artifacts.Examples()
        artifact.uri = str(folder.parent)
        artifact.split_names = artifact_utils.encode_split_names(["eval"])
        made.append(artifact)
    assert start == len(records)
    return made


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The same rows in each layout."""
    records = [example(row) for row in ROWS]
    return {name: write(tmp_path_factory.mktemp("rows"), records, layout) for name, layout in LAYOUTS.items()}


def config(label: str, prediction: str, *metrics: Any, **more: Any) -> dict[str, Any]:
    """An evaluation of predictions that come with the data; metrics by name, or name and config."""
    weight = {"example_weight_key": "weight"} if more.pop("is_weighted", False) else {}
    named = [{"class_name": one} if isinstance(one, str) else one for one in metrics]
    return {
        "model_specs": [{"label_key": label, "prediction_key": prediction, **weight}],
        "metrics_specs": [{"metrics": named}],
        "slicing_specs": [{}, {"feature_keys": ["slice"]}],
        **more,
    }


def measured(path: Path, asked: dict[str, Any], examples: list[Any]) -> dict[str, dict[str, Any]]:
    """Evaluate; returns metrics by slice (`""`, `"a"`, `"b"`) and name, with class where there is one."""
    evaluation, _ = evaluate(path, asked, {"examples": examples})
    return read(evaluation)


def read(evaluation: Any) -> dict[str, dict[str, Any]]:
    """Metrics of an evaluation by slice and name."""
    found: dict[str, dict[str, Any]] = {}
    for batch in tfrecord.read_batches(f"{evaluation.uri}/metrics-00000-of-00001.tfrecord", 1_000):
        for record in batch:
            content = json_format.MessageToDict(metrics_for_slice_pb2.MetricsForSlice.FromString(record))
            key = "".join(
                chr(b)
                for part in content.get("sliceKey", {}).get("singleSliceKeys", [])
                for b in _bytes(part)
            )
            values = found.setdefault(key, {})
            for item in content.get("metricKeysAndValues", []):
                sub_key = item["key"].get("subKey", {})
                name = "".join(
                    [item["key"]["name"], *[f" {kind} {value}" for kind, value in sub_key.items()]]
                )
                values[name] = (
                    float(item["value"]["doubleValue"]) if "doubleValue" in item["value"] else item["value"]
                )
    return found


def _bytes(part: Mapping[str, Any]) -> bytes:
    import base64

    return base64.b64decode(part["bytesValue"])
