"""Paths and addresses: what names this machine is a path, and where only a path will do the rest is refused.

An address has a scheme, such as `s3://bucket/data`. Those of `file://` name this machine. What reads and writes other
ones is `headrace.files.elsewhere`.
"""

from __future__ import annotations

import os
import re

from headrace import secrets
from headrace.errors import SetupError, UnsupportedFeatureError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_FILE = "file"


def scheme(path: str) -> str:
    """Return the scheme of an address, in lower case; empty for a path."""
    found = _SCHEME.match(path) if "://" in path else None
    return found[1].lower() if found else ""


def is_elsewhere(path: str) -> bool:
    """Whether this is an address that does not name a disk of this machine."""
    return scheme(path) not in ("", _FILE)


def here(path: str) -> str:
    """Return the path that `file://` stands before; anything else as it is."""
    if "://" in path and scheme(path) == _FILE and os.path.isabs(path[len("file://") :]):
        return path[len("file://") :]
    return path


def local_path(address: str, what: str) -> str:
    """Return the path that an address names on this machine, as it is where it has no scheme.

    All that takes a path and can do nothing with another machine's says so through this.

    Args:
        address: A path, or `file:///an/absolute/path`; nothing in it is escaped, as for TFX.
        what: What is there, for the message, such as `"pipeline_root"`.

    Raises:
        UnsupportedFeatureError: If it is on another machine or a service.
    """
    path = here(address)
    found = scheme(path)
    if not found:
        return path
    reason = (
        "'file://' is followed by an absolute path: file:///tmp/root"
        if found == _FILE
        else "it has to lie on a disk of this machine"
    )
    raise UnsupportedFeatureError(
        # An address may hold a password.
        f"{what} is '{secrets.mask_text(address)}', and cannot be: {reason}.",
        "give a path on this machine; a bucket or a remote disk that is mounted as a folder will do.",
    )


def absolute_path(address: str, what: str) -> str:
    """Return the absolute path that an address names on this machine; see `local_path`.

    Raises:
        UnsupportedFeatureError: If it is on another machine or a service.
        SetupError: If it is relative, and the working directory was removed.
    """
    path = local_path(address, what)
    try:
        return os.path.abspath(path)
    except FileNotFoundError as error:
        raise SetupError(
            f"{what} is '{path}' in the working directory, and that was removed.",
            "go to a folder that exists, or give an absolute path.",
        ) from error
