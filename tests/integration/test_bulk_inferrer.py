"""BulkInferrer against stock TFX's on the same model and examples."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
import tensorflow as tf
from conftest_training import (
    DATA,
    artifact,
    execute,
    records,
    summary,
)
from tensorflow_serving.apis import prediction_log_pb2
from tfx.components.bulk_inferrer import executor as stock

from headrace.components.bulk_inferrer import executor as bulk_inferrer
from headrace.components.bulk_inferrer.executor import Executor
from headrace.errors import ModelError, UnknownSplitError
from headrace.formats.examples import tfrecord

pytest_plugins = ("conftest_training",)
PARAMETERS = {"data_spec": "{}", "model_spec": "{}"}


class ManyOutputs(tf.Module):
    """A model with outputs of several types and shapes."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        length = tf.strings.length(examples)
        return {
            "float": tf.cast(length, tf.float32),
            "floats": tf.cast(length[:, tf.newaxis] * [1, 2], tf.float32),
            "ints": tf.cast(length[:, tf.newaxis] * [1, -2], tf.int64),
            "int": tf.cast(length, tf.int64),
            "text": tf.strings.as_string(length)[:, tf.newaxis],
            "matrix": tf.cast(tf.ones_like(length)[:, tf.newaxis, tf.newaxis] * [[1, 2], [3, 4]], tf.float64),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def numbers(self, x):
        return {"y": x}


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> Any:
    """Two splits of a few files each."""
    path = tmp_path_factory.mktemp("examples")
    for split, count in (("unlabelled", 2), ("other", 1)):
        os.makedirs(path / f"Split-{split}")
        for number in range(count):
            name = f"data_tfrecord-{number:05}-of-00012.gz"
            shutil.copy(f"{DATA}/csv_example_gen/unlabelled/{name}", path / f"Split-{split}" / name)
    return artifact("Examples", path, ["unlabelled", "other"])


@pytest.fixture(scope="module")
def many_outputs(tmp_path_factory) -> Any:
    path = tmp_path_factory.mktemp("many")
    module = ManyOutputs()
    signatures = {"serving_default": module.serve, "numbers": module.numbers}
    tf.saved_model.save(module, f"{path}/Format-Serving", signatures=signatures)
    return artifact("Model", path)


def _logs(path):
    return [
        prediction_log_pb2.PredictionLog.FromString(one) for one in records(f"{path}/prediction_logs-*.gz")
    ]


def _with_parsed_example(log):
    """Stock parses and writes each example again, which may reorder its bytes."""
    for tensor in log.predict_log.request.inputs.values():
        tensor.string_val[0] = tf.train.Example.FromString(tensor.string_val[0]).SerializeToString(
            deterministic=True
        )
    return log.SerializeToString(deterministic=True)


def _both(model, examples, parameters, path, output="InferenceResult"):
    made = []
    key = "inference_result" if output == "InferenceResult" else "output_examples"
    for name, executor in (("stock", stock.Executor), ("ours", Executor)):
        result = artifact(output, f"{path}/{name}")
        inputs = {"examples": [examples], "model": [model]}
        execute(executor, inputs, {key: [result]}, dict(parameters), path)
        made.append(result)
    return made


def test_predictions_equal_stock(taxi_model, examples, tmp_path):
    """The same protos in the same file, for a model of the short form."""
    theirs, ours = _both(taxi_model["model"][0], examples, PARAMETERS, tmp_path)
    assert os.listdir(ours.uri) == os.listdir(theirs.uri) == ["prediction_logs-00000-of-00001.gz"]
    logs = _logs(ours.uri)
    assert summary(ours) == f"{len(logs):,} predictions"
    # Equal up to the rounding of another batch size.
    wanted = _by_example(_logs(theirs.uri))
    assert len(wanted) > 400
    found = _by_example(logs)
    assert found.keys() == wanted.keys()
    for example, log in wanted.items():
        value = log.predict_log.response.outputs["probabilities"]
        assert tf.make_ndarray(found[example].predict_log.response.outputs["probabilities"]) == pytest.approx(
            tf.make_ndarray(value), abs=1e-6
        )
        assert found[example].predict_log.request.model_spec == log.predict_log.request.model_spec


def _by_example(logs):
    found = {}
    for log in logs:
        _with_parsed_example(log)
        found[log.predict_log.request.inputs["examples"].string_val[0]] = log
    return found


def test_every_type_of_output_equals_stock(many_outputs, examples, tmp_path):
    """Scalars, vectors, matrices, integers and text are encoded as tfx_bsl encodes them."""
    parameters = {**PARAMETERS, "data_spec": '{"example_splits": ["other"]}'}
    theirs, ours = _both(many_outputs, examples, parameters, tmp_path)
    wanted = sorted(map(_with_parsed_example, _logs(theirs.uri)))
    assert sorted(map(_with_parsed_example, _logs(ours.uri))) == wanted
    assert len(wanted) > 100


@pytest.mark.parametrize("batch_rows", [1, 4, 4096])
def test_predictions_are_in_the_order_of_splits_files_and_rows(
    many_outputs, tmp_path, monkeypatch, batch_rows
):
    """However many rows a call of the model takes, each example has its own prediction, and none is lost."""
    monkeypatch.setattr(bulk_inferrer, "BATCH_ROWS", batch_rows)
    written = []
    for split in ("a", "b"):
        folder = tmp_path / "examples" / f"Split-{split}"
        folder.mkdir(parents=True)
        for number, count in enumerate((3, 0, 6)):
            made = [f"{split}{number}{'x' * (row * 7 % 5)}{row}".encode() for row in range(count)]
            with tfrecord.Writer(f"{folder}/data_tfrecord-{number:05}-of-00003.gz") as writer:
                writer.write(made)
            written += made
    result = artifact("InferenceResult", tmp_path / "result")
    inputs = {"examples": [artifact("Examples", tmp_path / "examples", ["a", "b"])], "model": [many_outputs]}

    execute(Executor, inputs, {"inference_result": [result]}, dict(PARAMETERS), tmp_path)

    logs = [log.predict_log for log in _logs(result.uri)]
    assert [log.request.inputs["examples"].string_val[0] for log in logs] == written
    assert [tf.make_ndarray(log.response.outputs["int"]).item() for log in logs] == list(map(len, written))
    assert summary(result) == f"{len(written)} predictions"


def test_classification_equals_stock(examples, tmp_path):
    """A model with a classify signature gives ClassifyLogs."""
    theirs, ours = _both(artifact("Model", f"{DATA}/trainer/current"), examples, PARAMETERS, tmp_path)
    wanted, found = (
        {
            one.classify_log.request.input.SerializeToString(deterministic=True): [
                klass.score for klass in one.classify_log.response.result.classifications[0].classes
            ]
            for one in _logs(side.uri)
        }
        for side in (theirs, ours)
    )
    assert len(_logs(ours.uri)) == len(_logs(theirs.uri))
    # Equal up to the rounding of another batch size.
    assert found == {example: pytest.approx(scores, abs=1e-6) for example, scores in wanted.items()}
    labels = [log.classify_log.response.result.classifications[0].classes[1].label for log in _logs(ours.uri)]
    assert set(labels) == {"1"}


def test_several_heads_equal_stock(examples, tmp_path):
    """A classifier's and a regressor's signature of one model give a MultiInferenceLog."""
    parameters = {**PARAMETERS, "model_spec": '{"model_signature_name": ["classification", "regression"]}'}
    theirs, ours = _both(artifact("Model", f"{DATA}/trainer/current"), examples, parameters, tmp_path)
    wanted, found = (
        {
            log.request.input.SerializeToString(deterministic=True): (
                [result.model_spec.signature_name for result in log.response.results],
                [
                    one.score
                    for one in log.response.results[0].classification_result.classifications[0].classes
                ],
                log.response.results[1].regression_result.regressions[0].value,
            )
            for log in (one.multi_inference_log for one in _logs(side.uri))
        }
        for side in (theirs, ours)
    )
    assert len(wanted) > 400
    assert found.keys() == wanted.keys()
    for example, (names, scores, value) in wanted.items():
        assert found[example] == (names, pytest.approx(scores, abs=1e-6), pytest.approx(value, abs=1e-6))


def test_output_examples_equal_stock(many_outputs, examples, tmp_path):
    """Predictions as further features of the examples, split by split."""
    spec = (
        '{"output_columns_spec": [{"predict_output": {"output_columns": '
        '[{"output_key": "float", "output_column": "p"}, {"output_key": "text", "output_column": "t"}]}}]}'
    )
    parameters = {**PARAMETERS, "output_example_spec": spec}
    theirs, ours = _both(many_outputs, examples, parameters, tmp_path, "Examples")
    assert ours.split_names == theirs.split_names == '["other", "unlabelled"]'
    for split in ("other", "unlabelled"):
        assert os.listdir(f"{ours.uri}/Split-{split}") == ["examples-00000-of-00001.gz"]
        pairs = [
            sorted(
                tf.train.Example.FromString(one).SerializeToString(deterministic=True)
                for one in records(f"{side.uri}/Split-{split}/*")
            )
            for side in (theirs, ours)
        ]
        assert pairs[0] == pairs[1]


def test_equal_input_gives_equal_bytes(many_outputs, examples, tmp_path):
    """The order is that of splits and files, and no time stamp is written."""
    contents = []
    for name in ("a", "b"):
        result = artifact("InferenceResult", f"{tmp_path}/{name}")
        inputs = {"examples": [examples], "model": [many_outputs]}
        execute(Executor, inputs, {"inference_result": [result]}, PARAMETERS, tmp_path / name)
        with open(f"{result.uri}/prediction_logs-00000-of-00001.gz", "rb") as file:
            contents.append(file.read())
    assert contents[0] == contents[1]


def test_model_not_blessed_predicts_nothing(many_outputs, examples, tmp_path):
    """As under stock TFX the output stays empty; the table says why."""
    blessing = artifact("ModelBlessing", tmp_path)
    blessing.set_int_custom_property("blessed", 0)
    result = artifact("InferenceResult", f"{tmp_path}/result")
    inputs = {"examples": [examples], "model": [many_outputs], "model_blessing": [blessing]}
    execute(Executor, inputs, {"inference_result": [result]}, PARAMETERS, tmp_path)
    assert not os.path.exists(result.uri)
    assert summary(result) == "no predictions: the model is not blessed"


def _failing(model, examples, path, **parameters):
    result = artifact("InferenceResult", f"{path}/result")
    inputs = {"examples": [examples], "model": [model]}
    execute(Executor, inputs, {"inference_result": [result]}, {**PARAMETERS, **parameters}, path)


def test_missing_signature_lists_those_there_are(many_outputs, examples, tmp_path):
    """The reader sees the name asked for, the names there are, and the likely typo."""
    with pytest.raises(ModelError) as caught:
        _failing(many_outputs, examples, tmp_path, model_spec='{"model_signature_name": ["number"]}')
    assert str(caught.value) == (
        f"bulk_inferrer: the model ({many_outputs.uri}/Format-Serving) has no signature 'number'. It has "
        "'numbers', 'serving_default'.\n"
        "  Fix: did you mean 'numbers'? Correct model_signature_name in model_spec, or save the model with this "
        "signature."
    )


def test_signature_that_takes_no_examples(many_outputs, examples, tmp_path):
    """The reader sees what the signature takes."""
    with pytest.raises(
        ModelError, match=r"the model's signature 'numbers' takes 'x' \(float32\), and one string"
    ):
        _failing(many_outputs, examples, tmp_path, model_spec='{"model_signature_name": ["numbers"]}')


@pytest.mark.parametrize("method", ["custom", "tensorflow/serving/regress"])
def test_a_signature_that_is_not_of_its_methods_form(many_outputs, examples, tmp_path, method):
    """tfx_bsl refuses it; the reader is told which model."""
    from headrace.formats import saved_models

    shutil.copytree(many_outputs.uri, tmp_path / "odd")
    path = f"{tmp_path}/odd/Format-Serving"
    proto = saved_models.read(path, "test")
    proto.meta_graphs[0].signature_def["serving_default"].method_name = method
    saved_models.write(path, proto)

    with pytest.raises(Exception, match=rf"bulk_inferrer: the model \({path}\) cannot be asked: "):
        _failing(artifact("Model", tmp_path / "odd"), examples, tmp_path)


def test_texts_in_one_dimension_are_logged(examples, tmp_path):
    """tfx_bsl cannot; as a column and as one for each row they are the same texts."""
    module = tf.Module()
    module.serve = tf.function(
        lambda examples: {"text": tf.strings.as_string(tf.strings.length(examples))},
        input_signature=[tf.TensorSpec([None], tf.string, name="examples")],
    )
    tf.saved_model.save(module, f"{tmp_path}/model/Format-Serving", signatures=module.serve)

    _failing(artifact("Model", tmp_path / "model"), examples, tmp_path)

    for log in (one.predict_log for one in _logs(f"{tmp_path}/result")):
        length = len(log.request.inputs["examples"].string_val[0])
        assert tf.make_ndarray(log.response.outputs["text"]).tolist() == [str(length).encode()]


def test_no_model(examples, tmp_path):
    """The reader sees where a model was expected."""
    with pytest.raises(
        ModelError, match=f"bulk_inferrer: there is no SavedModel in {tmp_path}/Format-Serving"
    ):
        _failing(artifact("Model", tmp_path), examples, tmp_path)


def test_unknown_split(many_outputs, examples, tmp_path):
    """Stock TFX predicts nothing for a split that does not exist; here the reader is told."""
    with pytest.raises(
        UnknownSplitError, match=r"there is no split 'othr'.*has splits 'other', 'unlabelled'"
    ):
        _failing(many_outputs, examples, tmp_path, data_spec='{"example_splits": ["othr"]}')
