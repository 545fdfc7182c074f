"""Arrays of rows that a stage leaves batch by batch, read as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headrace.quality.row_arrays import RowArrays


def test_arrays_are_joined_in_the_order_of_parts_and_batches(tmp_path: Path) -> None:
    """Whoever comes last to write; names that begin alike stay apart."""
    arrays = RowArrays(str(tmp_path))
    for part, batch, start in ((10, 0, 40), (2, 1, 20), (2, 0, 0)):
        arrays.save("near-1", part, batch, np.arange(start, start + 4).reshape(2, 2))
    arrays.save("near-11", 0, 0, np.zeros(3))

    assert arrays["near-1"].tolist() == [[0, 1], [2, 3], [20, 21], [22, 23], [40, 41], [42, 43]]
    assert arrays["near-1"].shape == (6, 2)
    assert arrays["near-11"].tolist() == [0, 0, 0]


def test_of_no_rows_there_is_an_empty_array(tmp_path: Path) -> None:
    assert len(RowArrays(str(tmp_path))["digests"]) == 0
