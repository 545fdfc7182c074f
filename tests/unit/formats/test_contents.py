"""The file of what the texts and pictures of a split are like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.errors import MalformedFileError
from headrace.formats import contents
from headrace.formats.contents import Contents, PictureDescription, TextDescription

TEXTS = TextDescription(
    9_000, 4_000, (1, 20.5, 900), (1, 4, 200), 812, (("the", 90), ("été", 8)), {"en": 190, "und": 10}, 200
)
PICTURES = PictureDescription(
    396, 396, 1, {"PNG": 395}, (32, 64, 64), (32, 64, 64), {"4": 390, "3": 5}, (("64 x 64", 394),), 2
)


def test_it_is_read_as_it_was_written(tmp_path: Path):
    """Of both kinds, in the order of the names; a folder without the file has none."""
    assert contents.read(str(tmp_path)) == Contents({}, {})

    contents.write(str(tmp_path), Contents({"b": TEXTS, "a": TEXTS}, {"image": PICTURES}))

    assert contents.read(str(tmp_path)) == Contents({"a": TEXTS, "b": TEXTS}, {"image": PICTURES})
    assert list(json.loads((tmp_path / contents.CONTENTS_FILE).read_text())["texts"]) == ["a", "b"]


def test_nothing_is_written_of_nothing(tmp_path: Path):
    """A table of numbers alone has the files that it always had."""
    contents.write(str(tmp_path), Contents({}, {}))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        '{"format": 1}',
        '{"format": 1, "texts": [], "pictures": {}}',
        '{"format": 1, "texts": {"x": {"count": 1}}, "pictures": {}}',
        '{"format": 2, "texts": {}, "pictures": {}}',
    ],
)
def test_another_content_is_named(tmp_path: Path, text: str):
    """The file, and what it should hold."""
    (tmp_path / contents.CONTENTS_FILE).write_text(text)

    with pytest.raises(MalformedFileError, match=r"Contents\.json .*what texts and pictures are like"):
        contents.read(str(tmp_path))
