"""Digests see every byte and every name, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from changed_folders import CHANGES, make_folder, touch

from headrace.files import payloads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_names_or_bytes_is_seen(folder: Path, change):
    before = payloads.tree_digest(str(folder))
    change(folder)

    assert payloads.tree_digest(str(folder)) != before


def test_times_and_the_place_do_not_count(folder: Path, tmp_path: Path):
    before = payloads.tree_digest(str(folder))
    touch(folder)
    folder.rename(tmp_path / "moved")

    assert payloads.tree_digest(str(tmp_path / "moved")) == before


def test_a_byte_at_the_end_of_a_large_file_counts(tmp_path: Path):
    """Files are read in pieces of some megabytes."""
    path = tmp_path / "large"
    path.write_bytes(bytes(9 << 20))
    before = payloads.file_digest(str(path))
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")

    assert payloads.file_digest(str(path)) != before
