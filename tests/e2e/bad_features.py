"""User code that goes wrong, each function in its own way; the tests know its lines by their comments."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft


def raise_in_python(inputs):
    """An ordinary mistake."""
    return {"fare_xf": inputs["fair"]}  # no such feature


def raise_in_tensorflow(inputs):
    """A shape that TensorFlow refuses."""
    return {"fare_xf": tf.zeros([2, 3]) @ tf.zeros([2, 3])}  # shapes do not fit


def use_surcharge(inputs):
    """Fine, where there is such a feature."""
    return {"surcharge_xf": tft.scale_to_z_score(inputs["surcharge"])}


def use_payment(inputs):
    """Fine, where the schema says its true type."""
    return {"payment_xf": inputs["payment_type"]}


def preprocessing_fn(inputs):
    """A good one: one scaled feature and a label."""
    fare = (
        tf.sparse.to_dense(inputs["fare"]) if isinstance(inputs["fare"], tf.SparseTensor) else inputs["fare"]
    )
    return {"fare_xf": tft.scale_to_z_score(fare), "label_xf": tf.cast(fare > 10.0, tf.int64)}
