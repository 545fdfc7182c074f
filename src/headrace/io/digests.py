"""Digests of contents: of files, folders and artifacts. The cache compares these and nothing else."""

from __future__ import annotations

import hashlib
import os

_CHUNK_BYTES = 4 << 20


def file_digest(path: str) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def tree_digest(path: str) -> str:
    """Return one digest for a file, or for a folder's relative file names and their bytes.

    Neither time stamps nor the place of the folder count. A missing path has the digest of nothing.
    """
    if os.path.isfile(path):
        return file_digest(path)
    digest = hashlib.sha256()
    for folder, subfolders, names in os.walk(path):
        subfolders.sort()
        for name in sorted(names):
            full = os.path.join(folder, name)
            digest.update(os.path.relpath(full, path).encode())
            digest.update(b"\0")
            digest.update(bytes.fromhex(file_digest(full)))
    return digest.hexdigest()
