"""Where the sockets of warm servers lie: a folder that only this user can enter."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import struct
from typing import TextIO

from headrace.errors import SetupError
from headrace.files import shared_files

_SUFFIX = ".socket"
_RIGHT_SUFFIX = ".starting"
_TEMPORARY = "/tmp"
# `sun_path` of unix(7), with the zero at its end.
_MAX_PATH_BYTES = 108
_MAX_WAITING = 64
_CREDENTIALS = struct.Struct("3i")


def socket_folder() -> str:
    """Return the folder, made where it is missing.

    Raises:
        SetupError: If it cannot be made, or others could have put something there.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(base) and _fault(base) == "":
        path = os.path.join(base, "headrace")
    else:
        # Not `tempfile.gettempdir()`: where the usual place is full that is the working directory.
        temporary = os.path.abspath(os.environ.get("TMPDIR") or _TEMPORARY)
        path = os.path.join(temporary, f"headrace-{os.geteuid()}")
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        fault = _fault(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be made: {error.strerror}.", _FIX) from error
    if fault:
        raise SetupError(f"{path} {fault}.", _FIX)
    return path


_FIX = "make room for it, or remove what lies there; runs go on without a server that stays."


def _fault(path: str) -> str:
    """What makes a folder unfit; empty where nothing does."""
    try:
        info = os.lstat(path)
    except OSError as error:
        return f"cannot be used: {error.strerror}"
    if not stat.S_ISDIR(info.st_mode):
        return "is no folder"
    if info.st_uid != os.geteuid():
        return "belongs to another user"
    if stat.S_IMODE(info.st_mode) & 0o077:
        return "is open to other users"
    return ""


def socket_path(folder: str, name: str) -> str:
    """Return the path of a server's socket.

    Raises:
        SetupError: If a socket's path cannot be so long.
    """
    path = os.path.join(folder, name + _SUFFIX)
    if len(os.fsencode(path)) >= _MAX_PATH_BYTES:
        raise SetupError(
            f"{path} is too long for a socket.", "set XDG_RUNTIME_DIR to a folder with a shorter path."
        )
    return path


def socket_paths(folder: str) -> list[str]:
    """Return the paths of all servers' sockets, of dead ones too."""
    return sorted(os.path.join(folder, one) for one in os.listdir(folder) if one.endswith(_SUFFIX))


def peer(connected: socket.socket) -> tuple[int, int]:
    """Return process id and user id of who is at the other end.

    Raises:
        PermissionError: If that is another user, or in another container: its process has no id here.
    """
    pid, uid, _ = _CREDENTIALS.unpack(
        connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    if uid != os.geteuid():
        raise PermissionError(f"user {uid} is at the other end of a socket of user {os.geteuid()}")
    if not pid:
        raise PermissionError("a process of another container is at the other end of a socket")
    return pid, uid


def look_at(path: str) -> tuple[int, int] | None:
    """Return what tells what lies at a path from a later one; `None` where nothing does."""
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def remove(path: str, look: tuple[int, int] | None) -> None:
    """Remove a socket, unless another one has come into its place.

    Args:
        path: From `socket_path`.
        look: How it was found, see `look_at`.
    """
    if look is not None and look_at(path) == look:
        with contextlib.suppress(OSError):
            os.unlink(path)


def right_to_start(path: str) -> TextIO | None:
    """Return the right to start the server of a path: a locked file, which the server then holds until it listens.

    The kernel gives it back where its holder has ended, however that happened.

    Args:
        path: From `socket_path`.

    Returns:
        `None` where another process has it, or had it until just now.

    Raises:
        OSError: If there can be no such file, or its file system has no locks.
    """
    try:
        file = shared_files.locked(path + _RIGHT_SUFFIX, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    info = os.fstat(file.fileno())
    if look_at(path + _RIGHT_SUFFIX) == (info.st_dev, info.st_ino):
        return file
    # Who had it has removed the file meanwhile; the next one may have made its own.
    file.close()
    return None


def give_back_right(path: str, right: TextIO) -> None:
    """Let others start the server of a path, or find it.

    Args:
        path: From `socket_path`.
        right: From `right_to_start`, in this process or in that which started it; it is closed.
    """
    with contextlib.suppress(OSError):
        os.unlink(path + _RIGHT_SUFFIX)
    shared_files.release(right)


class Listener:
    """A socket that others find under a path.

    Of two that are bound to one path the later one has it: each is bound aside, and moved into place.

    Args:
        path: From `socket_path`.

    Raises:
        OSError: If it cannot be bound, or others could have put something there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        fault = _fault(os.path.dirname(path))
        if fault:
            raise PermissionError(f"{os.path.dirname(path)} {fault}")
        aside = os.path.join(os.path.dirname(path), f"{os.getpid()}.new")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.bind(aside)
            self.socket.listen(_MAX_WAITING)
            self._look = look_at(aside)
            os.rename(aside, path)
        except OSError:
            self.socket.close()
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise

    @property
    def is_there(self) -> bool:
        """Whether the path still leads to this socket."""
        return look_at(self.path) == self._look

    def remove(self) -> None:
        """Let nobody find it any more."""
        remove(self.path, self._look)
        self.socket.close()
