"""What stands for the value of an environment variable in a cache key."""

from __future__ import annotations

import os

import pytest

from headrace.usercode import environment_variables


@pytest.mark.parametrize("value", [b"a", b"/data/caf\xe9"])
def test_another_value_has_another_digest_whatever_its_bytes(monkeypatch: pytest.MonkeyPatch, value: bytes):
    """A folder's name may be in an encoding of its own."""
    monkeypatch.setenv("DATA_SET", os.fsdecode(value))
    one = environment_variables.digest("DATA_SET")
    monkeypatch.setenv("DATA_SET", os.fsdecode(value + b"2"))

    assert environment_variables.digest("DATA_SET") not in ("", one)


@pytest.mark.parametrize("name", ["API_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS", "MY_KEY"])
def test_a_secret_counts_as_set_or_not(monkeypatch: pytest.MonkeyPatch, name: str):
    """It is renewed, and stands for the same access."""
    monkeypatch.delenv(name, raising=False)
    assert environment_variables.digest(name) == ""

    monkeypatch.setenv(name, "a")
    one = environment_variables.digest(name)
    monkeypatch.setenv(name, "b")

    assert environment_variables.digest(name) == one != ""


def test_variables_that_are_set_are_found_in_texts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATA_SET", "1")
    monkeypatch.setenv("data_set", "1")

    assert environment_variables.among(["${DATA_SET}/x", "NOT_SET", "data_set", "of DATA_SET"]) == {
        "DATA_SET"
    }
