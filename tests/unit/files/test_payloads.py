"""Digests of files and folders, and how damage is told from a copy."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.files import digest_memory, payloads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "artifact"
    (path / "Split-train").mkdir(parents=True)
    (path / "Split-train" / "data").write_text("rows")
    (path / "note").write_text("note")
    return path


def test_linked_folders_are_followed_and_circles_end(folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "data").write_text("one")
    (folder / "linked").symlink_to(other)
    (other / "back").symlink_to(folder)
    before = payloads.tree_digest(str(folder))

    (other / "data").write_text("two")

    assert payloads.tree_digest(str(folder)) != before


def test_folders_full_of_links_to_each_other_have_few_files(tmp_path: Path):
    """Of n folders that each link to the others there are more than n! ways to a file."""
    names = [f"p{i}" for i in range(8)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_text(name)
        for other in set(names) - {name}:
            (tmp_path / name / f"to_{other}").symlink_to(f"../{other}")

    found = list(payloads.walk(str(tmp_path)))

    assert len(found) <= payloads.MAX_VISITS * len(names)
    assert {os.path.realpath(path) for _, path in found} == {str(tmp_path / name / "data") for name in names}


def test_broken_links_and_pipes_do_not_stop_a_digest(folder: Path):
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")

    assert payloads.tree_digest(str(folder)) == payloads.tree_digest(str(folder))


@pytest.mark.parametrize("path", ["gs://bucket/x", "/nowhere/at/all"])
def test_what_has_no_content_here_equals_nothing(path: str):
    assert payloads.tree_digest(path) != payloads.tree_digest(path)
    assert payloads.is_unknown(payloads.tree_digest(path))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda path: (path / "note").write_text(""), "note is 0 bytes, was 4"),
        (lambda path: (path / "note").unlink(), "note is gone"),
        (lambda path: (path / "more").write_text("x"), "more was added"),
        (lambda path: shutil.rmtree(path), "it is gone"),
        (lambda path: shutil.rmtree(path / "Split-train"), "Split-train/data is gone"),
        (lambda path: (path / "note").write_text("nott"), "note was edited"),
        (lambda path: os.utime(path / "note", (1, 1)), ""),
        (lambda path: None, ""),
    ],
)
def test_damage_is_told_by_file(folder: Path, change: Callable[[Path], None], expected: str):
    os.utime(folder / "note", (5, 5))
    payload = payloads.describe(str(folder))

    change(folder)

    assert payloads.damage(str(folder), payload.files, payload.digest) == expected


def test_a_copy_is_no_damage_and_several_damages_are_counted(folder: Path, tmp_path: Path):
    payload = payloads.describe(str(folder))
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    assert payloads.damage(str(copy), payload.files, payload.digest) == ""

    (copy / "note").write_text("")
    (copy / "Split-train" / "data").write_text("")

    found = payloads.damage(str(copy), payload.files, payload.digest)
    assert found == "Split-train/data is 0 bytes, was 4, and 1 more"


def test_an_artifact_of_very_many_files_is_known_by_number_and_size(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(payloads, "MAX_NAMED", 1)
    payload = payloads.describe(str(folder))
    assert payloads.damage(str(folder), payload.files, payload.digest) == ""

    (folder / "note").write_text("")

    found = payloads.damage(str(folder), payload.files, payload.digest)
    assert found == "it holds 2 files of 4 bytes in all, was 2 of 8"


def test_an_edit_that_leaves_no_trace_is_found_by_reading(folder: Path):
    payload = payloads.describe(str(folder))
    info = (folder / "note").stat()
    (folder / "note").write_text("nott")
    os.utime(folder / "note", ns=(info.st_atime_ns, info.st_mtime_ns))

    assert payloads.damage(str(folder), payload.files, payload.digest) == ""
    assert payloads.content_damage(str(folder), payload.files, payload.digest) != ""


def test_of_artifacts_without_a_record_nothing_is_known(folder: Path):
    assert payloads.damage(str(folder), "", "digest") == ""
    assert payloads.damage(str(folder), '{"format": 99}', "digest") == ""


@pytest.mark.parametrize(("age_seconds", "is_remembered"), [(60, True), (0, False)])
def test_large_files_are_remembered_unless_they_changed_just_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_seconds: int, is_remembered: bool
):
    """A second change within a tick of the clock would leave no trace."""
    monkeypatch.setattr(digest_memory, "_recent", {})
    monkeypatch.setattr(digest_memory, "_rows", None)
    monkeypatch.setattr(digest_memory, "_path", str(tmp_path / "digests.db"))
    path = tmp_path / "large"
    path.write_bytes(b"x" * (1 << 20))
    info = path.stat()
    started_ns = max(info.st_mtime_ns, info.st_ctime_ns) + age_seconds * 10**9

    digest_memory.remember(str(path), info, started_ns, "digest")

    assert (digest_memory.recall(str(path), info) == "digest") is is_remembered
    digest_memory._recent.clear()
    monkeypatch.setattr(digest_memory, "_rows", None)
    assert (digest_memory.recall(str(path), path.stat()) == "digest") is is_remembered
    path.write_bytes(b"y" * (1 << 20))
    assert digest_memory.recall(str(path), path.stat()) == ""


def test_the_digests_of_many_files_are_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each write waits for the disk; and one reading of what was written serves all files."""
    monkeypatch.setattr(digest_memory, "_recent", {})
    monkeypatch.setattr(digest_memory, "_rows", None)
    monkeypatch.setattr(digest_memory, "_path", str(tmp_path / "digests.db"))
    monkeypatch.setattr(digest_memory, "_RACY_NS", 0)
    opened = []
    connect = digest_memory._open
    monkeypatch.setattr(digest_memory, "_open", lambda: opened.append(True) or connect())
    paths = [str(tmp_path / f"{number}.csv") for number in range(5)]
    for path in paths:
        Path(path).write_bytes(os.urandom(digest_memory._MIN_BYTES))

    digests = payloads.file_digests(paths)
    assert opened == [True]
    digest_memory._recent.clear()
    monkeypatch.setattr(digest_memory, "_rows", None)
    monkeypatch.setattr(digest_memory, "remember", lambda *_: pytest.fail("hashed again"))
    assert payloads.file_digests(paths) == digests
    assert len(opened) == 2


