"""A connection to a database that only reads, and what goes wrong on it, said with its address and its query."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection, CursorResult, Engine, make_url
from sqlalchemy.pool import NullPool

from headrace import secrets
from headrace.errors import (
    DataError,
    DefinitionError,
    HeadraceError,
    MissingFileError,
    SetupError,
    UnreachableError,
    did_you_mean,
    listed,
)
from headrace.sources.sql import sql_retries, sql_text

# What pip calls the package of a driver, where its module is called otherwise.
_PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "cx_Oracle": "cx_Oracle",
    "oracledb": "oracledb",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "duckdb": "duckdb-engine",
    "databricks": "databricks-sqlalchemy",
    "redshift": "sqlalchemy-redshift",
    "clickhouse": "clickhouse-sqlalchemy",
    "trino": "trino[sqlalchemy]",
    "presto": "pyhive[presto]",
    "hive": "pyhive[hive]",
}
_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
_LOCK_SECONDS = 30
# What SQLAlchemy asks ahead for, beyond what is asked of it.
_AHEAD_ROWS = 16
_SHOWN_CHARACTERS = 200


class Database:
    """A database at an address.

    Args:
        address: Its address, as `sql_text.filled` completes it.

    Raises:
        SetupError: If the driver's package is missing, or a variable is not set.
        DefinitionError: If the address is none.
        MissingFileError: If a file of SQLite does not exist.
    """

    def __init__(self, address: str) -> None:
        text = sql_text.filled(address)
        try:
            self._url = make_url(text)
        except (exc.ArgumentError, ValueError) as error:
            raise DefinitionError(
                f"'{secrets.mask_text(text)}' is no address of a database.",
                "write it as dialect+driver://user@host:port/name; see SQLAlchemy's database URLs.",
            ) from error
        self.dialect = self._url.get_backend_name()
        self.shown = secrets.mask_text(self._url.render_as_string(hide_password=True))
        self._engine = self._made()

    def _made(self) -> Engine:
        options: dict[str, Any] = {}
        url = self._url
        if self.dialect == "sqlite":
            url = _read_only_file(url, self.shown)
            options = {"timeout": _LOCK_SECONDS, "check_same_thread": False}
        try:
            return sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=options)
        except ModuleNotFoundError as error:
            module = (error.name or "").partition(".")[0]
            raise SetupError(
                f"{self.shown} is read with the package '{_PACKAGES.get(module, module)}', which is not installed.",
                f"run: pip install '{_PACKAGES.get(module, module)}'",
            ) from error
        except exc.NoSuchModuleError as error:
            package = _PACKAGES.get(self.dialect)
            known = ("sqlite", "postgresql", "mysql", "mariadb", "mssql", "oracle", *_PACKAGES)
            raise (
                SetupError(
                    f"{self.shown} is read with the package '{package}', which is not installed.",
                    f"run: pip install '{package}'",
                )
                if package
                else DefinitionError(
                    f"{self.shown}: SQLAlchemy knows no database '{self._url.drivername}'.",
                    f"{did_you_mean(self.dialect, known)}Correct the scheme, or install the package that brings it.",
                )
            ) from error
        except (exc.SQLAlchemyError, TypeError, ValueError) as error:
            raise DefinitionError(
                f"{self.shown} is no address that its driver takes: {self._masked(error)}.",
                "correct the address.",
            ) from error

    def quoted(self, name: str) -> str:
        """Return a name as a query writes it."""
        return str(self._engine.dialect.identifier_preparer.quote(name))

    def literal(self, value: Any) -> str:
        """Return a value as a query writes it."""
        compiled = sqlalchemy.literal(value).compile(self._engine, compile_kwargs={"literal_binds": True})
        # A percent sign is doubled for drivers that format by it, which is done again where the query is run.
        return str(compiled).replace("%%", "%")

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        """Connect, to read alone; nothing is ever committed.

        Raises:
            UnreachableError: If nobody answers, or refuses.
        """
        try:
            connection = self._engine.connect()
        except exc.DBAPIError as error:
            raise UnreachableError(
                f"{self.shown} cannot be reached: {self._masked(error.orig)}.",
                "check host, port, name, user and password, and that the server runs.",
            ) from error
        with connection:
            if self.dialect in _READ_ONLY:
                with self.asking("", connection):
                    connection.exec_driver_sql(_READ_ONLY[self.dialect])
            yield connection
            connection.rollback()

    def stream(self, connection: Connection, query: str, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Run a query whose rows come as they are asked for, where the driver can.

        Raises:
            DataError: If it fails, or names a column twice.
        """
        statement = sqlalchemy.text(sql_text.escaped(query, parameters))
        options = {"stream_results": True, "max_row_buffer": _AHEAD_ROWS}
        with self.asking(query, connection):
            result = connection.execution_options(**options).execute(statement, dict(parameters))
        if not result.returns_rows:
            raise DataError(f"{self.shown}: {shown(query)} returns no rows.", "give a SELECT.")
        check_columns(list(result.keys()), f"{self.shown}: {shown(query)}")
        return result

    def first(self, query: str, parameters: Mapping[str, Any]) -> tuple[list[str], tuple[Any, ...] | None]:
        """Return the columns of a query and its first row."""
        patience = sql_retries.Patience()
        while True:
            try:
                with self.connected() as connection:
                    result = self.stream(connection, query, parameters)
                    with self.asking(query, connection):
                        row = result.fetchone()
                    return list(result.keys()), None if row is None else tuple(row)
            except UnreachableError as error:
                patience.wait(error)

    def next_rows(self, result: CursorResult[Any], num_rows: int) -> Sequence[Sequence[Any]]:
        """Return at most so many rows that follow; none at the end. To be called within `asking`."""
        cursor = result.cursor
        if isinstance(cursor, sqlite3.Cursor):
            # SQLAlchemy makes an object of each row, which takes as long as to read it. The values are the same: those of
            # a query that is a text have no types by which it would convert them.
            return cursor.fetchmany(num_rows)
        return result.fetchmany(num_rows)

    @contextlib.contextmanager
    def asking(self, query: str, connection: Connection, num_rows: int = 0) -> Iterator[None]:
        """Say what the database refuses.

        Args:
            query: What it is asked, for the message.
            connection: Where.
            num_rows: How many rows came so far.

        Raises:
            UnreachableError: If the connection was lost, or others lock the database.
            DataError: If it refuses the query.
        """
        try:
            yield
        except (exc.SQLAlchemyError, sqlite3.Error, ConnectionError, TimeoutError) as error:
            raise self._said(error, query, connection, num_rows) from error
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.shown}: row {num_rows + 1} of {shown(query)}, or one soon after it, holds a text that does not "
                f"decode: {error}.",
                "read that column as bytes, as with CAST(... AS BLOB), or correct the encoding in the address.",
            ) from error

    def _said(self, error: Exception, query: str, connection: Connection, num_rows: int) -> HeadraceError:
        cause = getattr(error, "orig", None)
        message = self._masked(cause if cause is not None else error)
        after = f" after {num_rows:,} rows" if num_rows else ""
        if "is locked" in message:
            return UnreachableError(
                f"{self.shown} is locked by another process{after}, for more than {_LOCK_SECONDS} s.",
                "end what writes there, and run again.",
            )
        if sql_retries.is_loss(error) or connection.invalidated:
            # What is gone takes no rollback.
            connection.invalidate()
            return UnreachableError(
                f"{self.shown}: the connection was lost{after}: {message}.",
                "run again; a query of smaller parts, with partition_column, is less long.",
            )
        return DataError(
            f"{self.shown}: {shown(query)} failed{after}: {message}.",
            f"{self._tables(query)}Correct the query.",
        )

    def _tables(self, query: str) -> str:
        """Say which tables there are, where a query names one that is none."""
        try:
            # Another connection: the transaction of that one may have failed.
            names = sqlalchemy.inspect(self._engine).get_table_names()
        except exc.SQLAlchemyError:
            return ""
        words = set(query.replace(".", " ").replace(",", " ").lower().split())
        if not names or any(name.lower() in words for name in names):
            return ""
        return f"There is {listed(names[:20])}. "

    def _masked(self, error: object) -> str:
        text = secrets.mask_text(str(error).strip().rstrip("."))
        password = self._url.password
        return text.replace(str(password), secrets.MASK) if password else text


