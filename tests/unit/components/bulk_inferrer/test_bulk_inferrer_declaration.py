"""BulkInferrer's declaration."""

from __future__ import annotations

from headrace.authoring import Channel, standard_artifacts
from headrace.authoring.light import authoring
from headrace.components.bulk_inferrer.component import BulkInferrer

with authoring():
    from tfx.proto import bulk_inferrer_pb2


def test_properties_are_those_of_stock():
    """Protos in JSON form; the output is the inference result."""
    inferrer = BulkInferrer(
        Channel(type=standard_artifacts.Examples),
        Channel(type=standard_artifacts.Model),
        data_spec=bulk_inferrer_pb2.DataSpec(example_splits=["eval"]),
    )
    assert inferrer.exec_properties == {
        "data_spec": '{\n  "example_splits": [\n    "eval"\n  ]\n}',
        "model_spec": "{}",
        "output_example_spec": None,
    }
    assert list(inferrer.outputs) == ["inference_result"]
    assert BulkInferrer.get_class_type() == "tfx.components.bulk_inferrer.component.BulkInferrer"


def test_output_example_spec_asks_for_examples():
    """As in stock TFX, one output or the other."""
    spec = bulk_inferrer_pb2.OutputExampleSpec()
    spec.output_columns_spec.add().predict_output.output_columns.add(output_key="p", output_column="p")
    inferrer = BulkInferrer(Channel(type=standard_artifacts.Examples), output_example_spec=spec)
    assert list(inferrer.outputs) == ["output_examples"]
