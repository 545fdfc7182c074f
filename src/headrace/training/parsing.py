"""From blocks of serialized examples to dense columns, and what the label in them is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.errors import DataError, EmptyDataError, SchemaMismatchError
from headrace.models.features import densify, size

Columns = dict[str, tf.Tensor]


@dataclass(frozen=True)
class LabelRange:
    """What the label of all rows is like.

    Attributes:
        dtype: `"int64"` or `"float32"`.
        least: The smallest value.
        greatest: The greatest value.
        is_whole: Whether all values are whole numbers.
        width: How many values a row has; `None` where rows differ.
    """

    dtype: str
    least: float
    greatest: float
    is_whole: bool
    width: int | None = 1

    @property
    def is_multi_label(self) -> bool:
        """Whether a row has several values of 0 and 1: any number of labels is true of it."""
        return self.width is not None and self.width > 1 and self.is_binary

    @property
    def is_binary(self) -> bool:
        """Whether all values are 0 and 1."""
        return self.is_whole and self.least >= 0 and self.greatest <= 1


class Parser:
    """Parses blocks of records and remembers what it saw of the label.

    Args:
        reader: What parses the records; see `readers`.
        names: The features to parse, the label among them.
        label: The label's name.
        where: Node and splits, for messages.
    """

    def __init__(self, reader: Any, names: list[str], label: str, where: str) -> None:
        self._reader = reader
        self._names = names
        self._label = label
        self._where = where
        self._num_missing = 0
        self._num_unknown = 0
        self._least, self._greatest, self._is_whole = np.inf, -np.inf, True
        # Traced once; a transform graph called eagerly would be pruned anew for each block.
        self._parse = tf.function(
            lambda records: reader.parse(records, names),
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
        )

    def parse(self, records: list[bytes]) -> Columns:
        """Return the columns of a block of serialized examples, dense.

        Raises:
            SchemaMismatchError: If a record does not hold what the schema says.
        """
        try:
            parsed = self._parse(tf.constant(records, dtype=tf.string))
        except tf.errors.InvalidArgumentError as error:
            raise SchemaMismatchError(
                f"{self._where}: a record does not hold what the schema says: {_first_line(error.message)}.",
                "compare the ExampleValidator's anomalies; correct the data, or the schema's type, shape or presence.",
            ) from error
        self._check_single_values(parsed)
        label = parsed[self._label]
        features = self._reader.features
        columns = {name: densify(parsed[name], features[name]) for name in self._names}
        self._see_label(label, columns[self._label])
        return columns

    def _check_single_values(self, parsed: dict[str, Any]) -> None:
        for name, value in parsed.items():
            if isinstance(value, tf.SparseTensor) and self._reader.features[name].shape == (1,):
                most = int(value.dense_shape[1])
                if most > 1:
                    raise SchemaMismatchError(
                        f"{self._where}: feature '{name}' has {most} values in a row, and the schema says "
                        "nothing of more than one.",
                        f"set value_count of '{name}' in the schema, or combine the values in preprocessing_fn.",
                    )

    def _see_label(self, parsed: Any, dense: tf.Tensor) -> None:
        if isinstance(parsed, tf.SparseTensor):
            filled = tf.unique(parsed.indices[:, 0]).y
            self._num_missing += int(parsed.dense_shape[0]) - int(tf.size(filled))
        if dense.dtype == tf.string or not int(tf.size(dense)):
            return
        values = dense.numpy()
        if dense.dtype.is_floating:
            self._num_missing += int(np.isnan(values).any(axis=tuple(range(1, values.ndim))).sum())
            values = values[~np.isnan(values)]
        if self._reader.features[self._label].is_class:
            self._num_unknown += int((values < 0).any(axis=tuple(range(1, values.ndim))).sum())
        if values.size:
            self._least = min(self._least, float(values.min()))
            self._greatest = max(self._greatest, float(values.max()))
            self._is_whole = self._is_whole and (
                not dense.dtype.is_floating or bool((values == np.floor(values)).all())
            )

    def check_label(self, num_rows: int) -> None:
        """Check that there are rows, and that each has a label.

        Raises:
            EmptyDataError: If there is no row.
            DataError: If a row has no label, or a class that Transform did not learn.
        """
        if not num_rows:
            raise EmptyDataError(f"{self._where} has no row.", "check the split configuration of ExampleGen.")
        if self._num_missing:
            raise DataError(
                f"{self._where}: the label '{self._label}' is missing in {self._num_missing:,} of {num_rows:,} rows.",
                "drop these rows before ExampleGen, or fill the label in preprocessing_fn.",
            )
        if self._num_unknown:
            raise DataError(
                f"{self._where}: the label '{self._label}' of {self._num_unknown:,} of {num_rows:,} rows is -1: their class "
                "is not among those that Transform learned, which are those of the splits that it analyzes.",
                "divide with split_by=stratify(LABEL), so that a class with rows enough is in each split; take out or put "
                "together classes that occur once or twice; or list all of them: headrace.features.label(x, classes=[...]).",
            )

    def label_range(self) -> LabelRange:
        """Return what was seen of the label."""
        feature = self._reader.features[self._label]
        return LabelRange(feature.dtype, self._least, self._greatest, self._is_whole, size(feature))

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Return shape and type of the columns of a block."""
        features = self._reader.features
        return {
            name: tf.TensorSpec([None, *features[name].shape], features[name].dtype) for name in self._names
        }


def _first_line(message: str) -> str:
    """TensorFlow's sentence about the record, without the names of graph nodes around it."""
    for line in message.splitlines():
        for start in ("Feature:", "Key:"):
            if start in line:
                return line[line.index(start) :].split("[[")[0].strip().rstrip(".")
    return message.splitlines()[0].split("[[")[0].strip().rstrip(".") if message else "unknown error"
