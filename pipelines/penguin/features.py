"""Features of a penguin: four measurements, some of them missing, and the species as a number."""

from __future__ import annotations

from typing import TypeAlias

import tensorflow as tf
import tensorflow_transform as tft

Tensor: TypeAlias = "tf.Tensor | tf.SparseTensor"

MEASUREMENTS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
LABEL = "species"
NUM_SPECIES = 3

# How the data write what was not measured, in columns that hold numbers otherwise: so these are text.
MISSING = "NA"


def transformed(name: str) -> str:
    """Return the name of the transformed feature made of the raw feature `name`."""
    return f"{name}_xf"


def preprocessing_fn(inputs: dict[str, Tensor]) -> dict[str, tf.Tensor]:
    """Read and scale the measurements, and number the species by how common they are.

    Args:
        inputs: Raw features by name, text.

    Returns:
        For each measurement `{name}_xf`, float32 of shape `(rows, 1)`, with mean 0 and deviation 1, and 0
        where it is missing. The label `species_xf`, int64 from 0 to 2.
    """
    outputs = {transformed(name): _scaled(_dense(inputs[name])) for name in MEASUREMENTS}
    outputs[transformed(LABEL)] = tft.compute_and_apply_vocabulary(
        _dense(inputs[LABEL]), vocab_filename=LABEL
    )
    return outputs


def _scaled(text: tf.Tensor) -> tf.Tensor:
    """Scale what is a number; mean and deviation come from the numbers alone."""
    where = tf.where(tf.strings.regex_full_match(text, r"\s*[-+]?[0-9]*\.?[0-9]+\s*"))
    numbers = tf.strings.to_number(tf.strings.strip(tf.gather_nd(text, where)), tf.float32)
    measured = tf.SparseTensor(where, numbers, tf.shape(text, out_type=tf.int64))
    return tf.sparse.to_dense(tft.scale_to_z_score(measured))


def _dense(values: Tensor) -> tf.Tensor:
    """Return one text in each row, `MISSING` where there is none."""
    if not isinstance(values, tf.SparseTensor):
        return values
    shape = [values.dense_shape[0], 1]
    return tf.sparse.to_dense(tf.SparseTensor(values.indices, values.values, shape), MISSING)
