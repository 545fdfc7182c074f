"""Times of rows as numbers, and back as the data writes them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from headrace.components.example_validator.row_checks import times
from headrace.errors import DefinitionError


def _batch(values: list[list[bytes] | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.large_list(pa.large_binary()))], ["time"])


def test_texts_of_several_forms_are_seconds() -> None:
    found = times.read(
        _batch([[b"1970-01-02"], [b"1970-01-01T00:00:01.5"], None, [b""], [b"1970-01-01T01:00:00+01:00"]]),
        "time",
        "series",
    )

    assert found[[0, 1, 4]].tolist() == [86400, 1.5, 0]
    assert np.isnan(found[[2, 3]]).all()


def test_numbers_are_taken_as_they_are() -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([[5], None, [7]], pa.large_list(pa.int64()))], ["time"])

    assert times.read(batch, "time", "series")[[0, 2]].tolist() == [5, 7]
    assert np.isnan(times.read(batch, "other", "series")).all()


def test_several_times_in_a_row_are_named() -> None:
    with pytest.raises(DefinitionError) as caught:
        times.read(_batch([[b"2026-03-01", b"2026-03-02"]]), "time", "series")

    assert caught.value.problem == "series: time 'time' has 2 values in a row, where one is needed."


def test_a_value_that_is_no_time_is_not_one_that_is_missing() -> None:
    """It is a finding of its own; only where no value is a time the feature is the wrong one."""
    found = times.read(_batch([[b"2026-03-01"], [b"soon"], None]), "time", "series")

    assert np.isinf(found).tolist() == [False, True, False]
    assert np.isnan(found).tolist() == [False, False, True]
    times.check_any(found, "time", "series")
    with pytest.raises(DefinitionError) as caught:
        times.check_any(found[1:], "time", "series")
    assert caught.value.problem == "series: none of the values of 'time' is a time."
