"""What differs between two payloads, as a person compares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Measured: TypeAlias = "float | str | None"

# Tables of statistics, of metrics, and of verdicts with their thresholds.
DATA, METRICS, VERDICT = "Data", "Metrics", "Verdict"


@dataclass(frozen=True)
class Change:
    """One value that differs.

    Attributes:
        table: Heading of the table that it stands in, such as `"Metrics"`.
        part: Of the data, such as a split or a slice; empty for the whole.
        name: What was measured.
        old, new: The values; `None` where there is none.
    """

    table: str
    part: str
    name: str
    old: Measured
    new: Measured
