"""Source texts in the store: kept once, named by their place in the project, removed when nothing needs them."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

import headrace
from headrace.metadata.source_texts import SourceTexts
from headrace.metadata.store import Store


@pytest.fixture
def texts(tmp_path: Path) -> SourceTexts:
    return SourceTexts(Store(str(tmp_path / ".headrace")))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_text_is_kept_under_its_digest_and_named_by_its_place(texts: SourceTexts, tmp_path: Path):
    file = write(tmp_path / "project" / "model.py", "x = 1\n")

    kept = texts.keep({"parameters.run_fn": {str(file): digest(file)}})

    assert kept == {"parameters.run_fn": {os.path.join("project", "model.py"): digest(file)}}
    assert texts.read(digest(file)) == "x = 1\n"


def test_a_file_outside_of_the_project_keeps_its_path(tmp_path: Path):
    file = write(tmp_path / "elsewhere.py", "x = 1\n")
    texts = SourceTexts(Store(str(tmp_path / "project" / ".headrace")))

    assert texts.keep({"executor": {str(file): digest(file)}}) == {"executor": {str(file): digest(file)}}


def test_a_file_edited_meanwhile_is_not_kept_under_the_wrong_digest(texts: SourceTexts, tmp_path: Path):
    file = write(tmp_path / "model.py", "x = 1\n")
    before = digest(file)
    file.write_text("x = 2\n")

    texts.keep({"executor": {str(file): before}})

    assert texts.read(before) is None


def test_headraces_own_modules_are_left_out(texts: SourceTexts):
    path = os.path.join(os.path.dirname(os.path.abspath(headrace.__file__)), "errors.py")

    assert texts.keep({"parameters.run_fn": {path: "0" * 64}}) == {"parameters.run_fn": {}}


def test_only_old_texts_that_nothing_needs_are_unused(texts: SourceTexts, tmp_path: Path):
    """A run may have seen a text and not yet recorded it, so a young one stays."""
    files = [write(tmp_path / f"{name}.py", f"name = '{name}'\n") for name in ("used", "unused")]
    digests = [digest(file) for file in files]
    texts.keep({"executor": {str(file): value for file, value in zip(files, digests)}})
    now = time.time()

    assert texts.unused({digests[0]}, now) == []
    assert [os.path.basename(path) for path in texts.unused({digests[0]}, now + 2 * 24 * 3600)] == [
        digests[1]
    ]


def test_nothing_new_is_quick(texts: SourceTexts, tmp_path: Path):
    """Under 2 ms for a node of 20 files whose texts are kept already."""
    files = [write(tmp_path / f"m{number}.py", f"x = {number}\n") for number in range(20)]
    found = {"executor": {str(file): digest(file) for file in files}}
    texts.keep(found)

    seconds = min(_timed(texts, found) for _ in range(5))

    assert seconds < 0.002


def _timed(texts: SourceTexts, found: dict[str, dict[str, str]]) -> float:
    started = time.perf_counter()
    texts.keep(found)
    return time.perf_counter() - started
