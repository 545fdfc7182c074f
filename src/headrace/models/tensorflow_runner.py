"""A SavedModel run by TensorFlow itself, as `tf.saved_model.load` loads it.

TFMA loads it so too, and an evaluation has the same bits as TFMA's. TensorFlow 1's sessions load faster, and may round
the last bit otherwise. Of a Keras 3 model that was saved with `tf.saved_model.save` they restore other variables than
those that the signatures read.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from headrace.formats import tensorflow_paths
from headrace.models.inputs import Arrays, Inputs
from headrace.models.runner import Refused
from headrace.models.signatures import Signature

tensorflow_paths.accept_any_folder()

# A model may use operations that these add to TensorFlow.
_ADD_ONS = ("tensorflow_text", "tensorflow_recommenders", "tensorflow_decision_forests", "struct2tensor")


class BareTensorFlowRunner:
    """A model in a process that knows no operations but TensorFlow's own, as a server; see `runner.Runner`."""

    def __init__(self, path: str, tags: Sequence[str]) -> None:
        try:
            self._loaded: Any = tf.saved_model.load(path, tags=list(tags))
        except Exception as error:
            # It raises what it comes across: of the operating system, of protobuf, of Python.
            raise Refused(type(error).__name__, str(error)) from error

    def run(self, signature: Signature, inputs: Inputs) -> Arrays:
        """Call a signature; see `Runner`."""
        function = self._loaded.signatures[signature.name]
        try:
            outputs = function(
                **{name: tf.constant(value, signature.inputs[name].dtype) for name, value in inputs.items()}
            )
            return {name: _dense(outputs[name]) for name in sorted(outputs)}
        except UnicodeDecodeError as error:
            # TensorFlow 2.16 fails to raise its error where the message quotes an example that is no text.
            raise Refused("InvalidArgumentError", bytes(error.object).decode(errors="replace")) from error
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise Refused(type(error).__name__, str(error)) from error

    def close(self) -> None:
        """Let go of the model."""
        self._loaded = None


class TensorFlowRunner(BareTensorFlowRunner):
    """A model with the operations of the packages that are installed beside TensorFlow."""

    def __init__(self, path: str, tags: Sequence[str]) -> None:
        for module in _ADD_ONS:
            with contextlib.suppress(ImportError, tf.errors.NotFoundError):
                importlib.import_module(module)
        super().__init__(path, tags)


def _dense(output: Any) -> NDArray[Any]:
    if isinstance(output, tf.SparseTensor):
        output = tf.sparse.to_dense(output)
    elif isinstance(output, tf.RaggedTensor):
        output = output.to_tensor()
    return np.asarray(output.numpy())
