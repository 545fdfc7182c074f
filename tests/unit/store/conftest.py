"""An empty store, and a temporary folder of the test's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.store.open.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The store, open."""
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this process."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
