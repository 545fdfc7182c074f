"""The small files of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.files import shared_files


def test_a_file_knows_its_name(tmp_path: Path):
    """By which its owner sees whether it still is the one that has it."""
    path = str(tmp_path / "lock")
    with shared_files.open_lock(path) as lock, shared_files.open_plain(path) as read:
        assert (lock.name, read.name) == (path, path)


def test_only_plain_files_are_opened(tmp_path: Path):
    """A link could lead out of the store, and a pipe would be waited for."""
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / "link").symlink_to(target)
    for open_file in (shared_files.open_lock, shared_files.open_plain):
        with pytest.raises(OSError, match=r"symbolic links|not a plain file"):
            open_file(str(tmp_path / "link"))
    assert target.read_text() == "kept"
