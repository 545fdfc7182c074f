"""The folder of the sockets: this user's alone, or not used."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TextIO

import pytest

from headrace.errors import SetupError
from headrace.files import shared_files
from headrace.orchestration.runners.warm import folder

_FIX = "make room for it, or remove what lies there; runs go on without a server that stays."


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(path))
    return path


def own(temporary: Path) -> Path:
    return temporary / f"headrace-{os.geteuid()}"


def test_it_lies_in_the_runtime_folder_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    assert folder.socket_folder() == str(runtime / "headrace")
    assert (runtime / "headrace").stat().st_mode & 0o777 == 0o700


def test_without_one_it_lies_in_the_temporary_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch):
    umask = os.umask(0)
    try:
        assert folder.socket_folder() == str(own(temporary))
    finally:
        os.umask(umask)
    assert own(temporary).stat().st_mode & 0o777 == 0o700
    # Of another user, say after `su`, or none at all.
    for unfit in ("/", "relative", str(temporary / "absent")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", unfit)
        assert folder.socket_folder() == str(own(temporary))


def _open_to_others(path: Path) -> None:
    path.mkdir()
    path.chmod(0o770)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (_open_to_others, "is open to other users"),
        (lambda path: path.symlink_to(path.parent), "is no folder"),
        (lambda path: path.write_text(""), "is no folder"),
    ],
    ids=["open", "link", "file"],
)
def test_what_others_may_have_put_there_is_refused(temporary: Path, make, problem: str):
    make(own(temporary))
    with pytest.raises(SetupError) as caught:
        folder.socket_folder()
    assert (caught.value.problem, caught.value.fix) == (f"{own(temporary)} {problem}.", _FIX)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(temporary: Path):
    own(temporary).mkdir(mode=0o700)
    os.chown(own(temporary), 12345, 12345)
    with pytest.raises(SetupError, match="belongs to another user"):
        folder.socket_folder()


def test_where_no_folder_can_be_made_the_reason_is_told(monkeypatch: pytest.MonkeyPatch):
    """As in a temporary folder that is full or can only be read."""
    monkeypatch.setenv("TMPDIR", "/proc")
    with pytest.raises(SetupError) as caught:
        folder.socket_folder()
    assert caught.value.problem.startswith(f"/proc/headrace-{os.geteuid()} cannot be made: ")


def test_a_path_too_long_for_a_socket_is_refused():
    with pytest.raises(SetupError, match="is too long for a socket"):
        folder.socket_path("/" + "a" * 80, "b" * 32)


def test_of_two_at_one_path_the_later_is_found_and_the_earlier_knows(temporary: Path):
    path = folder.socket_path(folder.socket_folder(), "name")
    earlier, later = folder.Listener(path), folder.Listener(path)

    assert (earlier.is_there, later.is_there) == (False, True)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        assert folder.peer(line) == (os.getpid(), os.geteuid())
    # It takes nothing away from the other.
    earlier.remove()
    assert folder.socket_paths(str(own(temporary))) == [path]
    later.remove()
    assert os.listdir(own(temporary)) == []


def test_a_socket_that_has_come_into_the_place_of_another_is_kept(temporary: Path):
    """Of two runs that waited for a server that hangs, one has started the next meanwhile."""
    path = folder.socket_path(folder.socket_folder(), "name")
    hanging = folder.Listener(path)
    look = folder.look_at(path)
    following = folder.Listener(path)
    folder.remove(path, look)
    assert following.is_there
    hanging.remove()
    folder.remove(path, folder.look_at(path))
    assert not following.is_there
    following.remove()


def test_where_a_socket_cannot_be_put_nothing_is_left(temporary: Path):
    path = folder.socket_path(folder.socket_folder(), "name")
    Path(path, "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        folder.Listener(path)
    assert os.listdir(own(temporary)) == [os.path.basename(path)]


def test_a_process_of_another_container_is_not_heard(monkeypatch: pytest.MonkeyPatch):
    """Its id there may be that of something else here, and to signal 0 would be to signal all of one's own group."""
    monkeypatch.setattr(folder, "_CREDENTIALS", _OfAnotherContainer())
    one, other = socket.socketpair()
    with one, other, pytest.raises(PermissionError, match="another container"):
        folder.peer(one)


class _OfAnotherContainer:
    size = 12

    def unpack(self, content: bytes) -> tuple[int, int, int]:
        return 0, os.geteuid(), 0


def test_a_server_binds_nothing_where_others_may(temporary: Path):
    path = folder.socket_path(folder.socket_folder(), "name")
    own(temporary).chmod(0o777)
    with pytest.raises(PermissionError, match="is open to other users"):
        folder.Listener(path)
    assert os.listdir(own(temporary)) == []


def test_another_user_at_the_other_end_is_not_heard(monkeypatch: pytest.MonkeyPatch):
    one, other = socket.socketpair()
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with one, other, pytest.raises(PermissionError):
        folder.peer(one)


def test_one_process_has_the_right_to_start_a_server(temporary: Path):
    """It is handed on with the file's descriptor, and given back by whoever has it then; nothing stays behind."""
    path = folder.socket_path(str(temporary), "name")
    first = folder.right_to_start(path)
    assert first is not None
    assert folder.right_to_start(path) is None
    other = folder.right_to_start(folder.socket_path(str(temporary), "other"))
    assert other is not None

    handed_on = os.fdopen(os.dup(first.fileno()), "w")
    first.close()
    assert folder.right_to_start(path) is None
    folder.give_back_right(path, handed_on)
    folder.give_back_right(folder.socket_path(str(temporary), "other"), other)
    assert list(temporary.iterdir()) == []
    again = folder.right_to_start(path)
    assert again is not None
    again.close()


def test_a_right_whose_file_was_removed_is_none(temporary: Path, monkeypatch: pytest.MonkeyPatch):
    """Who waited for it with the file open would have it, while the next one has its own file."""
    path = folder.socket_path(str(temporary), "name")
    locked = shared_files.locked

    def late(path: str, kind: int) -> TextIO:
        file = locked(path, kind)
        os.unlink(path)
        return file

    with monkeypatch.context() as patch:
        patch.setattr(shared_files, "locked", late)
        assert folder.right_to_start(path) is None
    after = folder.right_to_start(path)
    assert after is not None
    after.close()
