"""TensorFlow Transform, imported without its change to the process's environment.

TFT 1.16 sets `TF_USE_LEGACY_KERAS=1` at import. Left there, every process started from this one, and every
later first touch of `tf.keras`, gets Keras 2 where users mean Keras 3. TFT itself has by then found the
Keras it wants, so the variable is put back. All modules of this package take TFT from here.
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
    from tensorflow_transform import (
        analyzer_nodes,
        annotators,
        graph_context,
        graph_tools,
        impl_helper,
        nodes,
        schema_inference,
        tf2_utils,
        tf_utils,
    )
    from tensorflow_transform.beam import (
        analysis_graph_builder,
        analyzer_cache,
        analyzer_impls,
        beam_nodes,
    )
    from tensorflow_transform.saved import saved_transform_io_v2
    from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io

__all__ = [
    "analysis_graph_builder",
    "analyzer_cache",
    "analyzer_impls",
    "analyzer_nodes",
    "annotators",
    "beam_nodes",
    "dataset_metadata",
    "environment_kept",
    "graph_context",
    "graph_tools",
    "impl_helper",
    "metadata_io",
    "nodes",
    "saved_transform_io_v2",
    "schema_inference",
    "tf2_utils",
    "tf_utils",
    "tfdv",
    "tft",
    "tft_beam",
]
