"""SqlExampleGen: values, ranges, spans, the cache, and what goes wrong with a database."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import itertools
import os
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest_example_gen import records
from sqlalchemy import exc

from headrace import testing
from headrace.components import SqlExampleGen
from headrace.components.example_gen.driver import Driver
from headrace.errors import (
    DataError,
    DefinitionError,
    EmptyDataError,
    HeadraceError,
    MissingFileError,
    SetupError,
    UnreachableError,
)
from headrace.files import payloads
from headrace.formats import columns, quarantine
from headrace.sources.sql import sql_database, sql_reader, sql_retries, sql_spans, sql_values
from headrace.sources.sql.sql_batch import Batch
from headrace.sources.sql.sql_reader import SqlReader
from headrace.sources.sql.sql_source import Options

_ROWS = 2500


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A database of trips on five days, of which SQLite holds some whole prices as integers."""
    path = tmp_path / "trips.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE trips(id INTEGER, day TEXT, miles REAL, price NUMERIC, kind TEXT, picture BLOB, none TEXT)"
    )
    day = datetime.date(2024, 5, 1)
    connection.executemany(
        "INSERT INTO trips VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [
            (
                None if number == 7 else number,
                (day + datetime.timedelta(days=number % 5)).isoformat(),
                number / 2 if number % 3 else None,
                number / 4,
                f"a: é{number % 4}%",
                bytes([number % 256]),
            )
            for number in range(_ROWS)
        ],
    )
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def read(address: str, query: str = "trips", num_shards: int | None = None, **options: Any) -> list[Any]:
    """What a reader yields, without Beam."""
    reader = SqlReader(Options(address, options.pop("parameters", {}), **options), is_parquet=False)
    _, lists = reader.plan([query], num_shards)
    learned = [reader.learn(pieces) for pieces in lists] if reader.needs_learning else []
    return [one for pieces in lists for one in reader.read(pieces, learned)]


def rows_of(read_rows: list[Any]) -> list[dict[str, Any]]:
    return [row for one in read_rows for row in one.table().to_pylist()]


def test_values_are_those_that_pandas_reads(address: str):
    """In the order of the query; a price that SQLite keeps as an integer is a float like the others."""
    got = rows_of(read(address))

    expected = pd.read_sql("SELECT * FROM trips", sqlite3.connect(address.removeprefix("sqlite:///")))
    assert len(got) == _ROWS
    for row, wanted in zip(got, expected.to_dict("records")):
        assert row["id"] == (None if np.isnan(wanted["id"]) else [wanted["id"]])
        assert row["miles"] == (None if np.isnan(wanted["miles"]) else [wanted["miles"]])
        assert row["price"] == [wanted["price"]]
        assert row["kind"] == [wanted["kind"].encode()]
        assert row["picture"] == [wanted["picture"]]
        assert row["none"] is None


@pytest.mark.parametrize(("column", "num_shards"), [("id", 7), ("price", 3), ("day", 4), ("id", None)])
def test_ranges_hold_each_row_once(address: str, column: str, num_shards: int | None):
    """Those without a value among them, in the order of the column."""
    got = rows_of(read(address, "SELECT * FROM trips -- all", num_shards, partition_column=column))

    assert len(got) == _ROWS
    assert {row["picture"][0] + str(row["price"]).encode() for row in got} == {
        row["picture"][0] + str(row["price"]).encode() for row in rows_of(read(address))
    }
    values = [row[column][0] for row in got if row[column] is not None]
    assert values == sorted(values)


def test_columns_of_two_kinds_are_refused_with_both_rows(address: str):
    query = "SELECT CASE WHEN id = 2000 THEN 'x' ELSE id END AS a FROM trips"
    with pytest.raises(
        DataError, match=r"'a' holds integers in row .*, and bytes or text in row 2,001 of"
    ) as caught:
        read(address, query)
    assert "CAST(a AS TEXT)" in caught.value.fix


def test_rows_that_come_in_between_are_seen(address: str):
    """Where the query is read twice."""
    reader = SqlReader(Options(address, {}), is_parquet=False)
    _, (pieces,) = reader.plan(["trips"], None)
    learned = reader.learn(pieces)
    with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
        connection.execute("INSERT INTO trips (id) VALUES (1)")
    with pytest.raises(
        DataError, match="returned 2,500 rows and then 2,501: the table changed while it was read"
    ):
        list(reader.read(pieces, [learned]))
    with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE trips SET id = 'text'")
    with pytest.raises(DataError, match=r"'id' holds integers in row .*, and bytes or text"):
        list(reader.read(pieces, [learned]))


