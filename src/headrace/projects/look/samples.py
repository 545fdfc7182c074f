"""A bounded part of the data, as a table."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

# Of all data no more is looked at: a million taxi trips are 150 MB.
MAX_BYTES = 64 << 20
MAX_ROWS = 200_000


@dataclass(frozen=True)
class Sample:
    """Rows from the start of the data.

    Attributes:
        table: The rows; of a CSV all columns are text.
        is_whole: Whether these are all.
        num_unreadable: Rows that have another number of cells.
        unreadable: The first of them, as text with its line.
    """

    table: pa.Table
    is_whole: bool
    num_unreadable: int = 0
    unreadable: str = ""
