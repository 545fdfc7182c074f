"""A SavedModel's predictions for batches of serialized examples, as serialized `PredictionLog` protos."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import Message
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
from tfx_bsl.public.beam import run_inference
from tfx_bsl.public.proto import model_spec_pb2

from headrace.errors import ModelError, SchemaMismatchError, listed
from headrace.formats import saved_models, tensorflow_paths

tensorflow_paths.accept_any_folder()

# A model may use operations that these add to TensorFlow.
_ADD_ONS = ("tensorflow_text", "tensorflow_recommenders", "tensorflow_decision_forests", "struct2tensor")


def check_signatures(path: str, names: Sequence[str], tags: Sequence[str], where: str) -> None:
    """Check that the model at `path` has the signatures, and that each takes serialized examples.

    Raises:
        ModelError: If there is no model, or a signature is missing or takes something else, naming those
            that exist.
    """
    signatures = read_signatures(path, tags, where)
    for name in names or [saved_models.SERVING_SIGNATURE]:
        saved_models.check_signature(
            name, signatures, f"{where}: the model ({path})", "model_signature_name in model_spec"
        )
        if not saved_models.takes_serialized_examples(signatures[name]):
            inputs = sorted(signatures[name].inputs.items())
            takes = ", ".join(f"'{key}' ({tf.as_dtype(info.dtype).name})" for key, info in inputs)
            raise ModelError(
                f"{where}: the model's signature '{name}' takes {takes or 'nothing'}, and one string tensor of "
                "serialized examples is needed.",
                "name another signature in model_spec, or export one as "
                "headrace.training.export.export_model does.",
            )


def read_signatures(path: str, tags: Sequence[str], where: str) -> dict[str, Any]:
    """Return the signatures of the model's graph with these tags; no tags mean `serve`.

    Raises:
        ModelError: If there is no model, or no graph has the tags.
    """
    proto = saved_models.read(path, where)
    wanted = list(tags) or [tf.saved_model.SERVING]
    found = saved_models.signatures(proto, wanted)
    if not found:
        graphs = [sorted(graph.meta_info_def.tags) for graph in proto.meta_graphs]
        raise ModelError(
            f"{where}: the model ({path}) has no graph with the tags {listed(wanted)}. It has graphs with {graphs}.",
            "correct tag in model_spec.",
        )
    return found


class Predictor:
    """A loaded model.

    Signatures of the predict method are run here; those of TensorFlow 1's classify and regress methods by
    tfx_bsl, as under stock TFX.

    Args:
        path: Folder of the SavedModel.
        names: Signatures to use; empty for `serving_default`.
        tags: Tags of the graph; empty for `serve`.
        where: The node, for messages.
    """

    def __init__(self, path: str, names: Sequence[str], tags: Sequence[str], where: str) -> None:
        for module in _ADD_ONS:
            with contextlib.suppress(ImportError, tf.errors.NotFoundError):
                importlib.import_module(module)
        self._where = where
        tags = list(tags) or [tf.saved_model.SERVING]
        name = names[0] if names else tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        signature = read_signatures(path, tags, where)[name]
        self._handler: Any = None
        if len(names) > 1 or signature.method_name != tf.saved_model.PREDICT_METHOD_NAME:
            spec = model_spec_pb2.SavedModelSpec(model_path=path, tag=tags, signature_name=names)
            self._handler = run_inference.CreateModelHandler(
                model_spec_pb2.InferenceSpecType(saved_model_spec=spec)
            )
            self._model = self._handler.load_model()
            return
        self._model = tf.compat.v1.Session(graph=tf.Graph())
        tf.compat.v1.saved_model.loader.load(self._model, tags, path)
        input_name, input_info = next(iter(signature.inputs.items()))
        self._input_tensor = input_info.name
        self._output_tensors = {key: info.name for key, info in sorted(signature.outputs.items())}
        self._encoder = PredictLogEncoder(name, input_name)

    def predict(self, records: Sequence[bytes]) -> list[bytes]:
        """Return one serialized `PredictionLog` for each serialized example.

        Raises:
            SchemaMismatchError: If the model cannot read an example.
            ModelError: If the signature does not return one row for each example.
        """
        try:
            if self._handler is not None:
                logs = self._handler.run_inference(list(records), self._model)
                return [log.SerializeToString(deterministic=True) for log in logs]
            outputs = self._model.run(self._output_tensors, {self._input_tensor: records})
        except tf.errors.InvalidArgumentError as error:
            raise SchemaMismatchError(
                f"{self._where}: the model cannot read an example: {error.message.splitlines()[0]}",
                "predict for examples of the schema with which the model was trained.",
            ) from error
        for key, output in outputs.items():
            if output.ndim < 1 or output.shape[0] != len(records):
                raise ModelError(
                    f"{self._where}: output '{key}' of the model has shape {output.shape} for {len(records)} "
                    "examples.",
                    "export a signature whose outputs have one row for each example.",
                )
        return self._encoder.encode(records, outputs)


class PredictLogEncoder:
    """Writes `PredictionLog` protos of the predict method as tfx_bsl fills them, a batch at a time.

    All rows of a batch share every byte but the example and the values, so only these are joined anew for
    each row: 5 microseconds instead of the 100 that filling the protos takes.

    Args:
        signature_name: The signature that was run.
        input_name: The name of its input.
    """

    def __init__(self, signature_name: str, input_name: str) -> None:
        model_spec = predict_pb2.PredictRequest()
        model_spec.model_spec.signature_name = signature_name
        self._model_spec = model_spec.model_spec.SerializeToString()
        self._input_name = input_name
        log, predict = prediction_log_pb2.PredictionLog, prediction_log_pb2.PredictLog
        self._log = _key(log, "predict_log")
        self._request, self._response = _key(predict, "request"), _key(predict, "response")
        self._inputs = _key(predict_pb2.PredictRequest, "inputs")
        self._request_model_spec = _key(predict_pb2.PredictRequest, "model_spec")
        self._outputs = _key(predict_pb2.PredictResponse, "outputs")
        self._response_model_spec = _key(predict_pb2.PredictResponse, "model_spec")
        self._string_val = _key(tensor_pb2.TensorProto, "string_val")
        example = tf.make_tensor_proto([b"x"], shape=[1])
        example.ClearField("string_val")
        self._example_head = example.SerializeToString()

    def encode(self, records: Sequence[bytes], outputs: dict[str, np.ndarray[Any, Any]]) -> list[bytes]:
        """Return one serialized `PredictionLog` for each record; `outputs` have one row for each."""
        tensors = [(name, _tensor_protos(values)) for name, values in outputs.items()]
        request_tail = _field(self._request_model_spec, self._model_spec)
        response_tail = _field(self._response_model_spec, self._model_spec)
        result = []
        for row, record in enumerate(records):
            example = self._example_head + _field(self._string_val, record)
            request = _field(self._inputs, _entry(self._input_name, example)) + request_tail
            response = b"".join(_field(self._outputs, _entry(name, protos[row])) for name, protos in tensors)
            log = _field(self._request, request) + _field(self._response, response + response_tail)
            result.append(_field(self._log, log))
        return result


def _tensor_protos(values: np.ndarray[Any, Any]) -> list[bytes]:
    """Return each row as a serialized `TensorProto` with a first dimension of 1."""
    count = len(values)
    row_size = int(np.prod(values.shape[1:]))
    if not count or values.dtype.kind not in "fiu" or (row_size == 1 and values.dtype != np.float32):
        return [tf.make_tensor_proto(row[np.newaxis, ...]).SerializeToString() for row in values]
    head = tf.make_tensor_proto(values[:1])
    field = "tensor_content" if row_size > 1 else "float_val"
    head.ClearField(field)
    start = head.SerializeToString()
    key = _key(tensor_pb2.TensorProto, field)
    width = row_size * values.dtype.itemsize
    content = np.ascontiguousarray(values).tobytes()
    return (
        [start + _field(key, content[at : at + width]) for at in range(0, count * width, width)]
        if width
        else [start] * count
    )


def _entry(name: str, value: bytes) -> bytes:
    """One entry of a protobuf map: the key is field 1, the value field 2."""
    return _field(_KEY_1, name.encode()) + _field(_KEY_2, value)


def _key(message: type[Message], field: str) -> bytes:
    """The key of a length-delimited field on the wire (protobuf's encoding, wire type 2)."""
    return _varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | 2)


def _field(key: bytes, content: bytes) -> bytes:
    return key + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < 128:
        return _SHORT[number]
    result = bytearray()
    while number > 127:
        result.append(number & 127 | 128)
        number >>= 7
    result.append(number)
    return bytes(result)


_SHORT = [bytes([number]) for number in range(128)]
_KEY_1, _KEY_2 = _varint(1 << 3 | 2), _varint(2 << 3 | 2)
