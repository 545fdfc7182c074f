"""The weights of a SavedModel, read from its checkpoint without loading the model."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.formats import tensorflow_paths

_ENDING = "/.ATTRIBUTES/VARIABLE_VALUE"


def read(path: str) -> Any:
    """Return TensorFlow's reader of the checkpoint in a model's folder; `None` where the model has no variables."""
    prefix = os.path.join(path, "variables", "variables")
    if not os.path.exists(f"{prefix}.index"):
        return None
    return tf.train.load_checkpoint(tensorflow_paths.without_signs(prefix))


def first_nan(path: str) -> str | None:
    """Return the name of the first weight, in order of names, that has NaN in it; `None` where none has."""
    checkpoint = read(path)
    if checkpoint is None:
        return None
    for name, dtype in sorted(checkpoint.get_variable_to_dtype_map().items()):
        if dtype.is_floating and bool(np.isnan(np.asarray(checkpoint.get_tensor(name), np.float32)).any()):
            return str(name).removesuffix(_ENDING)
    return None
