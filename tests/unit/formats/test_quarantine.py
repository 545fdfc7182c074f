"""What could not be read, as JSON lines beside the splits."""

from __future__ import annotations

import pytest

from headrace.errors import MalformedFileError
from headrace.formats import quarantine
from headrace.formats.quarantine import Item


def test_items_are_read_as_they_were_written(tmp_path):
    """Part by part, with any characters in them."""
    items = [
        Item("ä\n.json", "line 1", 'is "no" JSON: x'),
        Item("b", "", "is broken"),
        Item("\udcff.txt", "", "is"),
    ]
    for shard, part in ((1, items[2:]), (0, items[:2])):
        with quarantine.Writer(str(tmp_path / "we[i]rd"), "rows", shard, 2) as writer:
            for item in part:
                writer.write(item)
        assert writer.num_items == len(part)

    assert list(quarantine.read(str(tmp_path / "we[i]rd"))) == items
    assert [item.kind for item in items] == ['is "no" JSON', "is broken", "is"]


def test_without_items_there_is_no_file(tmp_path):
    with quarantine.Writer(str(tmp_path), "rows", 0, 1):
        pass
    assert list(tmp_path.iterdir()) == []
    assert list(quarantine.read(str(tmp_path))) == []


def test_damaged_file_is_named_with_its_line(tmp_path):
    folder = tmp_path / "quarantine"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"source": "a", "place": "", "reason": "b"}\n[1]\n')
    with pytest.raises(MalformedFileError, match=r"a\.jsonl:2 is no item of a quarantine"):
        list(quarantine.read(str(tmp_path)))