def test_values_of_other_drivers_have_a_form():
    """As PostgreSQL's gives them."""
    one = uuid.UUID(int=5)
    row = (
        decimal.Decimal("1.5"),
        datetime.datetime(2024, 5, 1, 12, 30),
        datetime.date(2024, 5, 1),
        datetime.time(1, 2),
        datetime.timedelta(minutes=1),
        one,
        memoryview(b"ab"),
        {"b": [1], "a": "é"},
        [1, None, 2],
        True,
        decimal.Decimal("NaN"),
    )
    names = [f"c{number}" for number in range(len(row))]
    batch = Batch(names, [row, (None,) * len(row)], 1, "q")

    features, faults = batch.features(batch.kinds())

    assert not faults
    values = [column[0] for column in features.to_pydict().values()]
    assert values[:10] == [
        [1.5], [b"2024-05-01T12:30:00"], [b"2024-05-01"], [b"01:02:00"], [60.0], [str(one).encode()], [b"ab"],
        ['{"a": "é", "b": [1]}'.encode()], [1, 2], [1],
    ]  # fmt: skip
    assert np.isnan(values[10][0])
    assert all(column[1] is None for column in features.to_pydict().values())


def test_a_value_beyond_tf_example_is_set_aside_with_its_row():
    batch = Batch(["a", "b"], [(1, "x"), (2**70, "y"), (3, "\ud800"), (4, "z")], 11, "q")

    features, faults = batch.features(batch.kinds())

    assert features.to_pydict() == {"a": [[1], [4]], "b": [[b"x"], [b"z"]]}
    assert [fault.place for fault in faults] == ["row 12", "row 13"]
    assert "column 'a' is 1180591620717411303424, beyond 64-bit integers" in faults[0].problem


def test_large_rows_come_in_small_batches(tmp_path: Path):
    """Memory is bounded by their bytes."""
    path = tmp_path / "large.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t(b BLOB)")
    connection.executemany("INSERT INTO t VALUES (zeroblob(?))", [(1 << 20,)] * 100)
    connection.commit()

    sizes = [one.num_rows for one in read(f"sqlite:///{path}", "t")]

    assert sum(sizes) == 100
    assert max(sizes[1:]) <= 8


@pytest.mark.parametrize(
    "value", [7, "2024-05-03", datetime.date(2024, 5, 3), datetime.datetime(2024, 5, 3, 4)]
)
def test_spans_are_integers_or_days_since_1970(value: Any):
    assert sql_spans.number_of(value, "c") == (7 if value == 7 else 19846)


def resolved(address: str, **options: Any) -> dict[str, Any]:
    component = SqlExampleGen(address, options.pop("query", "trips"), **options)
    return Driver(None).resolve_exec_properties(dict(component.exec_properties), None, None)


def spans(number: int) -> dict[str, Any]:
    return {"static_range": {"start_span_number": number, "end_span_number": number}}


def test_the_newest_day_is_the_span_and_its_rows_alone_are_read(address: str, tmp_path: Path):
    """What the driver decided is what the executor reads, though newer rows come."""
    result = testing.run_component(
        SqlExampleGen(address, "trips", span_column="day", range_config=spans(19845)), tmp_path / "store"
    )
    examples = result.output("examples")
    assert examples.get_int_custom_property("span") == 19845
    found = {
        tf.train.Example.FromString(record).features.feature["day"].bytes_list.value[0]
        for split in ("train", "eval")
        for record in records(examples, split)
    }
    assert found == {b"2024-05-02"}
    assert resolved(address, span_column="day")["span"] == 19848
    assert resolved(address, span_column="id")["span"] == _ROWS - 1
    with pytest.raises(
        EmptyDataError, match=r"no row of span 1 \(1970-01-02\); the newest is 19848 \(2024-05-05\)"
    ):
        resolved(address, span_column="day", range_config=spans(1))
    with pytest.raises(DataError, match="neither an integer nor a date"):
        resolved(address, span_column="kind")
    with pytest.raises(DefinitionError, match="span_column is 'dya'"):
        resolved(address, span_column="dya")
    with pytest.raises(DefinitionError, match="range_config is given, and no span_column"):
        resolved(address, range_config=spans(1))


def test_the_cache_knows_what_the_version_query_returns(address: str):
    """Without one, nobody can tell."""
    version = "SELECT COUNT(*) FROM trips"
    before = resolved(address, version_query=version)["input_fingerprint"]
    assert before == resolved(address, version_query=version)["input_fingerprint"]
    assert (
        before != resolved(address, query="SELECT id FROM trips", version_query=version)["input_fingerprint"]
    )
    with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
        connection.execute("INSERT INTO trips (id) VALUES (1)")
    assert before != resolved(address, version_query=version)["input_fingerprint"]
    assert payloads.is_unknown(resolved(address)["input_fingerprint"])


