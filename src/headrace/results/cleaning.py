"""CleaningReport in Python: counts by split and reason, and the rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from headrace.formats import cleaning_reports
from headrace.formats.cleaning_reports import Count, FoundRow
from headrace.results.result import Bounds, Result, plain

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["split", "row", "action", "reason", "detail", "of_split", "of_row"]


class CleaningReport(Result):
    """What a Cleaner found: what `headrace.load` returns of a `CleaningReport` artifact.

    Example:
        >>> import headrace
        >>> report = headrace.load("latest/Cleaner.report")  # doctest: +SKIP
        >>> report.counts  # doctest: +SKIP
        >>> report.rows(limit=100)  # doctest: +SKIP
    """

    @property
    def rows_in(self) -> Mapping[str, int]:
        """Rows of each split as they came."""
        return dict(cleaning_reports.read(self.artifact).rows_in)

    @property
    def rows_out(self) -> Mapping[str, int]:
        """Rows of each split that stay."""
        return dict(cleaning_reports.read(self.artifact).rows_out)

    @property
    def counts(self) -> pd.DataFrame:
        """What was found: `split`, `reason`, and how many rows were `kept`, `dropped` and `quarantined`."""
        import pandas as pd

        counts = [asdict(one) for one in cleaning_reports.read(self.artifact).counts]
        return pd.DataFrame(counts, columns=list(Count.__dataclass_fields__))

    def rows(self, *, limit: int | None = None) -> pd.DataFrame:
        """Return the rows in which something was found, in the order of splits and rows, numbered from 1.

        `of_split` and `of_row` name the row that one is a copy of.
        """
        import pandas as pd

        found = itertools.islice(cleaning_reports.read_rows(self.artifact), limit)
        return pd.DataFrame([_told(one) for one in found], columns=_COLUMNS)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `CleaningReportData`."""
        report = cleaning_reports.read(self.artifact)
        rows = list(itertools.islice(cleaning_reports.read_rows(self.artifact), bounds.max_items + 1))
        if len(rows) > bounds.max_items:
            bounds.cut.append(f"rows: the first {bounds.max_items:,}")
        return {
            "rows_in": dict(report.rows_in),
            "rows_out": dict(report.rows_out),
            "num_removed": report.num_removed,
            "looked_for": dict(report.looked_for),
            "compared": report.compared,
            "remarks": bounds.first("remarks", report.remarks),
            "counts": [plain(one, bounds, "counts") for one in bounds.first("counts", report.counts)],
            "rows": [dict(zip(_COLUMNS, _told(one))) for one in rows[: bounds.max_items]],
        }


def _told(row: FoundRow) -> list[object]:
    of_split, of_row = row.of or (None, None)
    return [row.sample.split, row.sample.row, row.action, row.reason, row.detail, of_split, of_row]
