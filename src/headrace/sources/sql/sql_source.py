"""A database's query as a source. Light: SQLAlchemy is imported where it is asked.

What the driver decides stands in the split's pattern: with a span, the query that reads its rows alone, with the span's
number before it, `-- span 19843`. So it is recorded, and read again by the executor.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.authoring.light import authoring
from headrace.errors import DataError, DefinitionError
from headrace.files import payloads
from headrace.sources import spans
from headrace.sources.source import InputSplit, Request, Source, Survey
from headrace.sources.sql import sql_text

if TYPE_CHECKING:
    from headrace.sources.reading import Reader

with authoring():
    from tfx.proto import example_gen_pb2

_DECIDED = re.compile(r"-- span (?P<span>-?\d+)\n")


@dataclass(frozen=True)
class Options:
    """What the component says of a database, as plain values.

    Attributes:
        address: Its address, with `${NAME}` for what comes from the environment.
        parameters: The values of `:name` in queries.
        span_column: The column whose values are spans.
        partition_column: The column by whose ranges it is read in parallel.
        version_query: A query whose first row changes where the content does.
    """

    address: str
    parameters: dict[str, Any]
    span_column: str | None = None
    partition_column: str | None = None
    version_query: str | None = None


class SqlSource(Source):
    """What queries return; the pattern of a split is its query, or the name of a table.

    Takes the attributes of `Options`.
    """

    ITEMS = "a query or table"
    TELLS_COLUMNS = True

    def __init__(
        self,
        address: str,
        parameters: dict[str, Any] | None = None,
        span_column: str | None = None,
        partition_column: str | None = None,
        version_query: str | None = None,
    ) -> None:
        self._options = Options(address, parameters or {}, span_column, partition_column, version_query)

    def survey(self, request: Request) -> Survey:
        """Decide the span.

        Raises:
            DefinitionError: If a range is asked for, and there is no span column.
            EmptyDataError: If there is no span, or not the one asked for.
            DataError: If the column's values are no spans, or those of the splits differ.
        """
        if self._options.span_column is None:
            if request.range_config is not None:
                raise DefinitionError(
                    "range_config is given, and no span_column.",
                    "name the column whose values are the spans, or drop range_config.",
                )
            items = tuple(InputSplit(one.name, one.pattern, (one.pattern,)) for one in request.splits)
            return Survey(request.place, items)
        decided = [self._decided(split, request.range_config) for split in request.splits]
        for (span, _), split in zip(decided, request.splits):
            if span != decided[0][0]:
                raise DataError(
                    f"split '{request.splits[0].name}' has span {decided[0][0]} as its latest and split "
                    f"'{split.name}' has {span}; all splits are read from one span.",
                    "add the missing rows, or name the span in range_config.",
                )
        items = tuple(
            InputSplit(split.name, query, (query,)) for split, (_, query) in zip(request.splits, decided)
        )
        return Survey(request.place, items, decided[0][0])

    def _decided(self, split: Any, range_config: Any | None) -> tuple[int, str]:
        """Return the span of a split, and the query that reads it."""
        before = _DECIDED.match(split.pattern)
        if before:
            return int(before["span"]), split.pattern
        from headrace.sources.sql import sql_spans
        from headrace.sources.sql.sql_database import Database

        wanted = spans.wanted_span(range_config)
        column = self._options.span_column or ""
        database = Database(self._options.address)
        span, query = sql_spans.decide(database, split.pattern, self._options.parameters, column, wanted)
        return span, f"-- span {span}\n{query}"

    def fingerprint(self, survey: Survey) -> str:
        """What the version query returns; without one nobody can tell, and it is read each time."""
        query = self._options.version_query
        if query is None:
            return payloads.unknown_digest()
        from headrace.sources.sql.sql_database import Database

        database = Database(self._options.address)
        names = set(sql_text.placeholders(query))
        given = {name: value for name, value in self._options.parameters.items() if name in names}
        _, row = database.first(query, given)
        known = repr((database.shown, [split.pattern for split in survey.splits], row))
        return f"sql,sha256:{hashlib.sha256(known.encode()).hexdigest()}"

    def watched(self, survey: Survey) -> str:
        """The tables, where a query tells their version."""
        return "" if self._options.version_query is None else "the tables of the database"

    def no_rows(self, splits: Sequence[InputSplit], place: str = "") -> str:
        """Name the queries."""
        shown = " and ".join(f"'{' '.join(split.pattern.split())}'" for split in splits)
        return f"{shown} {'returns' if len(splits) == 1 else 'return'} no rows"

    def reader(self, payload_format: int) -> Reader:
        """Return what runs the queries."""
        from headrace.sources.sql.sql_reader import SqlReader

        return SqlReader(self._options, payload_format == example_gen_pb2.FORMAT_PARQUET)