def check_columns(names: Sequence[str], where: str) -> None:
    """Check that each column has a name of its own.

    Raises:
        DataError: If one has none, or another's.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{where} has two columns '{twice[0]}'.",
            "name each feature by its own name: SELECT a.id AS id, b.id AS other_id.",
        )
    if "" in names:
        raise DataError(f"{where}: column {names.index('') + 1} has no name.", "name it: SELECT ... AS name.")


def shown(query: str) -> str:
    """Return a query on one line, for messages."""
    text = " ".join(query.split())
    return f"'{text}'" if len(text) <= _SHOWN_CHARACTERS else f"'{text[:_SHOWN_CHARACTERS]}...'"


def _read_only_file(url: URL, shown_address: str) -> URL:
    """Return the address of a file of SQLite that is opened to be read; it is never created.

    Raises:
        MissingFileError: If it does not exist.
        DefinitionError: If it is no file, but memory.
    """
    path = url.database or ""
    if path in ("", ":memory:"):
        raise DefinitionError(
            f"{shown_address} is a database in memory, which is empty.",
            'give that of a file: "sqlite:///data/trips.db".',
        )
    if path.startswith("file:"):
        return url.update_query_dict({"mode": "ro", "uri": "true"})
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "does not exist"
        raise MissingFileError(
            f"the database {shown_address}: the file '{path}' {what} (looked in {os.getcwd()}).",
            "correct the path: sqlite:///relative/path.db, or sqlite:////absolute/path.db.",
        )
    file = f"file:{quote(os.path.abspath(path))}"
    return url.set(database=file).update_query_dict({"mode": "ro", "uri": "true"})
