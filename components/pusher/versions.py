"""Numbered versions of a model in a folder, here or elsewhere, as TensorFlow Serving watches it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import uuid
from collections.abc import Callable, Iterable

from headrace import files
from headrace.files import lasting
from headrace.formats import saved_models

_HIDDEN_PREFIX = ".headrace-pushing-"
# A name that is taken: rename refuses to replace a folder that is not empty.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def push(
    model_path: str, base: str, version: int, copy: Callable[[str, str], object] = files.copy_folder
) -> str:
    """Copy a model into the next free version of a local folder, in one visible step.

    What is the newest version already is not pushed again: a push whose process was killed before it was recorded
    would else be seen twice. Numbers grow, whatever the clock says: a server takes the highest.

    Args:
        model_path: Folder of the exported model.
        base: Folder of the versions; made where it is missing.
        version: Least version number to use.
        copy: Copies one folder to another.

    Returns:
        The version's folder.

    Raises:
        OSError: If copying fails; then nothing new is in `base`.
    """
    os.makedirs(base, exist_ok=True)
    _remove_abandoned(base)
    newest = newest_version(files.names_in(base))
    if newest and _is_same(model_path, os.path.join(base, newest)):
        return os.path.join(base, newest)
    version = next_version(files.names_in(base), version)
    hidden = os.path.join(
        base, f"{_HIDDEN_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}-{socket.gethostname()}"
    )
    try:
        copy(model_path, hidden)
        lasting.flush(hidden)
        while True:
            target = os.path.join(base, str(version))
            # An empty folder could be replaced by rename, but belongs to somebody.
            if not os.path.lexists(target):
                try:
                    # Not `files.publish`: it must not take the place of what is there.
                    os.rename(hidden, target)
                except OSError as error:
                    if error.errno not in _TAKEN:
                        raise
                else:
                    with contextlib.suppress(OSError):
                        lasting.flush(target)
                    return target
            version += 1
    finally:
        files.remove_folder(hidden, is_tried=True)


def push_elsewhere(model_path: str, base: str, version: int) -> str:
    """Copy a model into the next free version at an address, the file that servers wait for last.

    Args:
        model_path: Folder of the exported model.
        base: Address of the versions' folder.
        version: Least version number to use.

    Returns:
        The version's address.

    Raises:
        UnreachableError: If the address cannot be written; then nothing new is in it.
    """
    base = base.rstrip("/")
    names = files.names_in(base)
    newest = newest_version(names)
    if newest and _is_same(model_path, f"{base}/{newest}"):
        return f"{base}/{newest}"
    version = next_version(names, version)
    while files.exists(f"{base}/{version}"):
        version += 1
    files.upload_folder(model_path, f"{base}/{version}", last=saved_models.MODEL_FILE)
    return f"{base}/{version}"


def newest_version(names: Iterable[str]) -> str:
    """Return the highest of names that are numbers, as servers read them; empty where none is."""
    numbers = [name for name in names if name.isascii() and name.isdigit()]
    return max(numbers, key=int, default="")


def next_version(names: Iterable[str], version: int) -> int:
    """Return `version`, or the number after the highest that there is."""
    return max(version, int(newest_version(names) or 0) + 1)


def _is_same(one: str, other: str) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    sizes = files.file_sizes(one)
    return sizes == files.file_sizes(other) and all(
        files.has_same_bytes(os.path.join(one, name), os.path.join(other, name)) for name in sizes
    )


def _remove_abandoned(base: str) -> None:
    """Remove what a killed push on this machine left behind."""
    for name in files.names_in(base):
        if not name.startswith(_HIDDEN_PREFIX):
            continue
        process, _, rest = name.removeprefix(_HIDDEN_PREFIX).partition("-")
        host = rest.partition("-")[2]
        if host != socket.gethostname() or not process.isdigit() or _is_alive(int(process)):
            continue
        files.remove_folder(os.path.join(base, name), is_tried=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
