"""InfraValidator, as declared in a pipeline."""

from __future__ import annotations

import json

import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.authoring.light import authoring
from headrace.components.infra_validator import InfraValidator
from headrace.errors import DefinitionError

with authoring():
    from tfx.proto import infra_validator_pb2


def model() -> Channel:
    """A channel of models."""
    return Channel(type=standard_artifacts.Model)


def test_keys_types_and_encodings_are_those_of_tfx() -> None:
    """Protos as JSON text; bounds that were not given are absent."""
    validator = InfraValidator(
        model(),
        infra_validator_pb2.ServingSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServing(tags=["latest"]),
            local_docker=infra_validator_pb2.LocalDockerConfig(),
        ),
        Channel(type=standard_artifacts.Examples),
        infra_validator_pb2.RequestSpec(num_examples=3),
        infra_validator_pb2.ValidationSpec(max_loading_time_seconds=60),
    )

    assert validator.type == "tfx.components.infra_validator.component.InfraValidator"
    assert set(validator.inputs) == {"model", "examples"}
    assert validator.outputs["blessing"].type is standard_artifacts.InfraBlessing
    assert {key: json.loads(value) for key, value in validator.exec_properties.items()} == {
        "serving_spec": {"tensorflow_serving": {"tags": ["latest"]}, "local_docker": {}},
        "request_spec": {"num_examples": 3},
        "validation_spec": {"max_loading_time_seconds": 60},
    }


def test_model_alone_is_enough() -> None:
    """No Docker image to choose, and bounds as plain numbers."""
    validator = InfraValidator(model(), request_spec={"num_examples": 2}, max_latency_ms=50)

    properties = validator.exec_properties
    assert json.loads(properties["serving_spec"]) == {"tensorflow_serving": {"tags": ["latest"]}}
    assert json.loads(properties["request_spec"]) == {"num_examples": 2}
    assert properties["max_latency_ms"] == 50.0
    assert "max_memory_gb" not in properties


def test_bound_of_nothing_is_refused() -> None:
    """Before a model is trained for it."""
    with pytest.raises(DefinitionError) as caught:
        InfraValidator(model(), max_memory_gb=0)

    assert str(caught.value) == (
        "InfraValidator: max_memory_gb is 0, which nothing can meet.\n  Fix: give a number above zero."
    )


def test_malformed_spec_names_the_field() -> None:
    """The proto's own words."""
    with pytest.raises(DefinitionError, match=r"InfraValidator: request_spec has no field 'num_exampels"):
        InfraValidator(model(), request_spec={"num_exampels": 2})
