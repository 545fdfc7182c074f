"""Pushing to a file system without rename: the file that servers wait for comes last, versions are never shared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tfx.dsl.io import filesystem_registry
from tfx.dsl.io.plugins import local

from headrace.components.pusher import executor

_SCHEME = "faraway://"
_LOCAL = local.LocalFilesystem


class FarAway(_LOCAL):  # type: ignore[misc, valid-type]
    """A folder of this machine under a scheme of its own, which remembers in what order files came."""

    SUPPORTED_SCHEMES = [_SCHEME]
    root = ""
    written: list[str] = []

    @classmethod
    def _here(cls, path: str) -> str:
        return path.replace(_SCHEME, f"{cls.root}/")

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        if "w" in mode:
            FarAway.written.append(os.path.relpath(FarAway._here(name), FarAway.root))
        return _LOCAL.open(FarAway._here(name), mode)

    @staticmethod
    def exists(path: str) -> bool:
        return bool(_LOCAL.exists(FarAway._here(path)))

    @staticmethod
    def makedirs(path: str) -> None:
        _LOCAL.makedirs(FarAway._here(path))

    @staticmethod
    def isdir(path: str) -> bool:
        return bool(_LOCAL.isdir(FarAway._here(path)))

    @staticmethod
    def listdir(path: str) -> list[str]:
        return list(_LOCAL.listdir(FarAway._here(path)))

    @staticmethod
    def walk(top: str, topdown: bool = True, onerror: Any = None) -> Any:
        for folder, folders, names in _LOCAL.walk(FarAway._here(top), topdown, onerror):
            yield folder.replace(f"{FarAway.root}/", _SCHEME), folders, names

    @staticmethod
    def rmtree(path: str) -> None:
        _LOCAL.rmtree(FarAway._here(path))


@pytest.fixture
def far_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder behind `faraway://`."""
    monkeypatch.setattr(FarAway, "root", str(tmp_path / "far"))
    monkeypatch.setattr(FarAway, "written", [])
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    registry.register(FarAway, priority=0)
    return tmp_path / "far"


@pytest.fixture
def model_path(tmp_path: Path) -> str:
    """An exported model whose file names sort around the one that servers wait for."""
    folder = tmp_path / "model"
    for name in ("assets/words", "fingerprint.pb", "saved_model.pb", "variables/variables.index", "zz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return str(folder)


def test_the_graph_comes_last_and_once(far_away: Path, model_path: str, monkeypatch: pytest.MonkeyPatch):
    """A server loads a version as soon as that file is there."""
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)

    target = executor._push_remote(model_path, f"{_SCHEME}taxi")

    assert target == f"{_SCHEME}taxi/1700000000"
    assert FarAway.written[-1] == "taxi/1700000000/saved_model.pb"
    assert len(FarAway.written) == len(set(FarAway.written)) == 5
    pushed = {str(p.relative_to(far_away)) for p in far_away.rglob("*") if p.is_file()}
    assert pushed == set(FarAway.written)
    assert (far_away / "taxi/1700000000/variables/variables.index").read_text() == "variables/variables.index"


def test_a_version_that_is_there_is_not_written_into(
    far_away: Path, model_path: str, monkeypatch: pytest.MonkeyPatch
):
    """Two pushes within a second are two versions."""
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    for number in (0, 1):
        (far_away / f"taxi/{1_700_000_000 + number}").mkdir(parents=True)

    assert executor._push_remote(model_path, f"{_SCHEME}taxi") == f"{_SCHEME}taxi/1700000002"
    assert list((far_away / "taxi/1700000001").iterdir()) == []


def test_a_version_that_came_since_the_list_was_read_is_not_written_into(
    far_away: Path, model_path: str, monkeypatch: pytest.MonkeyPatch
):
    """Another push may be as quick, and lists of some stores are late."""
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    (far_away / "taxi/1700000000").mkdir(parents=True)
    monkeypatch.setattr(FarAway, "listdir", staticmethod(lambda path: []))

    assert executor._push_remote(model_path, f"{_SCHEME}taxi") == f"{_SCHEME}taxi/1700000001"


def test_what_is_the_newest_version_is_not_pushed_again(
    far_away: Path, model_path: str, monkeypatch: pytest.MonkeyPatch
):
    """As after a kill between the push and its record; another model, and half of one, are pushed."""
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    first = executor._push_remote(model_path, f"{_SCHEME}taxi")
    num_written = len(FarAway.written)

    assert executor._push_remote(model_path, f"{_SCHEME}taxi") == first
    assert len(FarAway.written) == num_written
    (far_away / "taxi/1700000000/saved_model.pb").unlink()
    assert executor._push_remote(model_path, f"{_SCHEME}taxi") == f"{_SCHEME}taxi/1700000001"
    Path(model_path, "zz").write_text("z2")
    assert executor._push_remote(model_path, f"{_SCHEME}taxi") == f"{_SCHEME}taxi/1700000002"
