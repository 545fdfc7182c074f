"""What comes after a Transform that makes ragged features, of one ragged dimension and of two."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest_serving import model_artifact
from conftest_training import artifact, execute, records
from conftest_transform import (
    odd_records,
    odd_schema,
    transform,
)
from evaluation import assert_close, evaluate, tables
from tensorflow_serving.apis import prediction_log_pb2
from tfx.components.bulk_inferrer import executor as stock_inferrer
from tfx.components.evaluator.executor import Executor as StockEvaluator

from headrace.components.bulk_inferrer import executor as bulk_inferrer
from headrace.components.evaluator.executor import Executor as Evaluator
from headrace.components.transform.tft_library import tft
from headrace.testing import make_examples, make_schema

NUM_ROWS = 40


def words_and_characters(inputs: dict[str, Any]) -> dict[str, Any]:
    """Words, their characters, pairs of a character, and a label."""
    words = tf.strings.split(
        tf.strings.join(["a b ", inputs["key"], " ", tf.strings.as_string(inputs["number"] % 4)])
    )
    characters = tf.strings.unicode_split(words, "UTF-8")
    return {
        "words": words,
        "characters": characters,
        "pairs": characters.with_flat_values(tf.stack([characters.flat_values] * 2, axis=1)),
        "y": tf.cast(inputs["number"] > 0, tf.int64),
        "query": inputs["key"],
    }


class Lengths(tf.Module):
    """A model that reads each ragged feature of a record."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self._spec = spec

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: Any) -> dict[str, Any]:
        """A score from the numbers of words, of characters and of pairs."""
        parsed = tf.io.parse_example(examples, self._spec)
        words = tf.cast(parsed["words"].row_lengths(), tf.float32)
        characters = tf.cast(tf.reduce_sum(parsed["characters"].row_lengths(axis=2), axis=1), tf.float32)
        pairs = tf.cast(tf.reduce_sum(parsed["pairs"].row_lengths(axis=2), axis=1), tf.float32)
        return {"score": tf.sigmoid(words + 3.0 * characters - 4.0 * pairs + 1.0)[:, None]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Transform."""
    folder = tmp_path_factory.mktemp("ragged")
    rows = make_examples(
        folder / "rows", {"train": odd_records(NUM_ROWS), "eval": [odd_records(NUM_ROWS), odd_records(9, 1)]}
    )
    schema = make_schema(folder / "schema", odd_schema())
    return transform(folder / "run", rows, schema, f"{__name__}.words_and_characters")


@pytest.fixture(scope="module")
def model(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of the transformed features."""
    folder = tmp_path_factory.mktemp("model")
    spec = tft.TFTransformOutput(made.path("transform_graph")).transformed_feature_spec()
    module = Lengths(spec)
    tf.saved_model.save(module, str(folder / "Format-Serving"), signatures=module.serve)
    return model_artifact(folder)


def _config(*slices: str) -> dict[str, Any]:
    metrics = [{"class_name": name} for name in ("ExampleCount", "BinaryAccuracy", "MeanPrediction")]
    return {
        "model_specs": [{"label_key": "y"}],
        "metrics_specs": [{"metrics": metrics}],
        "slicing_specs": [{}, *({"feature_keys": [name]} for name in slices)],
    }


OWN_EXTRACTORS = """
import tensorflow_model_analysis as tfma


def custom_extractors(eval_shared_model, eval_config, tensor_adapter_config):
    return tfma.default_extractors(eval_shared_model, eval_config, tensor_adapter_config=tensor_adapter_config)
"""


@pytest.mark.parametrize("with_schema", [True, False])
def test_evaluator(made: Any, model: Any, tmp_path: Path, with_schema: bool) -> None:
    """By batches and, with extractors, by rows; sliced by what a record holds of them: the numbers of stock TFX."""
    inputs = {"examples": made.outputs["transformed_examples"], "model": [model]}
    if with_schema:
        inputs["schema"] = made.outputs["post_transform_schema"]
    asked = _config("words$ragged_values", "characters$row_lengths_1", "query")
    by_batches, _ = evaluate(tmp_path / "batches", asked, inputs, Evaluator)
    stock, _ = evaluate(tmp_path / "stock", asked, inputs, StockEvaluator)

    expected = tables(stock)
    assert len(expected["metrics"]) > 10
    assert_close(tables(by_batches), expected)
    if with_schema:
        module = tmp_path / "extract.py"
        module.write_text(OWN_EXTRACTORS)
        by_rows, _ = evaluate(tmp_path / "rows", asked, inputs, Evaluator, module_file=str(module))
        assert_close(tables(by_rows), expected)


def test_bulk_inferrer(made: Any, model: Any, tmp_path: Path) -> None:
    """The predictions of stock TFX, for each record."""
    parameters = {"data_spec": '{"example_splits": ["eval"]}', "model_spec": "{}"}
    found = []
    for name, executor in (("ours", bulk_inferrer.Executor), ("stock", stock_inferrer.Executor)):
        result = artifact("InferenceResult", f"{tmp_path}/{name}")
        inputs = {"examples": made.outputs["transformed_examples"], "model": [model]}
        execute(executor, inputs, {"inference_result": [result]}, dict(parameters), tmp_path / name)
        found.append(sorted(map(_score, records(f"{result.uri}/prediction_logs-*.gz"))))

    assert len(found[0]) == NUM_ROWS + 9
    # Four words, and three characters beside those of the key: 1, 6 or 2.
    expected = {round(1 / (1 + math.exp(length - 2)), 4) for length in (1, 6, 2)}
    assert {round(score, 4) for score in found[0]} == expected
    np.testing.assert_allclose(*found, rtol=1e-5)


def _score(log: bytes) -> float:
    outputs = prediction_log_pb2.PredictionLog.FromString(log).predict_log.response.outputs
    return float(tf.make_ndarray(outputs["score"]).item())
