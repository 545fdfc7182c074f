"""A small folder, and all that can be done to the files in it; imported where needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def make_folder(parent: Path) -> Path:
    """Make `made/a` and `made/inner/b`, of three bytes each, below a folder."""
    made = parent / "made"
    (made / "inner").mkdir(parents=True)
    (made / "a").write_text("one")
    (made / "inner" / "b").write_text("two")
    return made


def touch(folder: Path) -> None:
    """The one that changes no content."""
    os.utime(folder / "a", (0, 0))


def _edit(folder: Path) -> None:
    (folder / "a").write_text("onE")
    touch(folder)


def _cut(folder: Path) -> None:
    (folder / "inner" / "b").write_text("tw")


def _grow(folder: Path) -> None:
    (folder / "inner" / "b").write_text("twoo")


def _empty(folder: Path) -> None:
    (folder / "a").write_text("")


def _remove(folder: Path) -> None:
    (folder / "inner" / "b").unlink()


def _add_empty(folder: Path) -> None:
    (folder / "inner" / "c").touch()


def _rename(folder: Path) -> None:
    (folder / "a").rename(folder / "c")


def _move_up(folder: Path) -> None:
    (folder / "inner" / "b").rename(folder / "b")


def _swap(folder: Path) -> None:
    (folder / "a").write_text("two")
    (folder / "inner" / "b").write_text("one")
    touch(folder)
    os.utime(folder / "inner" / "b", (0, 0))


def _rename_and_replace(folder: Path) -> None:
    _rename(folder)
    (folder / "inner" / "b").rename(folder / "a")


# What is done, and the words for it.
CHANGES: dict[Callable[[Path], None], str] = {
    _edit: "a was edited",
    _cut: "inner/b is 2 bytes, was 3",
    _grow: "inner/b is 4 bytes, was 3",
    _empty: "a is 0 bytes, was 3",
    _remove: "inner/b is gone",
    _add_empty: "inner/c was added",
    _rename: "a is gone, and 1 more",
    _move_up: "b was added, and 1 more",
    _swap: "a was edited, and 1 more",
    _rename_and_replace: "c was added, and 1 more",
}
