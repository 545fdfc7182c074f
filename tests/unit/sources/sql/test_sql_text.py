"""Queries and addresses as texts: what only reads, what holds a password, what is a parameter."""

from __future__ import annotations

import pytest

from headrace.errors import DefinitionError, SetupError
from headrace.sources.sql import sql_text

READS = [
    "trips",
    "public.trips",
    "SELECT * FROM trips",
    "  select 1;  ",
    "-- delete from trips\nSELECT 'insert into x; drop' AS a, \"update t set\" FROM trips /* ; */ ;",
    "WITH a AS (SELECT 1 AS x) SELECT * FROM a",
    "(SELECT 1) UNION (SELECT 2)",
    "SELECT updated_at, deleted FROM trips",
    "SELECT $$;delete from t$$",
    "VALUES (1), (2)",
]
OTHERS = [
    "DELETE FROM trips",
    "SELECT 1; DROP TABLE trips",
    "WITH gone AS (DELETE FROM trips RETURNING *) SELECT * FROM gone",
    "WITH a AS (SELECT 1) INSERT INTO trips SELECT * FROM a",
    "SELECT * INTO copy FROM trips",
    "with a as (update only trips set x = 1 returning *) select * from a",
    "PRAGMA user_version = 3",
    "EXPLAIN SELECT 1",
    "",
    "  ",
    "-- nothing\n-- more",
]


@pytest.mark.parametrize("query", READS)
def test_queries_are_taken(query: str):
    sql_text.check_query(query, {}, "query")


@pytest.mark.parametrize("query", OTHERS)
def test_what_is_no_query_is_refused(query: str):
    with pytest.raises(DefinitionError, match=r"^query (is|holds)"):
        sql_text.check_query(query, {}, "query")


def test_parameters_and_their_values_belong_together():
    query = "SELECT ':no' AS a, b::text, '12:30' FROM t WHERE x > :low AND y < :high"
    sql_text.check_query(query, {"low": 1, "high": 2}, "query")
    with pytest.raises(
        DefinitionError, match=r"has the parameter :high, and no value.*Given are 'low'"
    ) as caught:
        sql_text.check_query(query, {"low": 1}, "query")
    assert 'parameters={"high": ...}' in caught.value.fix
    with pytest.raises(DefinitionError, match="has no parameter :hihg") as caught:
        sql_text.check_query(query, {"low": 1, "high": 2, "hihg": 3}, "query")
    assert "did you mean 'high'" in caught.value.fix
    with pytest.raises(DefinitionError, match="is the table 't'"):
        sql_text.check_query("t", {"low": 1}, "query")


def test_other_colons_are_no_parameters():
    query = "SELECT ':low', b::text FROM t WHERE x > :low AND s = :other -- :low"
    assert sql_text.escaped(query, {"low": 1}) == (
        "SELECT '\\:low', b::text FROM t WHERE x > :low AND s = \\:other -- \\:low"
    )


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///trips.db",
        "postgresql://me@host:5432/db",
        "postgresql://me:${PW}@host/db",
        "${DB_URL}",
        "mysql+pymysql://${USER}:${PW}@host/db?ssl_ca=/x",
        "postgresql://host/db?password=${PW}",
    ],
)
def test_addresses_without_a_password_are_taken(address: str):
    sql_text.check_address(address, "here")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hunter2@host/db",
        "postgresql://host/db?user=me&password=hunter2",
        "mysql://a:hunter2${X}@h/d",
    ],
)
def test_a_password_is_refused_and_not_shown(address: str):
    """It would be recorded with the run."""
    with pytest.raises(DefinitionError, match="holds a password") as caught:
        sql_text.check_address(address, "here")
    assert "hunter2" not in str(caught.value)


def test_an_address_takes_its_parts_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    """A part is escaped, the whole is as it is."""
    monkeypatch.setenv("HEADRACE_TEST_PW", "a:b@c/d")
    assert sql_text.filled("pg://me:${HEADRACE_TEST_PW}@h/d") == "pg://me:a%3Ab%40c%2Fd@h/d"
    assert sql_text.filled("${HEADRACE_TEST_PW}") == "a:b@c/d"
    with pytest.raises(SetupError, match="HEADRACE_TEST_NONE is not set"):
        sql_text.filled("pg://me:${HEADRACE_TEST_NONE}@h/d")


@pytest.mark.parametrize(
    ("address", "fix"), [("trips.db", "sqlite:///trips.db"), ("/data/trips.db", "sqlite:////data/trips.db")]
)
def test_a_path_is_told_how_to_be_an_address(address: str, fix: str):
    with pytest.raises(DefinitionError, match="has no scheme") as caught:
        sql_text.check_address(address, "here")
    assert f'"{fix}"' in caught.value.fix
