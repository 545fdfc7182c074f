"""Source texts in the store: kept once, named by their place in the project, removed when nothing needs them."""

from __future__ import annotations

import errno
import hashlib
import os
import time
import zlib
from pathlib import Path

import pytest

import headrace
from headrace.store.open.store import Store
from headrace.store.record.source_texts import SourceKeeper


@pytest.fixture
def texts(tmp_path: Path) -> SourceKeeper:
    return SourceKeeper(Store(str(tmp_path / ".headrace")))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_text_is_kept_under_its_digest_and_named_by_its_place(texts: SourceKeeper, tmp_path: Path):
    file = write(tmp_path / "project" / "model.py", "x = 1\n")

    kept = texts.keep({"parameters.run_fn": {str(file): digest(file)}})

    assert kept == {"parameters.run_fn": {os.path.join("project", "model.py"): digest(file)}}
    assert texts.read(digest(file)) == "x = 1\n"


def test_a_file_outside_of_the_project_keeps_its_path(tmp_path: Path):
    file = write(tmp_path / "elsewhere.py", "x = 1\n")
    texts = SourceKeeper(Store(str(tmp_path / "project" / ".headrace")))

    assert texts.keep({"executor": {str(file): digest(file)}}) == {"executor": {str(file): digest(file)}}


def test_a_file_edited_meanwhile_is_not_kept_under_the_wrong_digest(texts: SourceKeeper, tmp_path: Path):
    file = write(tmp_path / "model.py", "x = 1\n")
    before = digest(file)
    file.write_text("x = 2\n")

    texts.keep({"executor": {str(file): before}})

    assert texts.read(before) is None


def test_headraces_own_modules_are_left_out(texts: SourceKeeper):
    path = os.path.join(os.path.dirname(os.path.abspath(headrace.__file__)), "errors.py")

    assert texts.keep({"parameters.run_fn": {path: "0" * 64}}) == {"parameters.run_fn": {}}


def test_only_old_texts_that_nothing_needs_are_unused(texts: SourceKeeper, tmp_path: Path):
    """A run may have seen a text and not yet recorded it, so a young one stays."""
    files = [write(tmp_path / f"{name}.py", f"name = '{name}'\n") for name in ("used", "unused")]
    digests = [digest(file) for file in files]
    texts.keep({"executor": {str(file): value for file, value in zip(files, digests)}})
    now = time.time()

    assert texts.unused({digests[0]}, now) == []
    assert [os.path.basename(path) for path in texts.unused({digests[0]}, now + 2 * 24 * 3600)] == [
        digests[1]
    ]


def test_two_nodes_may_keep_the_same_text_at_once(texts: SourceKeeper, tmp_path: Path, monkeypatch):
    """Nodes of one module are prepared in threads of one process: one begins while the other has not ended."""
    file = write(tmp_path / "model.py", "x = 1\n")
    found = {"executor": {str(file): digest(file)}}
    compress = zlib.compress

    def compress_after_another(text: bytes) -> bytes:
        monkeypatch.setattr(zlib, "compress", compress)
        texts.keep(found)
        return compress(text)

    monkeypatch.setattr(zlib, "compress", compress_after_another)

    texts.keep(found)

    assert texts.read(digest(file)) == "x = 1\n"
    assert os.listdir(tmp_path / ".headrace" / "sources") == [digest(file)]


def test_a_full_disk_leaves_no_half_text(texts: SourceKeeper, tmp_path: Path, monkeypatch):
    """The error goes on to the node; nothing of it stays in the store."""
    file = write(tmp_path / "model.py", "x = 1\n")

    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "rename", fill)
    with pytest.raises(OSError, match="No space left"):
        texts.keep({"executor": {str(file): digest(file)}})

    assert os.listdir(tmp_path / ".headrace" / "sources") == []


def test_what_is_kept_already_is_neither_read_nor_written_again(
    texts: SourceKeeper, tmp_path: Path, monkeypatch
):
    """A node of many files whose texts are kept costs one call for each: `keep` stands before every execution."""
    files = [write(tmp_path / f"m{number}.py", f"x = {number}\n") for number in range(20)]
    found = {"executor": {str(file): digest(file) for file in files}}
    kept = texts.keep(found)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    again = texts.keep(found)
    monkeypatch.undo()

    assert again == kept
