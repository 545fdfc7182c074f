"""Where a batch of records ends, at the bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.formats.examples import tfrecord


# A batch that never ends would never be yielded.
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("max_records", "max_bytes", "sizes"),
    [
        (10, 1000, [6]),
        (6, 1000, [6]),
        (5, 1000, [5, 1]),
        (1, 1000, [1] * 6),
        (10, 20, [2, 2, 2]),
        (10, 21, [3, 3]),
        (10, 19, [2, 2, 2]),
        (10, 60, [6]),
        (10, 59, [6]),
        (10, 1, [1] * 6),
        (3, 20, [2, 2, 2]),
        (2, 30, [2, 2, 2]),
    ],
)
def test_a_batch_ends_with_the_record_that_fills_it(
    tmp_path: Path, max_records: int, max_bytes: int, sizes: list[int]
):
    """Six records of ten bytes; a batch is never larger than it takes to be full."""
    with tfrecord.Writer(str(tmp_path / "data")) as writer:
        writer.write([b"0123456789"] * 6)

    batches = list(tfrecord.read_batches(str(tmp_path / "data"), max_records, max_bytes))

    assert [len(batch) for batch in batches] == sizes
