"""What one part's reading lets through: rows, while what cannot be read ends the run or goes into the quarantine."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType

from headrace.errors import MalformedFileError
from headrace.formats import quarantine
from headrace.sources import feature_kinds
from headrace.sources.feature_kinds import Kind
from headrace.sources.rows import Rows
from headrace.sources.source import Unreadable

FAIL, QUARANTINE = "fail", "quarantine"
ON_ERROR = (FAIL, QUARANTINE)


def joined_columns(known: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of both, with the kind of one that has a value."""
    return {name: known.get(name) or found.get(name, "") for name in {**known, **found}}


class Intake:
    """A context manager around the reading of one part.

    Args:
        writer: Of the part's quarantine; `None` where what cannot be read ends the run.

    Attributes:
        kinds: The kind of each feature met so far, of readers that tell.
        notes: What the reader met that a person should know of, and how often.
        columns: The kind of each column, of readers that tell.
    """

    def __init__(self, writer: quarantine.Writer | None) -> None:
        self._writer = writer
        self.kinds: dict[str, Kind] = {}
        self.notes: collections.Counter[str] = collections.Counter()
        self.columns: dict[str, str] = {}

    @property
    def num_quarantined(self) -> int:
        """How many items are in the part's quarantine."""
        return self._writer.num_items if self._writer is not None else 0

    def rows(self, read: Iterable[Rows | Unreadable]) -> Iterator[Rows]:
        """Yield the rows among what a reader yields.

        Raises:
            MalformedFileError: If an item cannot be read, and there is no quarantine.
            DataError: If a feature is of two kinds.
        """
        for one in read:
            if isinstance(one, Unreadable):
                self._set_aside(one)
            else:
                self.kinds = feature_kinds.merge(self.kinds, one.kinds)
                self.notes.update(one.notes)
                self.columns = joined_columns(self.columns, one.columns)
                yield one

    def _set_aside(self, item: Unreadable) -> None:
        if self._writer is None:
            raise MalformedFileError(
                f"{item.problem}.",
                f'{item.fix or "correct it"}; or set aside what cannot be read, with on_error="{QUARANTINE}".',
            )
        self._writer.write(quarantine.Item(item.source, item.place, item.reason))

    def __enter__(self) -> Intake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)
