"""A file that a parameter names counts by content, whatever signs its name has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.orchestration.cache import cache_key

NAMES = [
    "two words.csv",
    "two\nlines.csv",
    "$HOME.csv",
    "~[a]*?.csv",
    "a;b,c|d.csv",
    'it\'s "x".csv',
    "%20.csv",
    "-é日.csv",
]


def key(value: str) -> str:
    return cache_key.key(cache_key.ingredients("nobody.Executor", "", {"table": value}, {}, {}, ""))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", ["{}", "list", "dict"])
def test_files_of_odd_names_count(name: str, shape: str, tmp_path: Path):
    """As a text, and in JSON."""
    file = tmp_path / name
    file.write_text("one")
    value = {"{}": str(file), "list": json.dumps([str(file)]), "dict": json.dumps({"a": {"b": str(file)}})}[
        shape
    ]
    before = key(value)

    file.write_text("another")

    assert key(value) != before


@pytest.mark.parametrize("value", ["--table 'two words.csv' -v", 'read --from="two words.csv"'])
def test_a_quoted_name_in_a_command_line_counts(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("two words.csv").write_text("one")
    before = key(value)

    Path("two words.csv").write_text("another")

    assert key(value) != before
