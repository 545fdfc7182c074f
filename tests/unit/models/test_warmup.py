"""Requests kept beside a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models

from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord
from headrace.models import warmup
from headrace.models.model import load

FILE = Path("assets.extra", "tf_serving_warmup_requests")


def test_what_was_written_is_replayed(tmp_path: Path):
    """Each request to its signature, with one Example."""
    path = small_models.serving(tmp_path)
    warmup.write(
        path, [("serving_default", "examples", b"one"), ("serving_default", "examples", b"two")], "taxi"
    )
    library = small_models.Library(lambda inputs: {})

    assert warmup.replay(load(path, where="node", open_runner=library.open)) == 2
    assert [(name, list(inputs["examples"])) for name, inputs in library.asked] == [
        ("serving_default", [b"one"]),
        ("serving_default", [b"two"]),
    ]


def test_a_model_without_requests_replays_none(tmp_path: Path):
    model = load(small_models.serving(tmp_path), where="node", open_runner=small_models.Library().open)

    assert warmup.replay(model) == 0


def test_other_kinds_of_requests_are_passed_over(tmp_path: Path):
    log = proto_class("PredictionLog")()
    log.classify_log.request.model_spec.name = "taxi"
    (tmp_path / FILE).parent.mkdir(parents=True)
    with tfrecord.Writer(str(tmp_path / FILE)) as writer:
        writer.write([log.SerializeToString()])

    assert list(warmup.read(str(tmp_path))) == []


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "expected"),
    [
        ("DT_FLOAT", {"float_val": [1.5]}, [2], np.array([1.5, 1.5], np.float32)),
        ("DT_INT64", {"tensor_content": np.array([[1], [2]]).tobytes()}, [2, 1], np.array([[1], [2]])),
        ("DT_INT32", {"int_val": [3]}, [], np.array(3, np.int32)),
        ("DT_BOOL", {"bool_val": [True, False]}, [2], np.array([True, False])),
        ("DT_HALF", {"half_val": [0x3C00]}, [1], np.array([1.0], np.float16)),
        ("DT_STRING", {"string_val": [b"a", b"b"]}, [2, 1], np.array([[b"a"], [b"b"]], object)),
    ],
)
def test_tensors_are_read_in_each_of_their_forms(
    tmp_path: Path, kind: str, fields: dict[str, Any], shape: list[int], expected: Any
):
    """A tensor of equal values holds one."""
    log = proto_class("PredictionLog")()
    tensor = log.predict_log.request.inputs["x"]
    tensor.dtype = proto_class("DataType").Value(kind)
    for size in shape:
        tensor.tensor_shape.dim.add().size = size
    for name, value in fields.items():
        if isinstance(value, bytes):
            setattr(tensor, name, value)
        else:
            getattr(tensor, name).extend(value)

    found = warmup.to_array(tensor)

    assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())
