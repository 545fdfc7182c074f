"""Examples in Python: rows as DataFrames, all of a split or some thousands at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from headrace.errors import DefinitionError, EmptyDataError, did_you_mean, listed
from headrace.files import size_on_disk
from headrace.formats import artifacts, quarantine
from headrace.formats.examples import plain_rows
from headrace.results import frames
from headrace.results.result import Bounds, Result, plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_BATCH_ROWS = 10_000
_SHOWN_ROWS = 5


class Examples(Result):
    """Rows: what `headrace.load` returns of an `Examples` artifact.

    A feature with one value in each row is a column of values; one with several, or with none in some rows and several
    in others, a column of lists. Bytes that are UTF-8 in all rows read come as texts. What is missing is NaN among
    numbers with fractions, else None.

    Example:
        >>> import headrace
        >>> examples = headrace.load("latest/CsvExampleGen.examples")  # doctest: +SKIP
        >>> examples.to_pandas("train", limit=5)  # doctest: +SKIP
        >>> sum(len(batch) for batch in examples.batches("train"))  # doctest: +SKIP
        1119
    """

    @property
    def splits(self) -> Sequence[str]:
        """The names of its splits."""
        return tuple(artifacts.split_names(self.artifact))

    def num_rows(self, split: str | None = None) -> int:
        """Return how many rows a split has, or all splits together: the files are read to the end.

        Raises:
            UnknownSplitError: If there is no such split, naming those there are.
        """
        return sum(self._count(name) for name in self._names(split))

    def to_pandas(
        self, split: str | None = None, *, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return rows as a DataFrame, in the order of the files; with all splits, the column `split` says which.

        Args:
            split: The split; left out, all of them.
            limit: At most so many rows; all where left out, which then lie in memory at once.
            columns: Only these features.

        Raises:
            UnknownSplitError: If there is no such split, naming those there are.
            DefinitionError: If a column is no feature, or `limit` no number from 0.
        """
        import pandas as pd

        names = self._names(split)
        tables = []
        left = _checked_limit(limit)
        for name in names:
            found = list(self._arrow(name, left, columns))
            left = None if left is None else left - sum(batch.num_rows for batch in found)
            frame = frames.of_examples(found)
            if split is None and len(names) > 1:
                frame.insert(0, "split" if "split" not in frame else "split_", name)
            tables.append(frame)
        return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]

    def examples(self, split: str | None = None, *, limit: int | None = None) -> pd.DataFrame:
        """Return rows as a DataFrame; see `to_pandas`."""
        return self.to_pandas(split, limit=limit)

    def batches(
        self, split: str, *, rows: int = _BATCH_ROWS, columns: Sequence[str] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield a split as DataFrames of at most `rows` rows, so that no more of it lies in memory.

        A column of one batch may hold values where it holds lists in another, as `to_pandas` tells.

        Raises:
            UnknownSplitError: If there is no such split, naming those there are.
            DefinitionError: If a column is no feature, or `rows` no number from 1.
        """
        if not isinstance(rows, int) or rows < 1:
            raise DefinitionError(f"rows={rows!r}: a batch has 1 row or more.", "give a whole number.")
        for batch in self._arrow(self._names(split)[0], None, columns, rows):
            yield frames.of_examples([batch])

    def serialized(
        self, split: str | None = None, *, limit: int | None = None, rows: int = _BATCH_ROWS
    ) -> Iterator[list[bytes]]:
        """Yield rows as serialized tf.Examples, at most `rows` at a time.

        Raises:
            UnknownSplitError: If there is no such split, naming those there are.
        """
        from headrace.formats.examples import light_examples

        left = _checked_limit(limit)
        for name in self._names(split):
            for batch in light_examples.read_records(self.artifact, name, rows):
                found = batch if left is None else batch[:left]
                left = None if left is None else left - len(found)
                if found:
                    yield found
                if left == 0:
                    return

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `ExamplesData`."""
        reasons: dict[str, int] = {}
        for item in quarantine.read(self.path):
            reasons[item.kind] = reasons.get(item.kind, 0) + 1
        return {
            "payload": artifacts.payload_format(self.artifact),
            "files": artifacts.file_format(self.artifact),
            "splits": [self._split_data(name, bounds) for name in bounds.first("splits", self.splits)],
            "quarantine": bounds.pairs("quarantine", reasons),
        }

    def _split_data(self, name: str, bounds: Bounds) -> dict[str, object]:
        files = artifacts.split_files(self.artifact, name)
        first = plain_rows.read_rows(self.artifact, name, _SHOWN_ROWS)
        num_rows = self._count(name)
        if num_rows > len(first):
            bounds.cut.append(f"splits.{name}.rows: {len(first):,} of {num_rows:,}")
        return {
            "name": name,
            "num_files": len(files),
            "num_rows": num_rows,
            "size_bytes": sum(size_on_disk(path) for path in files),
            "rows": [plain(row, Bounds(100, bounds.cut), f"splits.{name}.rows") for row in first],
        }

    def _names(self, split: str | None) -> Sequence[str]:
        if split is None:
            if not self.splits:
                raise EmptyDataError(f"{self.type_name} {self.artifact_id} has no splits.", "make it again.")
            return self.splits
        artifacts.check_splits(self.artifact, [split], "load")
        return (split,)

    def _count(self, split: str) -> int:
        from headrace.formats.examples import light_examples

        return light_examples.count(self.artifact, split)

    def _check_columns(self, split: str, columns: Sequence[str] | None) -> None:
        """Check that the first rows have the columns; what no row has, but for a rare one, is a typing error."""
        from headrace.formats.examples import light_examples

        batch = (
            next(light_examples.read_columns(self.artifact, split, _BATCH_ROWS), None) if columns else None
        )
        known = [] if batch is None else batch.schema.names
        for name in columns or ():
            if batch is not None and name not in known:
                raise DefinitionError(
                    f"split '{split}' of {self.type_name} {self.artifact_id} has no feature '{name}'. It has "
                    f"{listed(known)}.",
                    f"{did_you_mean(name, known)}Correct columns.",
                )

    def _arrow(
        self, split: str, limit: int | None, columns: Sequence[str] | None, rows: int = _BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        from headrace.formats.examples import light_examples

        if limit == 0:
            return
        self._check_columns(split, columns)
        left = limit
        size = rows if limit is None else min(rows, limit)
        for batch in light_examples.read_columns(self.artifact, split, size, columns):
            found = batch if left is None else batch.slice(0, left)
            yield found
            left = None if left is None else left - found.num_rows
            if left == 0:
                return


def _checked_limit(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise DefinitionError(f"limit={limit!r}: it takes a whole number from 0.", "Correct limit.")
    return limit
