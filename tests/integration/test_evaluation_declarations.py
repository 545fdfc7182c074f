"""Evaluator, InfraValidator and Pusher record what TFX's own record, so that either can run the other's node."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from tfx import components as stock
from tfx.proto import infra_validator_pb2, pusher_pb2
from tfx.types import Channel, standard_artifacts

from headrace.components import evaluator, infra_validator, pusher

MODEL = Channel(type=standard_artifacts.Model)
EXAMPLES = Channel(type=standard_artifacts.Examples)
EVAL_CONFIG = tfma.EvalConfig(
    model_specs=[tfma.ModelSpec(label_key="tips")],
    slicing_specs=[tfma.SlicingSpec()],
    metrics_specs=[tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="AUC")])],
)
SERVING_SPEC = infra_validator_pb2.ServingSpec(
    tensorflow_serving=infra_validator_pb2.TensorFlowServing(tags=["latest"]),
    local_docker=infra_validator_pb2.LocalDockerConfig(),
)
DESTINATION = pusher_pb2.PushDestination(
    filesystem=pusher_pb2.PushDestination.Filesystem(base_directory="/srv/models")
)


@pytest.mark.parametrize(
    ("our_class", "stock_class", "arguments"),
    [
        (
            evaluator.Evaluator,
            stock.Evaluator,
            {"examples": EXAMPLES, "model": MODEL, "eval_config": EVAL_CONFIG, "example_splits": ["eval"]},
        ),
        (evaluator.Evaluator, stock.Evaluator, {"examples": EXAMPLES, "eval_config": EVAL_CONFIG}),
        (
            infra_validator.InfraValidator,
            stock.InfraValidator,
            {"model": MODEL, "serving_spec": SERVING_SPEC, "examples": EXAMPLES},
        ),
        (
            pusher.Pusher,
            stock.Pusher,
            {"model": MODEL, "push_destination": DESTINATION, "custom_config": {"b": 1, "a": [2]}},
        ),
    ],
)
def test_declaration_equals_that_of_tfx(our_class: Any, stock_class: Any, arguments: dict[str, Any]) -> None:
    """Type, inputs, outputs and exec properties."""
    mine, theirs = our_class(**arguments), stock_class(**arguments)

    assert mine.type == theirs.type
    assert mine.exec_properties == theirs.exec_properties
    assert mine.inputs.keys() == theirs.inputs.keys()
    assert {key: channel.type for key, channel in mine.outputs.items()} == {
        key: channel.type for key, channel in theirs.outputs.items()
    }
    assert mine.spec.TYPE_ANNOTATION == theirs.spec.TYPE_ANNOTATION
    own = {"max_load_seconds", "max_memory_gb", "max_latency_ms"}
    own |= {
        "label",
        "prediction",
        "weight",
        "metrics",
        "slices",
        "require",
        "improve",
        "choose_threshold",
        "class_names",
    }
    assert mine.spec.PARAMETERS.keys() - own == theirs.spec.PARAMETERS.keys()
