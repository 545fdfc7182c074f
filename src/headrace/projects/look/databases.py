"""Databases by their addresses: `sqlite:///FILE?SELECT ...`, and all that SQLAlchemy knows."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from headrace.errors import DataError, MissingFileError, SetupError, did_you_mean, listed
from headrace.projects.look.labels import Label
from headrace.projects.look.samples import MAX_ROWS, Sample

_ADDRESS = re.compile(r"([a-z][a-z0-9+_]*)://", re.I)
_DIALECTS = (
    "sqlite",
    "postgresql",
    "postgres",
    "mysql",
    "mariadb",
    "mssql",
    "oracle",
    "duckdb",
    "snowflake",
    "bigquery",
)
_QUERY = re.compile(r"\s*(select|with|table|values)\b", re.I)


@dataclass(frozen=True)
class Database:
    """A database and what is asked of it.

    Attributes:
        url: SQLAlchemy's address, without the query.
        query: The query; empty where only the address was given.
    """

    url: str
    query: str


def parse_address(given: str, query: str | None) -> Database | None:
    """Return what an address names, or `None` where it is no database's."""
    found = _ADDRESS.match(given)
    if found is None or found.group(1).split("+")[0].lower() not in _DIALECTS:
        return None
    url, mark, rest = given.partition("?")
    if mark and not _QUERY.match(rest):
        # Options of the connection: the query follows after a second mark.
        options, second, behind = rest.partition("?")
        url, rest = f"{url}?{options}", behind if second else ""
    return Database(_absolute(url), (query or rest).strip().rstrip(";"))


def _absolute(url: str) -> str:
    """Return the address of an SQLite file with its whole path: the project lies in another folder."""
    scheme, mark, path = url.partition(":///")
    if not mark or not scheme.lower().startswith("sqlite") or not path or path.startswith(":"):
        return url
    path, option, options = path.partition("?")
    return f"{scheme}:///{os.path.abspath(path)}{option}{options}"


def with_query(database: Database) -> Database:
    """Return the database with a query: of its only table where none was given.

    Raises:
        DataError: If there are several tables, or none.
    """
    if database.query:
        return database
    tables = list(_inspected(database))
    if len(tables) != 1:
        raise DataError(
            f"{database.url} has {len(tables)} tables: {listed(tables[:20])}. Nothing says what to read.",
            f'give a query: --data "{database.url}?SELECT * FROM {tables[0] if tables else "TABLE"}"',
        )
    return Database(database.url, f'SELECT * FROM "{tables[0]}"')


def with_labels(database: Database, label: Label) -> Database:
    """Return the database with a query that leaves out rows without the label, where some have none."""
    if not label.num_missing:
        return database
    conditions = " AND ".join(f'"{name}" IS NOT NULL' for name in label.names)
    return Database(database.url, f"SELECT * FROM ({database.query}) AS labelled WHERE {conditions}")


def read_sample(database: Database) -> Sample:
    """Read the first rows of a query.

    Raises:
        DataError: If the database refuses it.
    """
    import sqlalchemy

    with _connection(database) as connection:
        try:
            result = connection.execution_options(stream_results=True).execute(
                sqlalchemy.text(database.query)
            )
            names = list(result.keys())
            rows = result.fetchmany(MAX_ROWS + 1)
        except sqlalchemy.exc.SQLAlchemyError as error:
            tables = _inspected(database)
            asked = re.search(r"\bfrom\s+[\"'`\[]?(\w+)", database.query, re.I)
            hint = did_you_mean(asked.group(1), tables) if asked else ""
            raise DataError(
                f"the database refuses the query: {getattr(error, 'orig', error)!s}. It has {listed(tables[:20])}.",
                f"{hint}Correct the query.",
            ) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"the query gives '{twice[0]}' twice.", f"name one of them: SELECT ... AS {twice[0]}_2"
        )
    shown = rows[:MAX_ROWS]
    columns = [column_of([row[place] for row in shown]) for place in range(len(names))]
    return Sample(pa.table(dict(zip(names, columns))), len(rows) <= MAX_ROWS)


def column_of(values: list[Any]) -> pa.Array:
    """Return values of one column; text where they are of several types."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])


def _inspected(database: Database) -> list[str]:
    import sqlalchemy

    with _connection(database) as connection:
        found = sqlalchemy.inspect(connection)
        return [*found.get_table_names(), *found.get_view_names()]


def _connection(database: Database) -> Any:
    import sqlalchemy

    shown = re.sub(r"//[^@/]*@", "//***@", database.url)
    try:
        url = sqlalchemy.engine.make_url(database.url)
        if url.password:
            raise DataError(
                f"{shown} holds a password, which would stand in the files of the project.",
                "leave it out of the address: PostgreSQL's driver reads ~/.pgpass or PGPASSWORD, MySQL's ~/.my.cnf.",
            )
        if url.get_backend_name() == "sqlite" and url.database and not os.path.isfile(url.database):
            # SQLite would make an empty one.
            raise MissingFileError(
                f"there is no database file '{url.database}'.", "correct the path in --data."
            )
        return sqlalchemy.create_engine(url).connect()
    except ImportError as error:
        raise SetupError(
            f"{shown} needs the package {error.name}, which is not installed.", f"pip install {error.name}"
        ) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise DataError(f"{shown} cannot be opened: {reason}.", "correct the address in --data.") from error
