"""Numbered versions of a model in a local folder, as TensorFlow Serving watches it."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import uuid
from collections.abc import Callable

_HIDDEN_PREFIX = ".headrace-pushing-"
# A name that is taken: rename refuses to replace a folder that is not empty.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def push(
    model_path: str, base: str, version: int, copy: Callable[[str, str], object] = shutil.copytree
) -> str:
    """Copy a model into the next free version of a local folder, in one visible step.

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
    hidden = os.path.join(
        base, f"{_HIDDEN_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}-{socket.gethostname()}"
    )
    try:
        copy(model_path, hidden)
        while True:
            target = os.path.join(base, str(version))
            # An empty folder could be replaced by rename, but belongs to somebody.
            if not os.path.lexists(target):
                try:
                    os.rename(hidden, target)
                except OSError as error:
                    if error.errno not in _TAKEN:
                        raise
                else:
                    return target
            version += 1
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _remove_abandoned(base: str) -> None:
    """Remove what a killed push on this machine left behind."""
    for name in os.listdir(base):
        if not name.startswith(_HIDDEN_PREFIX):
            continue
        process, _, rest = name.removeprefix(_HIDDEN_PREFIX).partition("-")
        host = rest.partition("-")[2]
        if host != socket.gethostname() or not process.isdigit() or _is_alive(int(process)):
            continue
        shutil.rmtree(os.path.join(base, name), ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
