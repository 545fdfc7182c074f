"""Durations, counts and sizes."""

from __future__ import annotations

import pytest

from headrace.ui.units import format_gigabytes, format_rows, format_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (3.14, "3.1 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7385, "2 h 03 min"),
    ],
)
def test_durations(seconds, text):
    """Two units at most, and no 60 s."""
    assert format_seconds(seconds) == text


def test_rows_and_sizes():
    """One row is no rows."""
    assert (format_rows(1), format_rows(9998)) == ("1 row", "9,998 rows")
    assert format_gigabytes(3 * 2**29) == "1.5 GiB"
