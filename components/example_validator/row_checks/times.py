"""Times of rows, as numbers: those that the data has, or seconds since 1970 where it has texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DefinitionError
from headrace.formats import texts_of_times
from headrace.quality import features
from headrace.quality.survey import FLOAT, INTEGER, Survey


def read(batch: pa.RecordBatch, name: str, where: str) -> NDArray[np.float64]:
    """Return the time of each row; NaN where it has none, infinite where it has a value that is none.

    Raises:
        DefinitionError: If a row has several values.
    """
    column = features.column_of(batch, name)
    found = np.full(batch.num_rows, np.nan)
    if column is None:
        return found
    counts = features.counts_of(column)
    if (counts > 1).any():
        raise DefinitionError(
            f"{where}: time '{name}' has {int(counts.max())} values in a row, where one is needed.",
            "name a feature with one time for each row.",
        )
    rows = features.rows_of(column)
    if features.is_bytes(column):
        found[rows] = _parsed(column.flatten().to_pylist())
    else:
        found[rows] = features.numbers_of(column)
    return found


def _parsed(values: list[bytes]) -> NDArray[np.float64]:
    import pandas as pd

    texts = [value.decode("utf-8", "replace").strip() for value in values]
    parsed = texts_of_times.parsed(pd.Series(texts, dtype=object), errors="coerce")
    # Not as integers: what these count differs between versions of pandas.
    seconds = np.array((parsed - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1), np.float64)
    seconds[parsed.isna().to_numpy() & np.array([bool(text) for text in texts], np.bool_)] = np.inf
    return seconds


def check_any(found: NDArray[np.float64], name: str, where: str) -> None:
    """Check that a feature is one of times.

    Raises:
        DefinitionError: If it has values, and none of them is a time.
    """
    if np.isinf(found).any() and not finite(found).any():
        raise DefinitionError(
            f"{where}: none of the values of '{name}' is a time.",
            "name a feature of times: texts in ISO 8601, such as 2026-03-01 or 2026-03-01T12:00:00, or numbers.",
        )


def said(value: float, survey: Survey, name: str) -> str:
    """Return a time as the data writes it: a number, or a date."""
    if survey.kinds.get(name) in (INTEGER, FLOAT):
        return f"{value:.15g}"
    text = str(np.datetime64(int(value), "s"))
    return text.removesuffix("T00:00:00")


def span_said(value: float, survey: Survey, name: str) -> str:
    """Return a length of time as a person says it."""
    if survey.kinds.get(name) in (INTEGER, FLOAT):
        return f"{value:.6g}"
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if value >= size:
            return f"{value / size:.4g} {unit}"
    return f"{value:.4g} seconds"


def finite(values: Any) -> NDArray[np.bool_]:
    """Return which times there are."""
    return np.asarray(np.isfinite(values))
