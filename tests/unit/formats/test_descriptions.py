"""The files of numbers beside a split's statistics, and of drift beside its anomalies."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headrace.errors import MalformedFileError
from headrace.formats import descriptions, drift
from headrace.formats.descriptions import Description, Distribution
from headrace.formats.drift import Drift, Measurement, Move


def test_the_table_is_read_as_it_was_written(tmp_path: Path):
    """Infinities, NaN, integers of any size and features without a number; a folder without the file has none."""
    table = {
        "b": Description(3, 1, math.inf, 0.5, -math.inf, (1, 2.5, 2**60 + 1), 2**60 + 1, 0.0, 3),
        "a": Description(0, 0, 0.25, 0.25, None, (), None, 0.001),
    }
    assert descriptions.read(str(tmp_path)) is None

    descriptions.write(str(tmp_path), table)

    assert descriptions.read(str(tmp_path)) == table


@pytest.mark.parametrize(
    "features", [{}, {"x": ([1.0, 2.0, math.inf], [3, 1, 2], 0.01), "a b": ([0.0], [9], 0.0)}]
)
def test_distributions_are_read_as_they_were_written(tmp_path: Path, features: dict[str, Any]):
    """Of no feature at all too."""
    given = {
        name: Distribution(np.array(values), np.array(counts), error)
        for name, (values, counts, error) in features.items()
    }
    assert descriptions.read_distributions(str(tmp_path)) is None

    descriptions.write_distributions(str(tmp_path), given)
    found = descriptions.read_distributions(str(tmp_path))

    assert found is not None
    assert {
        name: (one.values.tolist(), one.counts.tolist(), one.error) for name, one in found.items()
    } == features
    assert {name: one.total for name, one in found.items()} == {
        name: sum(one[1]) for name, one in features.items()
    }


def test_drift_is_read_as_it_was_written(tmp_path: Path):
    moves = [Move("above 3", 0.1, 0.4)]
    given = Drift("span 1", [Measurement("x", "KS", 0.3, 0.1, 0.2, 0.0, 10, 20, moves)], ["a note"])
    assert drift.read(str(tmp_path)) is None

    drift.write(str(tmp_path), given)

    assert drift.read(str(tmp_path)) == given


@pytest.mark.parametrize(
    ("value", "noise", "threshold", "slack", "is_over"),
    [
        (0.3, 0.1, 0.2, 0.0, True),
        (0.3, 0.4, 0.2, 0.0, False),
        (0.3, 0.1, 0.4, 0.0, False),
        (0.3, 0.1, 0.2, 0.15, False),
        (0.2, 0.1, 0.2, 0.0, False),
    ],
)
def test_drift_is_beyond_chance_and_threshold_for_sure(
    value: float, noise: float, threshold: float, slack: float, is_over: bool
):
    assert Measurement("x", "KS", value, noise, threshold, slack, 10, 10).is_over is is_over


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        (descriptions.DESCRIPTIONS_FILE, "[1]", descriptions.read),
        (descriptions.DESCRIPTIONS_FILE, '{"format": 1}', descriptions.read),
        (descriptions.DESCRIPTIONS_FILE, '{"format": 1, "features": {"x": {"count": 1}}}', descriptions.read),
        (descriptions.DISTRIBUTIONS_FILE, "no Parquet", descriptions.read_distributions),
        (drift.DRIFT_FILE, '{"format": 1, "baseline": "", "measurements": [{}], "notes": []}', drift.read),
        (drift.DRIFT_FILE, '{"format": 1}', drift.read),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path: Path, name: str, content: str, read: Callable[[str], Any]):
    (tmp_path / name).write_text(content)

    with pytest.raises(MalformedFileError) as caught:
        read(str(tmp_path))

    assert str(tmp_path / name) in caught.value.problem


def test_a_file_of_distributions_without_its_columns_is_named(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), tmp_path / descriptions.DISTRIBUTIONS_FILE)

    with pytest.raises(MalformedFileError, match="is not a file of distributions"):
        descriptions.read_distributions(str(tmp_path))
