"""Runs Evaluator, ours or TFX's own, and compares what they wrote; imported where needed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from executor_contexts import executor_context
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2
from tfx.components.evaluator.executor import Executor as StockExecutor
from tfx.types import standard_artifacts

from headrace.components.evaluator.executor import Executor
from headrace.errors import HeadraceError
from headrace.formats.examples import tfrecord

SPEC = {"preprocessing_function_names": ["transform_features"], "label_key": "big_tip"}


def evaluate(
    path: Path,
    config: dict[str, Any],
    inputs: dict[str, list[Any]],
    executor: Any = Executor,
    recorded: dict[str, Any] | None = None,
    **parameters: Any,
) -> tuple[Any, Any]:
    """Run an executor; returns its evaluation and blessing. `recorded` gets the properties of the execution."""
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(path / "evaluation"), str(path / "blessing")
    properties = {"eval_config": json.dumps(config), "example_splits": "null", **parameters}
    executor(executor_context(path)).Do(
        inputs, {"evaluation": [evaluation], "blessing": [blessing]}, properties
    )
    if recorded is not None:
        recorded.update(properties)
    return evaluation, blessing


def binary_config(*thresholds: dict[str, Any], **more: Any) -> dict[str, Any]:
    """BinaryAccuracy of the binary model, with its thresholds."""
    metric = {"class_name": "BinaryAccuracy", **({"threshold": thresholds[0]} if thresholds else {})}
    return {
        "model_specs": [SPEC],
        "metrics_specs": [{"metrics": [{"class_name": "ExampleCount"}, metric]}],
        "slicing_specs": [{}],
        **more,
    }


def eval_config(*names: Any, **spec: Any) -> Any:
    """An EvalConfig with metrics by name."""
    metrics = [{"class_name": one} if isinstance(one, str) else one for one in names]
    content = {"model_specs": [{"label_key": "y"}], "metrics_specs": [{"metrics": metrics, **spec}]}
    return json_format.ParseDict(content, config_pb2.EvalConfig())


def tables(evaluation: Any) -> dict[str, dict[str, Any]]:
    """Metrics and plots by slice, as plain values."""
    protos = {
        "metrics": metrics_for_slice_pb2.MetricsForSlice,
        "plots": metrics_for_slice_pb2.PlotsForSlice,
        "attributions": metrics_for_slice_pb2.AttributionsForSlice,
    }
    found: dict[str, dict[str, Any]] = {}
    for name, proto_class in protos.items():
        found[name] = {}
        for batch in tfrecord.read_batches(f"{evaluation.uri}/{name}-00000-of-00001.tfrecord", 1_000):
            for record in batch:
                content = json_format.MessageToDict(proto_class.FromString(record))
                slice_key = json.dumps(content.pop("sliceKey", {}), sort_keys=True)
                # A slice that is too small has a map with TFMA's reason instead of a list.
                listed = [[value] if isinstance(value, dict) else value for value in content.values()]
                values = [item for items in listed for item in items]
                values.sort(key=lambda item: json.dumps(item.get("key", {}), sort_keys=True))
                found[name][slice_key] = values
    return found


def assert_close(ours: Any, stock: Any, where: str = "") -> None:
    """Equal but for the rounding of sums."""
    if isinstance(stock, dict):
        assert ours.keys() == stock.keys(), where
        for key in stock:
            assert_close(ours[key], stock[key], f"{where}/{key}")
    elif isinstance(stock, list):
        assert len(ours) == len(stock), where
        for number, (one, other) in enumerate(zip(ours, stock)):
            assert_close(one, other, f"{where}/{number}")
    elif isinstance(stock, float):
        assert (math.isnan(ours) and math.isnan(stock)) or ours == pytest.approx(stock, rel=1e-5, abs=1e-6), (
            where
        )
    else:
        assert ours == stock, where


def assert_same_evaluation(path: Path, config: dict[str, Any], inputs: dict[str, list[Any]]) -> Any:
    """Both executors give the same numbers, verdict, files and properties; returns our evaluation."""
    stock, stock_blessing = evaluate(path / "stock", config, inputs, StockExecutor)
    ours, blessing = evaluate(path / "ours", config, inputs)
    assert_close(tables(ours), tables(stock))
    assert tfma.load_eval_result(ours.uri).config == tfma.load_eval_result(stock.uri).config
    read = {name: tfma.load_validation_result(item.uri) for name, item in (("ours", ours), ("stock", stock))}
    assert read["ours"].validation_ok == read["stock"].validation_ok
    failed = [
        sorted(str(part.slice_key) for part in result.metric_validations_per_slice)
        for result in read.values()
    ]
    assert failed[0] == failed[1]
    names = [
        {item.name for item in Path(uri).iterdir()} if Path(uri).exists() else set()
        for uri in (blessing.uri, stock_blessing.uri)
    ]
    assert names[0] == names[1]
    for name in ("current_model", "baseline_model"):
        assert blessing.get_string_custom_property(name) == stock_blessing.get_string_custom_property(name)
    for name in ("blessed", "current_model_id", "baseline_model_id"):
        assert blessing.get_int_custom_property(name) == stock_blessing.get_int_custom_property(name)
    return ours


def fails(
    path: Path, config: dict[str, Any], inputs: dict[str, list[Any]], **parameters: Any
) -> HeadraceError:
    """Run, and return what it raises."""
    with pytest.raises(HeadraceError) as caught:
        evaluate(path, config, inputs, **parameters)
    return caught.value
