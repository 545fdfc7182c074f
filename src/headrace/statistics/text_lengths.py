"""TFDV's text lengths of categorical integers, computed in numpy.

The statistics of a categorical integer hold the mean length of its values as text. TFDV (1.16, 1.17) takes
`len(str(value))` of each value in Python: 8 of the 20 seconds that a million taxi rows took, for six such
features. Numpy counts the digits of 20,000 values in a tenth of a millisecond.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_data_validation.arrow import arrow_util
from tensorflow_data_validation.statistics.generators import basic_stats_generator
from tfx_bsl.arrow import array_util

# 10, 100, ... 10^18: a number has one digit more than powers of ten that it reaches.
_POWERS = np.array([10**exponent for exponent in range(1, 20)], dtype=np.uint64)


def total_length(values: np.ndarray[Any, Any]) -> int:
    """Return the sum of `len(str(value))` over int64 values."""
    is_negative = values < 0
    # Unsigned negation: -2^63 has no positive int64.
    size = np.where(is_negative, -values.astype(np.uint64), values.astype(np.uint64))
    digits = np.searchsorted(_POWERS, size, side="right") + 1
    return int(digits.sum() + is_negative.sum())


def install() -> None:
    """Let TFDV's generator use `total_length`; once per process, harmless when repeated."""
    kind = getattr(basic_stats_generator, "_PartialStringStats", None)
    if kind is None or hasattr(kind.update, "original"):
        return
    original = kind.update

    def update(self: Any, feature_array: pa.Array) -> None:
        if pa.types.is_null(feature_array.type):
            return
        values, _ = array_util.flatten_nested(feature_array)
        if arrow_util.is_binary_like(values.type) or not pa.types.is_int64(values.type):
            original(self, feature_array)
        elif len(values):
            self.total_bytes_length += total_length(np.asarray(values))

    update.original = original  # type: ignore[attr-defined]
    kind.update = update
