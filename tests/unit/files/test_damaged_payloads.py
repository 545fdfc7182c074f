"""Files of an artifact are compared with what was written: sizes, names, and contents where a time changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from changed_folders import CHANGES, make_folder, touch

from headrace.files import payloads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


@pytest.mark.parametrize(("change", "words"), [(touch, ""), *CHANGES.items()])
def test_what_is_not_as_it_was_written_is_told(folder: Path, change: Callable[[Path], None], words: str):
    """A file that was only touched holds what it held."""
    written = payloads.describe(str(folder))
    assert payloads.damage(str(folder), written.files, written.digest) == ""

    change(folder)

    assert payloads.damage(str(folder), written.files, written.digest) == words


@pytest.mark.parametrize(("names", "is_damaged"), [("ab", False), ("a", True), ("abc", True)])
def test_of_very_many_files_the_number_counts_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, is_damaged: bool
):
    """They are not all named; one that vanished is seen though the rest grew by as much."""
    monkeypatch.setattr(payloads, "MAX_NAMED", 1)
    for name in "ab":
        (tmp_path / name).write_text("12")
    written = payloads.describe(str(tmp_path))
    for name in "ab":
        (tmp_path / name).unlink()
    for name, text in zip(names, {"a": ["1234"], "ab": ["12", "12"], "abc": ["12", "1", "1"]}[names]):
        (tmp_path / name).write_text(text)

    assert bool(payloads.damage(str(tmp_path), written.files, written.digest)) is is_damaged


def test_what_lies_elsewhere_equals_nothing():
    """Not even itself: nobody read it."""
    first, second = (payloads.tree_digest("gs://bucket/model") for _ in range(2))

    assert first != second
    assert payloads.is_unknown(first)


BROKEN = [
    "{broken",
    "[1]",
    "3",
    "[" * 100_000,
    '{"format": 1}',
    '{"format": 1, "num_files": "1", "bytes": 2}',
    '{"format": 1, "files": []}',
    '{"format": 1, "files": {"a": 3}}',
    '{"format": 1, "files": {"a": [1]}}',
    '{"format": 1, "files": {"a": [1, "2"]}}',
]


@pytest.mark.parametrize("files", BROKEN, ids=lambda text: text[:40])
def test_a_record_that_cannot_be_read_vouches_for_nothing(folder: Path, files: str):
    """A store from elsewhere may hold any text; the artifact is made again."""
    problem = "what was recorded of its files cannot be read"

    assert payloads.damage(str(folder), files, "digest") == problem
    assert payloads.content_damage(str(folder), files, "digest") == problem


@pytest.mark.parametrize("files", ["", '{"format": 2}', '{"files": {}}'])
def test_of_another_form_nothing_is_known(folder: Path, files: str):
    assert payloads.damage(str(folder), files, "digest") == ""
