"""Durations, counts and sizes."""

from __future__ import annotations

import pytest

from headrace.ui.units import format_bytes, format_gigabytes, format_seconds, plural


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


def test_sizes():
    """Four digits at most: 1024 of a unit are one of the next."""
    sizes = (12, 3400, 1023.9 * 1024, 120 * 2**20, 3 * 2**29)
    assert [format_bytes(size) for size in sizes] == ["12 B", "3.3 KiB", "1.0 MiB", "120 MiB", "1.5 GiB"]
    assert format_gigabytes(3 * 2**29) == "1.5 GiB"


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(1, "row", "1 row"), (9998, "row", "9,998 rows"), (0, "anomaly", "0 anomalies"), (2, "key", "2 keys")],
)
def test_plurals(count, noun, text):
    assert plural(count, noun) == text
