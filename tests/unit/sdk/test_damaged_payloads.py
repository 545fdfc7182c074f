"""Files of an artifact are compared with what was written: sizes, names, and contents where a time changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.sdk import payloads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "inner").mkdir(parents=True)
    (made / "a").write_text("one")
    (made / "inner" / "b").write_text("two")
    return made


def _touch(folder: Path) -> None:
    os.utime(folder / "a", (0, 0))


def _edit(folder: Path) -> None:
    (folder / "a").write_text("onE")
    os.utime(folder / "a", (0, 0))


def _cut(folder: Path) -> None:
    (folder / "inner" / "b").write_text("tw")


def _grow(folder: Path) -> None:
    (folder / "inner" / "b").write_text("twoo")


def _empty(folder: Path) -> None:
    (folder / "a").write_text("")


def _remove(folder: Path) -> None:
    (folder / "inner" / "b").unlink()


def _add(folder: Path) -> None:
    (folder / "inner" / "c").touch()


def _swap(folder: Path) -> None:
    (folder / "a").rename(folder / "c")
    (folder / "inner" / "b").rename(folder / "a")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_touch, ""),
        (_edit, "a was edited"),
        (_cut, "inner/b is 2 bytes, was 3"),
        (_grow, "inner/b is 4 bytes, was 3"),
        (_empty, "a is 0 bytes, was 3"),
        (_remove, "inner/b is gone"),
        (_add, "inner/c was added"),
        (_swap, "c was added, and 1 more"),
    ],
)
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
