"""Addresses with a scheme, such as `gs://bucket/path`: what names this machine becomes a path, the rest is refused."""

from __future__ import annotations

import os
import re

from headrace.errors import SetupError, UnsupportedFeatureError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_FILE = "file"


def local_path(address: str, what: str) -> str:
    """Return the path that an address names on this machine, as it is where it has no scheme.

    Args:
        address: A path, or `file:///an/absolute/path`; nothing in it is escaped, as for TFX.
        what: What is there, for the message, such as `"pipeline_root"`.

    Raises:
        UnsupportedFeatureError: If it is on another machine or a service.
    """
    found = _SCHEME.match(address)
    if found is None:
        return address
    path = address[found.end() :]
    if found[1].lower() == _FILE and os.path.isabs(path):
        return path
    reason = (
        "'file://' is followed by an absolute path: file:///tmp/root"
        if found[1].lower() == _FILE
        else "Headrace keeps it on a disk of this machine"
    )
    raise UnsupportedFeatureError(
        f"{what} is '{address}', and cannot be: {reason}.",
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
