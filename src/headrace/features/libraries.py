"""TensorFlow and tf.Transform, loaded when something of them is first used.

A project's `features.py` imports the functions of this package, and the process that plans a pipeline imports
`features.py`: it must not wait seconds for libraries of which it uses nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

_KEEPS_KERAS = "TF_USE_LEGACY_KERAS"


class LateModule:
    """A module that is imported on the first use of one of its names."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # tf.Transform's import sets this variable for the whole process, and so for every model built later.
        before = os.environ.get(_KEEPS_KERAS)
        try:
            module = importlib.import_module(self._name)
        finally:
            if before is None:
                os.environ.pop(_KEEPS_KERAS, None)
            else:
                os.environ[_KEEPS_KERAS] = before
        value = getattr(module, attribute)
        self.__dict__[attribute] = value
        return value


tf: Any = LateModule("tensorflow")
tft: Any = LateModule("tensorflow_transform")
schema_inference: Any = LateModule("tensorflow_transform.schema_inference")
tf_utils: Any = LateModule("tensorflow_transform.tf_utils")
