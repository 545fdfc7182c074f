"""Models loaded and asked by TensorFlow, through the one interface."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest_serving import taxi_models, taxi_records

from headrace.errors import ModelError, ModelInputError
from headrace.formats.examples import example_encoder
from headrace.formats.examples.example_decoder import ExampleDecoder
from headrace.models import warmup
from headrace.models.model import load

_ = (taxi_models,)  # fixtures

RECORDS = taxi_records()[:100]
EXAMPLES = [tf.TensorSpec([None], tf.string, name="examples")]


def save(path: Path, serve: Any, signature: list[Any]) -> str:
    """Save a function as a model's only signature."""
    module = tf.Module()
    module.serve = tf.function(serve, input_signature=signature)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return str(path)


def test_answers_are_those_of_tensorflow_bit_for_bit(taxi_models: dict[str, Any]):
    """Of serialized Examples, and of an Arrow batch that is made into them."""
    path = f"{taxi_models['binary'].uri}/Format-Serving"
    wanted = tf.saved_model.load(path).signatures["serving_default"](examples=tf.constant(RECORDS))
    batch = ExampleDecoder().decode(RECORDS)

    with load(path, where="node") as model:
        for rows in (RECORDS, np.array(RECORDS, object), batch):
            outputs = model.predict(rows)
            assert {name: value.tobytes() for name, value in outputs.items()} == {
                name: value.numpy().tobytes() for name, value in wanted.items()
            }
        assert sorted(model.predict(RECORDS, "transform_features")) == ["big_tip", "class", "hour"]


def test_a_signature_of_tensors_takes_any_rows(tmp_path: Path):
    """Columns by name, and serialized Examples, which are parsed for it."""
    signature = [
        tf.TensorSpec([None, 1], tf.float32, name="fare"),
        tf.TensorSpec([None], tf.int64, name="hour"),
    ]
    path = save(
        tmp_path / "model", lambda fare, hour: {"y": fare[:, 0] + tf.cast(hour, tf.float32)}, signature
    )
    record = tf.train.Example()
    record.features.feature["fare"].float_list.value.append(1.5)
    record.features.feature["hour"].int64_list.value.append(2)
    records = [record.SerializeToString()] * 2

    model = load(path, where="node")

    for rows in ({"fare": [1.5, 1.5], "hour": [2, 2]}, records):
        assert model.predict(rows)["y"].tolist() == [3.5, 3.5]


def test_sparse_and_ragged_outputs_come_dense(tmp_path: Path):
    """Padded to the longest row."""

    def serve(examples: Any) -> dict[str, Any]:
        words = tf.strings.split(examples)
        return {"ragged": words, "sparse": words.to_sparse()}

    outputs = load(save(tmp_path / "model", serve, EXAMPLES), where="node").predict([b"a b", b"c"])

    assert {name: value.tolist() for name, value in outputs.items()} == {
        "ragged": [[b"a", b"b"], [b"c", b""]],
        "sparse": [[b"a", b"b"], [b"c", b""]],
    }


def test_a_keras_model_saved_by_tensorflow_is_asked_with_its_own_weights(tmp_path: Path):
    """Its variables lie there twice, and TensorFlow 1's loader restores those that nothing reads."""
    keras_model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(1)])
    keras_model.set_weights([np.array([[2.0], [3.0]]), np.array([1.0])])
    tf.saved_model.save(keras_model, str(tmp_path))

    model = load(str(tmp_path), where="node")

    (name,) = model.signatures["serving_default"].inputs
    (output,) = model.predict({name: [[1.0, 1.0]]}).values()
    assert output.tolist() == [[6.0]]


def test_a_record_that_the_model_cannot_read_is_told_in_a_sentence(taxi_models: dict[str, Any]):
    model = load(f"{taxi_models['binary'].uri}/Format-Serving", where="node")

    with pytest.raises(ModelInputError) as caught:
        model.predict([b"\xff\xff"])

    assert caught.value.problem.startswith(
        "node: signature 'serving_default' of the model cannot read the batch: "
    )
    assert "Could not parse example input" in caught.value.problem
    assert "Graph execution error" not in caught.value.problem


def test_a_model_whose_variables_are_gone_says_so(taxi_models: dict[str, Any], tmp_path: Path):
    content = Path(taxi_models["binary"].uri, "Format-Serving", "saved_model.pb").read_bytes()
    (tmp_path / "saved_model.pb").write_bytes(content)

    with pytest.raises(ModelError, match=rf"^node: the model \({tmp_path}\) cannot be loaded: \w+: "):
        load(str(tmp_path), where="node")


def test_requests_that_were_kept_are_answered(taxi_models: dict[str, Any], tmp_path: Path):
    """They are TensorFlow Serving's own protos, byte for byte as TensorFlow makes them."""
    from tensorflow_serving.apis import prediction_log_pb2

    from headrace.formats.examples import tfrecord

    path = save(tmp_path, lambda examples: {"n": tf.strings.length(examples)}, EXAMPLES)
    warmup.write(path, [("serving_default", "examples", b"row")], "taxi")
    ((record,),) = tfrecord.read_batches(str(tmp_path / "assets.extra/tf_serving_warmup_requests"), 10)
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.name = "taxi"
    log.predict_log.request.model_spec.signature_name = "serving_default"
    log.predict_log.request.inputs["examples"].CopyFrom(tf.make_tensor_proto([b"row"]))

    assert record == log.SerializeToString(deterministic=True)
    assert warmup.replay(load(path, where="node")) == 1


def test_arrow_batches_are_encoded_as_examples_are():
    """What the model gets of an Arrow batch is what it would read from the file."""
    batch = ExampleDecoder().decode(RECORDS)

    assert example_encoder.encode(batch).to_pylist() == [
        tf.train.Example.FromString(record).SerializeToString(deterministic=True) for record in RECORDS
    ]


@pytest.mark.parametrize(
    ("module", "name"),
    [("headrace.training.export", "export_model"), ("headrace.training.features", "Features")],
)
def test_former_places_still_work_and_warn(module: str, name: str):
    with pytest.warns(DeprecationWarning, match=rf"{module} is called headrace\.models\."):
        found = importlib.reload(importlib.import_module(module))

    assert getattr(found, name) is getattr(
        importlib.import_module(
            "headrace.models.exporters" if name == "export_model" else "headrace.models.features"
        ),
        name,
    )