def test_a_run_writes_splits_quarantine_and_no_password(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """An address from the environment; parameters; ranges by several processes; a text that UTF-8 cannot hold."""
    monkeypatch.setenv("HEADRACE_TEST_DB", address)
    component = SqlExampleGen(
        "${HEADRACE_TEST_DB}",
        "SELECT * FROM trips WHERE kind <> :kind",
        parameters={"kind": "a: é1%"},
        partition_column="price",
        num_shards=3,
        on_error="quarantine",
    )
    examples = testing.run_component(component, tmp_path / "store").output("examples")

    counts = [len(records(examples, split)) for split in ("train", "eval")]
    assert sum(counts) == _ROWS - _ROWS // 4
    assert not list(quarantine.read(examples.uri))
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    recorded = b"".join(path.read_bytes() for path in files)
    assert b"${HEADRACE_TEST_DB}" in recorded
    assert address.encode() not in recorded


BAD: dict[str, tuple[str, str, type[HeadraceError], str]] = {
    "no file": ("sqlite:///{}/none.db", "trips", MissingFileError, "none.db' does not exist"),
    "folder": ("sqlite:///{}", "trips", MissingFileError, "is a folder"),
    "memory": ("sqlite://", "trips", DefinitionError, "in memory"),
    "no database": ("sqlite:///{}/text", "trips", DataError, "file is not a database"),
    "no table": ("sqlite:///{}/trips.db", "tripz", DataError, "no such table: tripz"),
    "syntax": ("sqlite:///{}/trips.db", "SELECT id, FROM trips", DataError, "syntax error"),
    "twice": ("sqlite:///{}/trips.db", "SELECT id, id FROM trips", DataError, "two columns 'id'"),
    "driver": ("postgresql+psycopg2://me:${{PW}}@h/db", "trips", SetupError, "package 'psycopg2-binary'"),
    "dialect": ("mysq://me:${{PW}}@h/db", "trips", DefinitionError, "no database 'mysq'"),
    "nobody": ("mysql+pymysql://me:${{PW}}@127.0.0.1:9/db", "trips", UnreachableError, "cannot be reached"),
}


@pytest.mark.parametrize(("form", "query", "kind", "message"), BAD.values(), ids=BAD)
def test_what_goes_wrong_is_said(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    query: str,
    kind: type[HeadraceError],
    message: str,
):
    """Without the password; a missing file is not created."""
    monkeypatch.setenv("PW", "hunter2")
    (tmp_path / "text").write_text("no database" * 100)
    names = sorted(os.listdir(tmp_path))
    with pytest.raises(kind, match=message) as caught:
        read(form.format(tmp_path), query)
    assert "hunter2" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == names
    if query == "tripz":
        assert "There is 'trips'" in caught.value.fix


def test_a_database_is_only_read(address: str):
    """Whatever the text says: the connection itself refuses."""
    database = sql_database.Database(address)
    with database.connected() as connection, pytest.raises(DataError, match=r"readonly|read-only"):
        database.stream(connection, "DELETE FROM trips", {})


def test_a_locked_database_is_named_as_such(address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sql_database, "_LOCK_SECONDS", 0)
    other = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnreachableError, match="is locked by another process"):
        read(address)
    other.execute("ROLLBACK")


def test_a_query_that_fails_in_the_middle_says_after_how_many_rows(address: str):
    """SQLite computes rows as they are asked for."""
    query = "SELECT CASE WHEN id = 2000 THEN abs(-9223372036854775808) ELSE id END AS a FROM trips"
    with pytest.raises(DataError, match=r"failed after [0-9,]+ rows: integer overflow"):
        read(address, query)


def test_bounds_divide_numbers_and_dates():
    day = datetime.date(2024, 1, 1)
    assert sql_reader._bounds(0, 10, 4, "c") == [2, 5, 7]
    assert sql_reader._bounds(0, 1, 4, "c") == []
    assert sql_reader._bounds(decimal.Decimal(0), decimal.Decimal(1), 2, "c") == [decimal.Decimal("0.5")]
    assert sql_reader._bounds(day, day + datetime.timedelta(days=3), 3, "c")[0] == datetime.date(2024, 1, 2)
    with pytest.raises(DefinitionError, match="ranges are of numbers or dates"):
        sql_reader._bounds("a", "b", 2, "c")


