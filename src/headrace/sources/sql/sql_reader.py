"""Read what queries return, in streams; by ranges of a column, in parallel."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import DataError, DefinitionError, UnreachableError
from headrace.sources.feature_kinds import Kind
from headrace.sources.reading import Reader, shards_for
from headrace.sources.rows import FeatureRows, Rows
from headrace.sources.source import Unreadable
from headrace.sources.sql import sql_database, sql_spans, sql_text, sql_values
from headrace.sources.sql.sql_batch import Batch
from headrace.sources.sql.sql_database import Database
from headrace.sources.sql.sql_retries import Patience, Seen
from headrace.sources.sql.sql_source import Options

# How many bytes a cell takes, to choose the number of shards by.
_CELL_BYTES = 16
# Databases whose columns give values of one kind.
_OF_ONE_TYPE = frozenset({"postgresql", "mysql", "mariadb", "mssql"})
_FIRST_ROWS = 64
_GROWTH = 8
# Few enough that rows which are suddenly large fit into memory too.
_MAX_ROWS = 1000
_BATCH_BYTES = 8 << 20


@dataclass(frozen=True)
class Piece:
    """What one connection asks for.

    Attributes:
        query: The query.
        shown: What it reads, for messages.
    """

    query: str
    shown: str


@dataclass(frozen=True)
class Learned:
    """What a first reading tells.

    Attributes:
        kinds: The kind of each column, in their order; one without a value has none.
        num_rows: The number of rows of each piece.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    num_rows: dict[Piece, int] = field(default_factory=dict)


class SqlReader(Reader):
    """Queries of a database.

    A column of SQLite holds what was put there, and a NUMBER of Oracle comes as an integer or not: but for databases whose
    columns are of one type, and where Parquet files are written, a first reading finds out what each holds in all rows.

    Args:
        options: What the component says.
        is_parquet: Whether Parquet files are written.
    """

    def __init__(self, options: Options, is_parquet: bool) -> None:
        self._options = options
        self._is_parquet = is_parquet

    @property
    def needs_learning(self) -> bool:
        """Whether the kinds of columns must be found out."""
        dialect = re.split(r"[+:]", sql_text.filled(self._options.address))[0]
        return self._is_parquet or dialect not in _OF_ONE_TYPE

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[Piece]]]:
        """One part for the whole query, or one for each range of the partition column.

        Raises:
            HeadraceError: If the database cannot be reached, or refuses.
            DefinitionError: If the partition column is none, or holds neither numbers nor dates.
        """
        database = Database(self._options.address)
        (query,) = items
        selected = sql_spans.selected(database, query)
        if self._options.partition_column is None:
            return num_shards or 1, [[Piece(selected, sql_database.shown(selected))]]
        return self._ranges(database, query, num_shards)

    def _ranges(
        self, database: Database, query: str, num_shards: int | None
    ) -> tuple[int, list[list[Piece]]]:
        column = self._options.partition_column or ""
        parameters = self._options.parameters
        sql_spans.check_column(database, query, parameters, column, "partition_column")
        name, table = database.quoted(column), sql_spans.within(database, query)
        columns, row = database.first(f"SELECT * FROM {table}", parameters)
        _, ends = database.first(f"SELECT MIN({name}), MAX({name}), COUNT(*) FROM {table}", parameters)
        least, most, count = ends or (None, None, 0)
        total = shards_for(int(count) * len(columns) * _CELL_BYTES, num_shards)
        bounds = [] if row is None or least is None else _bounds(least, most, total, column)
        literals = [database.literal(bound) for bound in bounds]
        pieces = []
        for lower, upper in zip([None, *literals], [*literals, None]):
            conditions = [f"{name} >= {lower}"] if lower is not None else []
            conditions += [f"{name} < {upper}"] if upper is not None else []
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            # Rows without a value are in the first range.
            where += f" OR {name} IS NULL" if lower is None and upper is not None else ""
            shown = f"{sql_database.shown(query)}{where}"
            pieces.append([Piece(f"SELECT * FROM {table}{where} ORDER BY {name}", shown)])
        return total, pieces

    def learn(self, pieces: Sequence[Piece]) -> Learned:
        """Return the kinds of the columns, and the numbers of rows."""
        kinds: dict[str, Kind] = {}
        num_rows: dict[Piece, int] = {}
        for piece in pieces:
            num_rows[piece] = 0
            for batch in self._batches(piece):
                kinds = sql_values.widened(kinds, batch.kinds())
                num_rows[piece] += batch.num_rows
        return Learned(kinds, num_rows)

    def read(self, pieces: Sequence[Piece], learned: Sequence[Learned]) -> Iterator[Rows | Unreadable]:
        """Yield the rows in batches.

        Raises:
            DataError: If they are not those of the first reading.
        """
        kinds: dict[str, Kind] = {}
        expected: dict[Piece, int] = {}
        for one in learned:
            kinds = sql_values.widened(kinds, one.kinds)
            expected.update(one.num_rows)
        for piece in pieces:
            num_rows = 0
            for batch in self._batches(piece):
                num_rows += batch.num_rows
                found = sql_values.widened(kinds, batch.kinds())
                if learned and _names(found) != _names(kinds):
                    raise _changed(f"{piece.shown} returned columns of other kinds at a second reading")
                rows, faults = batch.features(found)
                yield from faults
                yield FeatureRows(
                    rows,
                    None if learned else {n: k for n, k in batch.kinds().items() if k.name},
                    {"lost connection made again": batch.num_losses} if batch.num_losses else None,
                    dict(_names(found)),
                )
            if expected.get(piece, num_rows) != num_rows:
                raise _changed(f"{piece.shown} returned {expected[piece]:,} rows and then {num_rows:,}")

    def _batches(self, piece: Piece) -> Iterator[Batch]:
        """Yield a piece's rows in batches that fit into memory, at least one; a lost connection is made again.

        Raises:
            UnreachableError: If it is lost too often.
            DataError: If other rows come after it was made again.
        """
        database = Database(self._options.address)
        patience = Patience()
        seen, losses = Seen(), 0
        while True:
            try:
                for batch in self._those_after(seen, database, piece):
                    batch.num_losses, losses = patience.num_losses - losses, patience.num_losses
                    yield batch
            except UnreachableError as error:
                patience.wait(error, seen.num_rows)
            else:
                return

    def _those_after(self, seen: Seen, database: Database, piece: Piece) -> Iterator[Batch]:
        """Yield the batches after those that were seen, which have to come again as they were."""
        again = Seen()
        to_come = seen.num_batches
        # A file is not lost, so there it need not be known again.
        keeps = database.dialect != "sqlite"
        for batch in self._stream(database, piece):
            if again.num_batches == to_come:
                seen.add(batch.num_rows, batch.values() if keeps else ())
                yield batch
                continue
            again.add(batch.num_rows, batch.values() if keeps else ())
            if again.num_batches == to_come and again.digest != seen.digest:
                raise _not_the_same(database, piece, seen)
        if again.num_batches < to_come:
            raise _not_the_same(database, piece, seen)

    def _stream(self, database: Database, piece: Piece) -> Iterator[Batch]:
        """Yield a piece's rows over one connection."""
        with database.connected() as connection:
            result = database.stream(connection, piece.query, self._options.parameters)
            names = list(result.keys())
            size, num_rows = _FIRST_ROWS, 0
            while True:
                with database.asking(piece.query, connection, num_rows):
                    rows = database.next_rows(result, size)
                if not rows and num_rows:
                    return
                batch = Batch(names, rows, num_rows + 1, piece.shown)
                yield batch
                num_rows += len(rows)
                size = max(1, min(_MAX_ROWS, size * _GROWTH, int(_BATCH_BYTES / batch.row_bytes)))
                if not rows:
                    return


