"""Where a run came from: the command, the code's commit, the versions of what computed it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from typing import Any

from headrace import secrets

_PACKAGES = (
    "headrace",
    "tfx",
    "tensorflow",
    "keras",
    "apache-beam",
    "tensorflow-data-validation",
    "tensorflow-transform",
    "tensorflow-model-analysis",
    "ml-metadata",
    "pyarrow",
    "numpy",
)
_GIT_TIMEOUT_SECONDS = 5


def provenance(command: str, folder: str) -> dict[str, Any]:
    """Return what identifies a run's code and environment, as JSON data.

    Args:
        command: The command line; this process's own where it is empty. Secrets in it are left out.
        folder: The project's folder, for its git commit.
    """
    return {
        "command": _command(command or shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]])),
        "folder": os.getcwd(),
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "git": _git(folder),
    }


def _command(text: str) -> str:
    """A command line, or a call in a notebook, as it was given, without the secrets in it."""
    try:
        arguments = shlex.split(text)
    except ValueError:
        # A call whose quotes are Python's.
        return secrets.mask_text(text)
    masked = secrets.mask_arguments(arguments)
    return text if masked == arguments else shlex.join(masked)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _git(folder: str) -> dict[str, Any] | None:
    """The commit and whether the tree was clean; `None` outside a repository or without git."""
    command = ["git", "-C", folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    lines = done.stdout.splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
    return {"commit": commit, "is_clean": all(line.startswith("#") for line in lines)}