@pytest.mark.parametrize(("one", "other"), [*itertools.product([1, 1.5, "a", b"a", True, None], repeat=2)])
def test_kinds_do_not_depend_on_where_a_batch_ends(one: Any, other: Any):
    """Two values in one batch, or in two."""

    def outcome(batches: list[list[Any]]) -> Any:
        kinds: dict[str, Any] = {}
        try:
            for values in batches:
                kinds = sql_values.widened(kinds, Batch(["c"], [(v,) for v in values], 1, "q").kinds())
        except DataError:
            return "mixed"
        return kinds["c"].name

    assert outcome([[one, other]]) == outcome([[one], [other]])


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the connection be lost at some of the fetches; the seconds that were waited."""
    waited: list[float] = []
    monkeypatch.setattr(sql_retries.time, "sleep", waited.append)

    class OtherDatabase(sql_database.Database):
        def __init__(self, address: str) -> None:
            super().__init__(address)
            self.dialect = "other"

    monkeypatch.setattr(sql_reader, "Database", OtherDatabase)
    fetch = sql_database.Database.next_rows

    def lose(at: set[int]) -> list[float]:
        calls = itertools.count()

        def next_rows(database: Any, result: Any, size: int) -> Any:
            if next(calls) in at:
                raise ConnectionResetError("connection reset by peer")
            return fetch(database, result, size)

        monkeypatch.setattr(sql_database.Database, "next_rows", next_rows)
        waited.clear()
        return waited

    return lose


@pytest.mark.parametrize(
    ("at", "noted"), [({0}, 1), ({1}, 1), ({2}, 1), ({3}, 1), ({0, 1, 2}, 3), ({1, 4, 9}, 2)]
)
def test_a_lost_connection_is_made_again_and_no_row_comes_twice(
    address: str, lossy: Any, at: set[int], noted: int
):
    """Wherever it is lost, also before the first row, after the last and again while catching up; it is counted."""
    whole = rows_of(read(address))

    lossy(at)
    assert rows_of(read(address)) == whole
    reader = SqlReader(Options(address, {}), is_parquet=False)
    _, lists = reader.plan(["trips"], None)
    lossy(at)
    notes = [one.notes for one in reader.read(lists[0], [])]
    assert sum(sum(one.values()) for one in notes) == noted


def test_other_rows_after_a_loss_are_refused(address: str, lossy: Any):
    """Which rows came before cannot be told then: none is doubled or lost in silence."""
    lossy({2})
    with pytest.raises(
        DataError, match=r"lost after 576 rows of .* again other rows came.*\n.*add an ORDER BY"
    ):
        read(address, "SELECT * FROM trips ORDER BY RANDOM()")


def test_a_connection_that_stays_lost_is_given_up(address: str, lossy: Any):
    """After waiting longer and longer; getting further begins anew."""
    waited = lossy(set(range(99)))
    with pytest.raises(UnreachableError, match=r"connection reset by peer\. After 0 rows, 5 more tries"):
        read(address)
    assert waited == [1, 2, 4, 8, 16]

    # The first two in a row wait longer, then 64 rows came.
    waited = lossy({0, 1, 3})
    reader = SqlReader(Options(address, {}), is_parquet=False)
    _, lists = reader.plan(["trips"], None)
    list(reader.read(lists[0], []))
    assert waited == [1, 2, 1]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exc.OperationalError("q", {}, Exception("gone"), connection_invalidated=True), True),
        (exc.OperationalError("q", {}, Exception("no such table")), False),
        (exc.ProgrammingError("q", {}, Exception({"C": "57P01", "M": "terminating connection"})), True),
        (exc.ProgrammingError("q", {}, Exception({"C": "42P01", "M": "no such table"})), False),
        (exc.OperationalError("q", {}, type("E", (Exception,), {"sqlstate": "08006"})()), True),
        (exc.OperationalError("q", {}, type("E", (Exception,), {"pgcode": "57P03"})()), True),
        (TimeoutError(), True),
        (ValueError(), False),
    ],
)  # fmt: skip
def test_what_is_a_lost_connection(error: Exception, expected: bool):
    """What SQLAlchemy says, and the states of SQL where it knows less of a driver."""
    assert sql_retries.is_loss(error) is expected


def test_columns_that_changed_since_the_run_before_are_said(address: str, tmp_path: Path):
    """New, gone, of another kind; on the run's line, in the artifact and on its page. The cache is as it was."""
    path = address.removeprefix("sqlite:///")
    example_gen = SqlExampleGen(address, "trips", version_query="SELECT MAX(id) FROM trips")
    first = testing.run_component(example_gen, tmp_path / "store").output("examples")
    assert columns.of(first)["single_split"]["price"] == "floats"
    assert not columns.changes_of(first)

    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE trips DROP COLUMN miles")
        connection.execute("ALTER TABLE trips ADD COLUMN tip REAL DEFAULT 1.5")
        connection.execute("UPDATE trips SET price = 'x' || price, id = id + 1")
    result = testing.run_component(example_gen, tmp_path / "store")

    second = result.output("examples")
    assert columns.changes_of(second) == [
        "column 'miles' is gone",
        "column 'tip' is new",
        "column 'price' held floats and now holds bytes or text",
    ]
    assert "since the run before, column 'miles' is gone; column 'tip'" in second.get_string_custom_property(
        "headrace_summary"
    )
    again = testing.run_component(example_gen, tmp_path / "store").output("examples")
    assert again.id == second.id
