"""TFMA's `VarLenTensorValue` by rows.

Its own iterator compares all indices again for each row, so its time grows with the square of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray


def rows(value: Any, num_rows: int) -> list[NDArray[Any]]:
    """Return the values of each row, empty where it has none."""
    if not value.indices.size:
        return [np.array([])] * num_rows
    counts = np.bincount(value.indices[:, 0], minlength=num_rows)
    split = np.split(value.values, np.cumsum(counts)[:-1])
    # TFMA gives an empty row the default type, whatever the type of the others.
    return [row if row.size else np.array([]) for row in split]


def dense(value: Any) -> Any:
    """Return an array of one column where each row has exactly one value, else `value` itself."""
    if not isinstance(value, tfma.types.VarLenTensorValue):
        return value
    num_rows = int(value.dense_shape[0])
    if len(value.values) == num_rows and np.array_equal(value.indices[:, 0], np.arange(num_rows)):
        return value.values.reshape(num_rows, 1)
    return value


def splittable(extracts: Mapping[str, Any], num_rows: int) -> dict[str, Any]:
    """Return `extracts` with each `VarLenTensorValue` as a list of rows, which TFMA splits in linear time."""
    result: dict[str, Any] = {}
    for key, value in extracts.items():
        if isinstance(value, Mapping):
            result[key] = splittable(value, num_rows)
        elif isinstance(value, tfma.types.VarLenTensorValue):
            result[key] = rows(value, num_rows)
        else:
            result[key] = value
    return result