def test_who_verifies_hashes_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """However many there are, and in whatever thread."""
    monkeypatch.setattr(digest_memory, "_path", "")
    paths = [str(tmp_path / f"{number}.csv") for number in range(2)]
    wrong = {}
    for path in paths:
        Path(path).write_bytes(b"x" * digest_memory._MIN_BYTES)
        wrong[path] = (digest_memory._look(os.stat(path)), "wrong")
    monkeypatch.setattr(digest_memory, "_recent", wrong)

    assert payloads.file_digests(paths) == ["wrong", "wrong"]
    with digest_memory.distrusted():
        assert "wrong" not in payloads.file_digests(paths)


def test_what_another_user_remembered_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A store may come from elsewhere, with whatever it says of this machine's files."""
    monkeypatch.setattr(digest_memory, "_path", str(tmp_path / "digests.db"))
    path = tmp_path / "large"
    path.write_bytes(b"x" * (1 << 20))
    info = path.stat()
    for user, is_known in (("one", False), ("two", False), ("one", True)):
        monkeypatch.setattr(digest_memory, "_recent", {})
        monkeypatch.setattr(digest_memory, "_rows", None)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / user))
        assert (digest_memory.recall(str(path), info) == "digest") is is_known
        if not (tmp_path / "digests.db").exists():
            digest_memory.remember(str(path), info, info.st_ctime_ns + 60 * 10**9, "digest")

    with sqlite3.connect(tmp_path / "digests.db") as database:
        database.execute("UPDATE files SET digest = 'digest'")
    digest_memory._recent.clear()
    monkeypatch.setattr(digest_memory, "_rows", None)
    assert digest_memory.recall(str(path), info) == ""


def test_several_files_have_their_digests_in_order(folder: Path):
    paths = [str(folder / "note"), str(folder / "Split-train" / "data")]

    assert payloads.file_digests(paths) == [payloads.file_digest(path) for path in paths]
