"""Spans in a column: integers as they are, dates and times as the days since 1970, as TFX numbers them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from headrace.errors import DataError, DefinitionError, EmptyDataError, did_you_mean, listed
from headrace.sources.sql import sql_database, sql_text
from headrace.sources.sql.sql_database import Database

_FIRST_DAY = datetime.date(1970, 1, 1)
_DAY = datetime.timedelta(days=1)


def selected(database: Database, query: str) -> str:
    """Return the query that reads a table, or the query given."""
    if not sql_text.is_table(query):
        return sql_text.without_end(query)
    return "SELECT * FROM " + ".".join(database.quoted(part) for part in query.strip().split("."))


def within(database: Database, query: str) -> str:
    """Return a query as a table in another."""
    # A line end: the query may end with a comment.
    return f"({selected(database, query)}\n) AS headrace_rows"


def check_column(
    database: Database, query: str, parameters: Mapping[str, Any], column: str, what: str
) -> None:
    """Check that a query returns a column.

    Raises:
        DefinitionError: If it does not.
    """
    names, _ = database.first(f"SELECT * FROM {within(database, query)} WHERE 1 = 0", parameters)
    if column not in names:
        raise DefinitionError(
            f"{what} is '{column}', which {sql_database.shown(query)} does not return. It returns {listed(names)}.",
            f"{did_you_mean(column, names)}Correct the name.",
        )


def decide(
    database: Database, query: str, parameters: Mapping[str, Any], column: str, wanted: int | None
) -> tuple[int, str]:
    """Return the newest span, or the one wanted, and the query that reads its rows alone.

    Raises:
        DefinitionError: If there is no such column.
        EmptyDataError: If there is no span, or not that one.
        DataError: If the column holds neither integers nor dates.
    """
    check_column(database, query, parameters, column, "span_column")
    name, table = database.quoted(column), within(database, query)
    _, row = database.first(f"SELECT MAX({name}) FROM {table}", parameters)
    newest = None if row is None else row[0]
    if newest is None:
        raise EmptyDataError(
            f"{sql_database.shown(query)} returns no row with a value in '{column}', so there is no span.",
            "give a query that returns some.",
        )
    span = number_of(newest, column)
    if wanted is not None and wanted != span:
        condition = _condition(database, name, newest, wanted)
        _, row = database.first(f"SELECT COUNT(*) FROM {table} WHERE {condition}", parameters)
        if row is None or not row[0]:
            raise EmptyDataError(
                f"{sql_database.shown(query)} returns no row of span {wanted}{_dated(newest, wanted)}; the newest is "
                f"{span}{_dated(newest, span)}.",
                "ask for another span in range_config.",
            )
        span = wanted
    return span, f"SELECT * FROM {table} WHERE {_condition(database, name, newest, span)}"


def number_of(value: Any, column: str) -> int:
    """Return the number of the span that a value stands for.

    Raises:
        DataError: If it stands for none.

    Example:
        >>> number_of("1970-01-03 12:00:00", "day"), number_of(7, "day")
        (2, 7)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    day = _day_of(value)
    if day is None:
        raise DataError(
            f"the newest value of span_column '{column}' is {value!r}, of type {type(value).__name__}, which is neither "
            "an integer nor a date.",
            "make one of it in the query, such as a text 2024-05-31.",
        )
    return (day - _FIRST_DAY).days


def _day_of(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _dated(like: Any, span: int) -> str:
    if isinstance(like, int):
        return ""
    try:
        return f" ({(_FIRST_DAY + span * _DAY).isoformat()})"
    except OverflowError:
        return ""


def _condition(database: Database, name: str, like: Any, span: int) -> str:
    """Return what the rows of a span fulfil, the column holding values `like` one."""
    if isinstance(like, int):
        return f"{name} = {span}"
    try:
        day = _FIRST_DAY + span * _DAY
        following = day + _DAY
    except OverflowError:
        raise DefinitionError(
            f"range_config asks for span {span}, which is no day.", "ask for another."
        ) from None
    # ISO texts sort as their dates do, with a time of day behind them or without.
    ends = [one.isoformat() if isinstance(like, str) else one for one in (day, following)]
    if isinstance(like, datetime.datetime):
        ends = [datetime.datetime.combine(one, datetime.time(), like.tzinfo) for one in (day, following)]
    return f"{name} >= {database.literal(ends[0])} AND {name} < {database.literal(ends[1])}"
