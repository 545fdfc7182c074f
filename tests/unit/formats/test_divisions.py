"""`splits.json`: what was written is read, and what is damaged is said."""

from __future__ import annotations

import json

import pytest

from headrace.errors import MalformedFileError
from headrace.formats import divisions
from headrace.formats.divisions import ClassTable, Division

_DIVISION = Division(
    {"stratify": "calidad ñ"},
    {"train": 4, "eval": 1},
    {"train": 8, "eval": 2},
    {"no value": 1},
    ["a note"],
    ClassTable.of("calidad ñ", ["a", "b"], {"train": [4, 4], "eval": [1, 1]}),
)


def test_what_was_written_is_read(tmp_path):
    """With its number of format, as plain JSON."""
    divisions.write(str(tmp_path), _DIVISION)
    assert divisions.read(str(tmp_path)) == _DIVISION
    assert json.loads((tmp_path / "splits.json").read_text())["format"] == 1


def test_a_key_that_a_newer_headrace_adds_is_passed_over(tmp_path):
    """The number of the format would be another if it mattered."""
    divisions.write(str(tmp_path), _DIVISION)
    path = tmp_path / "splits.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": 1}))
    assert divisions.read(str(tmp_path)) == _DIVISION


def test_without_a_file_there_is_nothing_to_say(tmp_path):
    """Of Examples that were divided by `output_config`, or by another library."""
    assert divisions.read(str(tmp_path)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"rows": {"train": "8"}},
        {"rows": {}},
        {"classes": {"feature": "x", "names": ["a"], "rows": {"train": [1, 2]}, "others": {"train": 0}}},
        {"classes": {"feature": "x", "names": ["a"], "rows": {"train": [1]}, "others": {}}},
        {"classes": [1]},
        {"split_by": "hash"},
        {"excluded": [1]},
        {"notes": "one"},
        {"shares": 3},
    ],
)
def test_a_damaged_file_is_said(tmp_path, change):
    """A page shows the sentence in the place of the tables."""
    divisions.write(str(tmp_path), _DIVISION)
    path = tmp_path / "splits.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(MalformedFileError, match="is not how rows were divided into splits"):
        divisions.read(str(tmp_path))


def test_of_many_classes_the_largest_are_named():
    """The others are counted, and the order stays that of the classes."""
    table = ClassTable.of(
        "x", [str(one) for one in range(1200)], {"a": [one % 7 for one in range(1200)], "b": [1] * 1200}
    )
    assert len(table.names) == 1000
    assert table.num_others == 200
    assert sum(table.rows["a"]) + table.others["a"] == sum(one % 7 for one in range(1200))
    assert [int(name) for name in table.names] == sorted(int(name) for name in table.names)
