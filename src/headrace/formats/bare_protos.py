"""Protos of TensorFlow, TensorFlow Serving and TFMA without these libraries.

`from tensorflow.core...` runs TensorFlow's `__init__` and takes 4 s, TFMA's 8 s (tfx 1.16); the generated
modules themselves need protobuf alone and load in 10 ms. While `bare_packages()` is active the packages
are empty shells with the right `__path__`; afterwards none of their modules is left, so that a later
import gets the real library. What was imported before is used as it is.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_PACKAGES = ("tensorflow", "tensorflow_serving", "tensorflow_model_analysis")
_MODULES = {
    "Example": "tensorflow.core.example.example_pb2",
    "SequenceExample": "tensorflow.core.example.example_pb2",
    "SavedModel": "tensorflow.core.protobuf.saved_model_pb2",
    "BundleEntryProto": "tensorflow.core.protobuf.tensor_bundle_pb2",
    "BundleHeaderProto": "tensorflow.core.protobuf.tensor_bundle_pb2",
    "TrackableObjectGraph": "tensorflow.core.protobuf.trackable_object_graph_pb2",
    "DataType": "tensorflow.core.framework.types_pb2",
    "PredictionLog": "tensorflow_serving.apis.prediction_log_pb2",
    "MetricsForSlice": "tensorflow_model_analysis.proto.metrics_for_slice_pb2",
    "PlotsForSlice": "tensorflow_model_analysis.proto.metrics_for_slice_pb2",
}


@contextlib.contextmanager
def bare_packages() -> Iterator[None]:
    """Import protos inside this context; the libraries around them stay out."""
    if "tensorflow" in sys.modules:
        yield
        return
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and name not in sys.modules:
            shell = ModuleType(name)
            shell.__path__ = list(spec.submodule_search_locations or ())
            sys.modules[name] = shell
    try:
        yield
    finally:
        for name in list(sys.modules):
            if name.partition(".")[0] in _PACKAGES:
                del sys.modules[name]


@functools.cache
def proto_class(name: str) -> Any:
    """Return the class of a message, or the wrapper of an enum, such as `"Example"` or `"DataType"`."""
    with bare_packages():
        return getattr(importlib.import_module(_MODULES[name]), name)
