"""A version appears complete, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from pathlib import Path

import pytest

from headrace.components.pusher import versions


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    """An exported model of two files."""
    path = tmp_path / "model"
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"graph")
    (path / "variables" / "variables.index").write_bytes(b"index")
    return path


def test_model_is_copied_into_the_version(tmp_path: Path, model_path: Path) -> None:
    """The folder of versions is made where it is missing, and holds nothing else."""
    base = tmp_path / "serving" / "taxi"

    target = versions.push(str(model_path), str(base), 1_700_000_000)

    assert target == str(base / "1700000000")
    assert (base / "1700000000" / "variables" / "variables.index").read_bytes() == b"index"
    assert os.listdir(base) == ["1700000000"]


def test_taken_version_gives_the_next_free_one(tmp_path: Path, model_path: Path) -> None:
    """Unlike TFX, which says it pushed and keeps the older model; an empty folder is somebody's too."""
    (tmp_path / "base" / "5").mkdir(parents=True)
    (tmp_path / "base" / "6").mkdir()
    (tmp_path / "base" / "6" / "saved_model.pb").write_bytes(b"older")

    target = versions.push(str(model_path), str(tmp_path / "base"), 5)

    assert target == str(tmp_path / "base" / "7")
    assert (tmp_path / "base" / "6" / "saved_model.pb").read_bytes() == b"older"


def test_copy_that_fails_midway_leaves_nothing(tmp_path: Path, model_path: Path) -> None:
    """A full disk: half a model was written, and is gone."""

    def fill_disk(source: str, target: str) -> None:
        os.makedirs(target)
        shutil.copy(os.path.join(source, "saved_model.pb"), target)
        assert not any(name.isdigit() for name in os.listdir(os.path.dirname(target)))
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        versions.push(str(model_path), str(tmp_path / "base"), 5, copy=fill_disk)

    assert os.listdir(tmp_path / "base") == []


def test_what_a_killed_push_left_is_removed(tmp_path: Path, model_path: Path) -> None:
    """Only of processes of this machine that are gone."""
    base = tmp_path / "base"
    host = socket.gethostname()
    names = [
        f".headrace-pushing-999999999-aa-{host}",
        f".headrace-pushing-{os.getpid()}-bb-{host}",
        ".headrace-pushing-999999999-cc-elsewhere",
    ]
    for name in names:
        (base / name).mkdir(parents=True)

    versions.push(str(model_path), str(base), 5)

    assert sorted(os.listdir(base)) == sorted([*names[1:], "5"])


def test_what_is_the_newest_version_is_not_pushed_again(tmp_path: Path, model_path: Path) -> None:
    """The process was killed after a version was visible and before that was on record."""
    base = tmp_path / "base"
    first = versions.push(str(model_path), str(base), 5)

    assert versions.push(str(model_path), str(base), 9) == first
    assert os.listdir(base) == ["5"]


@pytest.mark.parametrize("change", ["bytes", "size", "name", "more", "fewer"])
def test_a_model_that_differs_anywhere_is_pushed(tmp_path: Path, model_path: Path, change: str) -> None:
    """As is an older one that is to be served again."""
    base = tmp_path / "base"
    versions.push(str(model_path), str(base), 5)
    other = tmp_path / "other"
    shutil.copytree(model_path, other)
    index = other / "variables" / "variables.index"
    if change == "bytes":
        index.write_bytes(b"INDEX")
    elif change == "size":
        index.write_bytes(b"index2")
    elif change == "name":
        index.rename(other / "variables" / "variables.index2")
    elif change == "more":
        (other / "more").touch()
    else:
        index.unlink()

    assert versions.push(str(other), str(base), 5) == str(base / "6")
    assert versions.push(str(model_path), str(base), 5) == str(base / "7")


def test_versions_grow_though_the_clock_was_set_back(tmp_path: Path, model_path: Path) -> None:
    """A server takes the highest number; what is no number does not count."""
    for name in ("1796023367", "9999999999x", "²", ".12345678901"):
        (tmp_path / "base" / name).mkdir(parents=True)

    assert versions.push(str(model_path), str(tmp_path / "base"), 1_500_000_000) == str(
        tmp_path / "base" / "1796023368"
    )
