"""TensorFlow Transform, imported without its change to the process's environment.

TFT 1.16 sets `TF_USE_LEGACY_KERAS=1` at import. Left there, every process started from this one, and every
later first touch of `tf.keras`, gets Keras 2 where users mean Keras 3. TFT itself has by then found the
Keras it wants, so the variable is put back. All modules of this package take TFT from here, and what
TFT keeps to itself from `tft_internals`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_VARIABLE = "TF_USE_LEGACY_KERAS"


@contextlib.contextmanager
def environment_kept() -> Iterator[None]:
    """Give the variable that chooses Keras back the value it had."""
    before = os.environ.get(_VARIABLE)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before


with environment_kept():
    import tensorflow_data_validation as tfdv
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.beam import analyzer_cache
    from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io

__all__ = [
    "analyzer_cache",
    "dataset_metadata",
    "environment_kept",
    "metadata_io",
    "tfdv",
    "tft",
    "tft_beam",
]
