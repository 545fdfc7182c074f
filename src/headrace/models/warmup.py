"""Requests kept beside a model, which who serves it replays before the first real one: TensorFlow Serving's form.

`assets.extra/tf_serving_warmup_requests` is a TFRecord file of `PredictionLog` protos, uncompressed; see TensorFlow
Serving's "SavedModel Warmup". Of its kinds of requests those of the predict method are written and replayed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.formats import saved_models
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord
from headrace.models.model import Model

_FILE = os.path.join(saved_models.EXTRA_FOLDER, "tf_serving_warmup_requests")
_STRING = "DT_STRING"
# More than TensorFlow Serving replays.
_MAX_REQUESTS = 1_000
# Where numbers of a type lie that are not packed, by type; halves as their bits.
_FIELDS = {
    "DT_HALF": ("half_val", "float16"),
    "DT_FLOAT": ("float_val", "float32"),
    "DT_DOUBLE": ("double_val", "float64"),
    "DT_INT64": ("int64_val", "int64"),
    "DT_UINT64": ("uint64_val", "uint64"),
    "DT_UINT32": ("uint32_val", "uint32"),
    "DT_BOOL": ("bool_val", "bool"),
    **{f"DT_{name.upper()}": ("int_val", name) for name in ("int32", "int16", "int8", "uint16", "uint8")},
}


@dataclass(frozen=True)
class Request:
    """A request of the predict method.

    Attributes:
        signature: What it calls.
        inputs: What it gives, by name.
    """

    signature: str
    inputs: dict[str, NDArray[Any]]


def write(model_path: str, requests: Sequence[tuple[str, str, bytes]], model_name: str) -> None:
    """Write requests of one serialized Example each into a model's folder.

    Args:
        model_path: The folder.
        requests: Signature, name of its input, and the Example, of each.
        model_name: What the requests call the model.
    """
    logs = []
    for signature, input_name, record in requests:
        log = proto_class("PredictionLog")()
        request = log.predict_log.request
        request.model_spec.name = model_name
        request.model_spec.signature_name = signature
        tensor = request.inputs[input_name]
        tensor.dtype = proto_class("DataType").Value(_STRING)
        tensor.tensor_shape.dim.add().size = 1
        tensor.string_val.append(record)
        logs.append(log.SerializeToString(deterministic=True))
    path = os.path.join(model_path, _FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tfrecord.Writer(path) as writer:
        writer.write(logs)


def read(model_path: str) -> Iterator[Request]:
    """Yield the requests kept in a model's folder; none where it has no such file."""
    path = os.path.join(model_path, _FILE)
    if not os.path.isfile(path):
        return
    for records in tfrecord.read_batches(path, _MAX_REQUESTS):
        for record in records:
            log = proto_class("PredictionLog").FromString(record)
            if log.WhichOneof("log_type") == "predict_log":
                request = log.predict_log.request
                inputs = {name: to_array(tensor) for name, tensor in request.inputs.items()}
                yield Request(request.model_spec.signature_name, inputs)


def replay(model: Model) -> int:
    """Call a model with the requests kept in its folder, so that the first real one is quick; return how many.

    Raises:
        ModelError: If the model cannot answer one.
    """
    count = 0
    for request in read(model.files.path):
        model.call(request.inputs, request.signature)
        count += 1
    return count


def to_array(tensor: Any) -> NDArray[Any]:
    """Return the values of a `TensorProto`; a tensor whose last values are equal holds the first of them."""
    kind = proto_class("DataType").Name(tensor.dtype)
    shape = tuple(dimension.size for dimension in tensor.tensor_shape.dim)
    if kind == _STRING:
        values: NDArray[Any] = np.array(list(tensor.string_val), dtype=object)
    else:
        field, name = _FIELDS[kind]
        if tensor.tensor_content:
            return np.frombuffer(tensor.tensor_content, name).reshape(shape)
        values = np.array(list(getattr(tensor, field)), "uint16" if kind == "DT_HALF" else name)
        values = values.view(name) if kind == "DT_HALF" else values
    missing = math.prod(shape) - len(values)
    if missing and len(values):
        values = np.concatenate([values, np.repeat(values[-1:], missing)])
    return values.reshape(shape)