def _not_the_same(database: Database, piece: Piece, seen: Seen) -> DataError:
    return DataError(
        f"{database.shown}: the connection was lost after {seen.num_rows:,} rows of {piece.shown}, and when it was made "
        "again other rows came, or in another order.",
        "add an ORDER BY that leaves no order open, so that reading can go on where it was; or run again.",
    )


def _names(kinds: Mapping[str, Kind]) -> list[tuple[str, str]]:
    return [(name, kind.name) for name, kind in kinds.items()]


def _changed(what: str) -> DataError:
    return DataError(f"{what}: the table changed while it was read.", "run again when nobody writes there.")


def _bounds(least: Any, most: Any, total: int, column: str) -> list[Any]:
    """Return the values at which `total` ranges of similar width begin, but for the first.

    Raises:
        DefinitionError: If they are neither numbers nor dates.
    """
    if isinstance(least, str) and isinstance(most, str):
        try:
            ends = (datetime.date.fromisoformat(least[:10]), datetime.date.fromisoformat(most[:10]))
        except ValueError:
            pass
        else:
            return [day.isoformat() for day in _bounds(*ends, total, column)]
    if isinstance(least, int) and isinstance(most, int):
        found: list[Any] = [least + (most - least) * index // total for index in range(1, total)]
    elif isinstance(least, datetime.date) or {type(least), type(most)} <= {int, float, decimal.Decimal}:
        found = [least + (most - least) * index / total for index in range(1, total)]
    else:
        raise DefinitionError(
            f"partition_column '{column}' holds {least!r}, of type {type(least).__name__}; ranges are of numbers or dates.",
            "name a column of these, such as the key, or leave it out.",
        )
    return sorted({bound for bound in found if bound > least})
