"""Pushing to an address, where nothing can be renamed: the file that servers wait for comes last, and only once."""

from __future__ import annotations

from pathlib import Path

import far_files
import pytest

from headrace.components.pusher import versions
from headrace.errors import UnreachableError

far = far_files.far  # fixture
_NOW = 1_700_000_000


@pytest.fixture
def model_path(tmp_path: Path) -> str:
    """An exported model whose file names sort around the one that servers wait for."""
    folder = tmp_path / "model"
    for name in ("assets/words", "fingerprint.pb", "saved_model.pb", "variables/variables.index", "zz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return str(folder)


def test_the_graph_comes_last_and_once(far: Path, model_path: str):
    """A server loads a version as soon as that file is there."""
    target = versions.push_elsewhere(model_path, "far://taxi/", _NOW)

    assert target == f"far://taxi/{_NOW}"
    assert far_files.written(far)[-1] == f"taxi/{_NOW}/saved_model.pb"
    assert len(far_files.written(far)) == len(set(far_files.written(far))) == 5
    pushed = {str(p.relative_to(far)) for p in far.rglob("*") if p.is_file()}
    assert pushed == set(far_files.written(far))
    assert (far / f"taxi/{_NOW}/variables/variables.index").read_text() == "variables/variables.index"


def test_a_version_that_is_there_is_not_written_into(far: Path, model_path: str):
    """Two pushes within a second are two versions."""
    for number in (0, 1):
        (far / f"taxi/{_NOW + number}").mkdir(parents=True)

    assert versions.push_elsewhere(model_path, "far://taxi", _NOW) == f"far://taxi/{_NOW + 2}"
    assert list((far / f"taxi/{_NOW + 1}").iterdir()) == []


def test_a_version_that_came_since_the_list_was_read_is_not_written_into(
    far: Path, model_path: str, monkeypatch: pytest.MonkeyPatch
):
    """Another push may be as quick, and lists of some stores are late."""
    (far / f"taxi/{_NOW}").mkdir(parents=True)
    monkeypatch.setattr(far_files.FarFiles, "ls", lambda self, path, detail=True: [])

    assert versions.push_elsewhere(model_path, "far://taxi", _NOW) == f"far://taxi/{_NOW + 1}"


def test_what_is_the_newest_version_is_not_pushed_again(far: Path, model_path: str):
    """As after a kill between the push and its record; another model, and half of one, are pushed."""
    first = versions.push_elsewhere(model_path, "far://taxi", _NOW)

    assert versions.push_elsewhere(model_path, "far://taxi", _NOW) == first
    assert len(far_files.written(far)) == 5
    (far / f"taxi/{_NOW}/saved_model.pb").unlink()
    assert versions.push_elsewhere(model_path, "far://taxi", _NOW) == f"far://taxi/{_NOW + 1}"
    Path(model_path, "zz").write_text("z2")
    assert versions.push_elsewhere(model_path, "far://taxi", _NOW) == f"far://taxi/{_NOW + 2}"


@pytest.mark.parametrize("refused", ["variables/variables.index", "saved_model.pb"])
def test_of_a_push_that_fails_nothing_stays(
    far: Path, model_path: str, monkeypatch: pytest.MonkeyPatch, refused: str
):
    """The reader sees the address and what may be wrong, not the stack of a package."""
    monkeypatch.setenv("FAR_REFUSES", refused)

    with pytest.raises(UnreachableError) as caught:
        versions.push_elsewhere(model_path, "far://taxi", _NOW)

    assert str(caught.value).startswith(f"'far://taxi/{_NOW}/{refused}' cannot be reached: PermissionError:")
    assert "give credentials that may do this" in caught.value.fix
    assert [path for path in far.rglob("*") if path.is_file()] == []
    assert not (far / f"taxi/{_NOW}").exists()


def test_a_bucket_that_there_is_not_is_told(far: Path, model_path: str, monkeypatch: pytest.MonkeyPatch):
    """Object stores make no buckets on the way."""

    def fail(self: object, path: str, exist_ok: bool = False) -> None:
        raise FileNotFoundError(2, "The specified bucket does not exist")

    monkeypatch.setattr(far_files.FarFiles, "makedirs", fail)

    with pytest.raises(UnreachableError, match="cannot be written: there is no such bucket or folder"):
        versions.push_elsewhere(model_path, "far://taxi", _NOW)
