"""Where a path lies, for a process whose working directory may be gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.errors import SetupError
from headrace.files import addresses


def test_a_relative_path_lies_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    assert addresses.absolute_path("a/../store", "the store") == str(tmp_path / "store")
    assert addresses.absolute_path("file:///a/store", "the store") == "/a/store"


def test_a_working_directory_that_was_removed_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Python's own error names neither the path nor the folder."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert addresses.absolute_path("/store", "the store") == "/store"
    with pytest.raises(SetupError) as raised:
        addresses.absolute_path(".headrace", "the store")
    assert str(raised.value) == (
        "the store is '.headrace' in the working directory, and that was removed.\n"
        "  Fix: go to a folder that exists, or give an absolute path."
    )
