"""Features of a taxi trip: those of TFX's own taxi example, so that results compare."""

from __future__ import annotations

from typing import TypeAlias

import tensorflow as tf
import tensorflow_transform as tft

Tensor: TypeAlias = "tf.Tensor | tf.SparseTensor"

DENSE_FLOATS = ("trip_miles", "fare", "trip_seconds")
VOCABULARIES = ("payment_type", "company")
BUCKETS = ("pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude")
# Whole numbers that mean categories, with the number of values the model sets aside for each; the model
# leaves out those without.
CATEGORIES: dict[str, int | None] = {
    "trip_start_hour": 24,
    "trip_start_day": 31,
    "trip_start_month": 13,
    "pickup_census_tract": None,
    "dropoff_census_tract": None,
    "pickup_community_area": None,
    "dropoff_community_area": None,
}
FARE = "fare"
LABEL = "tips"

VOCABULARY_SIZE = 1000
OUT_OF_VOCABULARY_SIZE = 10
BUCKET_COUNT = 10
BIG_TIP = 0.2


def transformed(name: str) -> str:
    """Return the name of the transformed feature made of the raw feature `name`."""
    return f"{name}_xf"


def preprocessing_fn(inputs: dict[str, Tensor]) -> dict[str, tf.Tensor]:
    """Scale numbers, number words, cut places into buckets, and make the label.

    Args:
        inputs: Raw features by name, each of at most one value in a row.

    Returns:
        For each feature of this module `{name}_xf`, of shape `(rows, 1)`: float32 for `DENSE_FLOATS`, int64
        for the others. The label is 1 where the tip was more than a fifth of the fare.
    """
    outputs = {}
    for name in DENSE_FLOATS:
        outputs[transformed(name)] = tft.scale_to_z_score(_filled(inputs[name]))
    for name in VOCABULARIES:
        outputs[transformed(name)] = tft.compute_and_apply_vocabulary(
            _filled(inputs[name]), top_k=VOCABULARY_SIZE, num_oov_buckets=OUT_OF_VOCABULARY_SIZE
        )
    for name in BUCKETS:
        outputs[transformed(name)] = tft.bucketize(_filled(inputs[name]), BUCKET_COUNT)
    for name in CATEGORIES:
        outputs[transformed(name)] = _filled(inputs[name])
    outputs[transformed(LABEL)] = _is_big_tip(_filled(inputs[LABEL]), _filled(inputs[FARE]))
    return outputs


def _is_big_tip(tips: tf.Tensor, fare: tf.Tensor) -> tf.Tensor:
    is_big = tf.greater(tips, fare * tf.constant(BIG_TIP, fare.dtype))
    return tf.cast(tf.logical_and(is_big, tf.logical_not(tf.math.is_nan(fare))), tf.int64)


def _filled(values: Tensor) -> tf.Tensor:
    """Return one value in each row: 0 or the empty string where there is none."""
    if not isinstance(values, tf.SparseTensor):
        return values
    default = "" if values.dtype == tf.string else 0
    shape = [values.dense_shape[0], 1]
    return tf.sparse.to_dense(tf.SparseTensor(values.indices, values.values, shape), default)
