"""Whether rows that are read a second time are those that were read first, and in the same order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from headrace.sources.division.row_hashes import mixed, row_hashes
from headrace.sources.rows import Rows


class ValueDigest:
    """64 bits that hang on a feature's value in each row and on where the row stands; not on how rows come in batches.

    Args:
        feature: The feature that rows are divided by; `None` where none is, and any order will do.
    """

    def __init__(self, feature: str | None) -> None:
        self._feature = feature
        self._num_rows = 0
        self._sum = 0

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        if self._feature is None or not rows.num_rows:
            return
        column = rows.column(self._feature)
        if column is None:
            column = pa.nulls(rows.num_rows)
        hashes = row_hashes(pa.RecordBatch.from_arrays([column], [self._feature]))
        places = np.arange(self._num_rows, self._num_rows + rows.num_rows, dtype=np.uint64)
        here = mixed(hashes ^ mixed(places + np.uint64(1))).sum(dtype=np.uint64)
        self._sum = (self._sum + int(here)) % 2**64
        self._num_rows += rows.num_rows

    def value(self) -> int:
        """Return the digest of all rows so far."""
        return self._sum
