"""A `preprocessing_fn` for data of any schema: what can be done with a feature of its type.

Numbers are scaled, integers put into buckets as well, texts looked up in a vocabulary; a missing value counts
as 0 or as no text, and of several values the first counts.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

# TFT's own transforms take a second for each ten analyzers or so.
_MAX_FEATURES = 40
_TOP_TOKENS = 1000


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """Make a feature `{name}_xf` of each of the first features, by name."""
    made = {}
    for name in sorted(inputs)[:_MAX_FEATURES]:
        values = _first_values(inputs[name])
        if values.dtype == tf.string:
            made[f"{name}_xf"] = tft.compute_and_apply_vocabulary(
                values, top_k=_TOP_TOKENS, num_oov_buckets=1
            )
            continue
        if values.dtype == tf.int64:
            made[f"{name}_bucket"] = tft.bucketize(values, 10)
        made[f"{name}_xf"] = tft.scale_to_z_score(tf.cast(values, tf.float32))
    return made


def _first_values(tensor: Any) -> tf.Tensor:
    if isinstance(tensor, tf.SparseTensor):
        default = "" if tensor.dtype == tf.string else 0
        dense = tf.sparse.to_dense(tensor, default_value=default)
        # A batch in which the feature is missing everywhere has no column.
        tensor = tf.pad(dense, [[0, 0], [0, 1]], constant_values=default)[:, 0]
    return tf.reshape(tensor, [-1])
