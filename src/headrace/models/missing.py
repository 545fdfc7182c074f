"""Reads examples so that missing values stay missing, for models that know what to do about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from headrace.models.features import Feature, Features
from headrace.models.readers import densified

# Stands for a missing text: bytes that are no UTF-8, so that no text is mistaken for it.
MISSING_TEXT = b"\xff"


class KeepingMissing(tf.Module):
    """A reader of dense batches in which a missing number is NaN and a missing text `MISSING_TEXT`.

    Other models get zeros and empty strings. A feature of whole numbers that may be missing becomes one of float64, as
    it does in pandas.

    Args:
        reader: Of the same examples; see `readers`.
        label: Is left as it is, so that rows without it are found.
        is_checked: Whether several values where the schema knows of one are an error of the record. A server takes the
            first.

    Attributes:
        features: All that it can read.
    """

    def __init__(self, reader: Any, label: str | None = None, *, is_checked: bool = False) -> None:
        super().__init__()
        self._reader = reader
        self._is_checked = is_checked
        self._optional = {
            name
            for name, feature in reader.features.items()
            if name != label and isinstance(feature.spec, tf.io.VarLenFeature) and feature.shape == (1,)
        }
        given = reader.features
        made = [self._feature(given[name]) for name in given.order]
        self.features = Features(made, is_chosen=given.is_chosen)

    def _feature(self, feature: Feature) -> Feature:
        if feature.name in self._optional and feature.dtype == "int64":
            return dataclasses.replace(feature, dtype="float64")
        return feature

    @tf.autograph.experimental.do_not_convert
    def parse(self, records: tf.Tensor, names: Iterable[str]) -> dict[str, Any]:
        """Return the named features of serialized examples; those that may be missing are dense."""
        parsed = self._reader.parse(records, list(names))
        return {
            name: self._filled(value, name) if name in self._optional else value
            for name, value in parsed.items()
        }

    @tf.autograph.experimental.do_not_convert
    def read(self, records: tf.Tensor, names: Iterable[str]) -> dict[str, tf.Tensor]:
        """Return the named features of serialized examples, dense."""
        return densified(self.parse(records, names), self.features)

    def _filled(self, value: tf.SparseTensor, name: str) -> tf.Tensor:
        dtype = self.features[name].dtype
        values = value.values if dtype == "string" else tf.cast(value.values, dtype)
        absent = MISSING_TEXT if dtype == "string" else tf.constant(float("nan"), dtype)
        rows = tf.RaggedTensor.from_value_rowids(values, value.indices[:, 0], value.dense_shape[0])
        checks = []
        if self._is_checked:
            message = f"Key: {name}. Several values in a row, and the schema says nothing of more than one."
            most = tf.reduce_max(tf.concat([[0], tf.cast(rows.row_lengths(), tf.int32)], 0))
            checks.append(tf.debugging.assert_less_equal(most, 1, message=message))
        with tf.control_dependencies([check for check in checks if check is not None]):
            return rows.to_tensor(default_value=absent, shape=[None, 1])
