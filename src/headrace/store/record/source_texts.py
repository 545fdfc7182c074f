"""Keeps the texts behind source digests: see `headrace.store.read.source_texts`."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping

from headrace.store.open.store import Store
from headrace.store.read import markers
from headrace.store.read.source_texts import SourceTexts
from headrace.usercode import sources

# Data files that code or parameters name are kept up to this size; larger ones are only named.
_MAX_DATA_BYTES = 256 * 1024
_PACKAGE_PATH = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_READY_PIPELINES_PATH = os.path.join(_PACKAGE_PATH, "pipelines")


class SourceKeeper(SourceTexts):
    """The source texts of one store, to which runs add.

    Args:
        store: The store; it need not be open.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._store = store
        self._project_path = store.project_path

    def keep(self, found: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        """Keep the files' texts and return their names instead of their paths.

        Args:
            found: For each part of a cache key, the digest of each file's text by the file's path.

        Returns:
            The same with names relative to the project; files outside of it keep their paths. Headrace's own
            modules are left out.
        """
        kept: dict[str, dict[str, str]] = {}
        for part, files in found.items():
            own = {path: digest for path, digest in files.items() if not _is_headrace(path)}
            for path, digest in own.items():
                self._keep_file(path, digest)
            kept[part] = {self._name(path): digest for path, digest in sorted(own.items())}
        return kept

    def _name(self, path: str) -> str:
        relative = os.path.relpath(path, self._project_path)
        return path if relative.startswith("..") else relative

    def _keep_file(self, path: str, digest: str) -> None:
        target = os.path.join(self._path, digest)
        try:
            # Says that it is still in use, and whether it is there, in one call.
            os.utime(target)
            return
        except FileNotFoundError:
            pass
        text = _text(path, digest)
        if text is None:
            return
        markers.write_whole(self._store, target, zlib.compress(text))


def _text(path: str, digest: str) -> bytes | None:
    """The text with a digest: what counts of a source file, or a whole file; `None` where it is not kept."""
    part = sources.text_of(digest)
    if part:
        return part.encode()
    try:
        if os.path.getsize(path) > _MAX_DATA_BYTES:
            return None
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return None
    # Edited since it was read, the text is not what the digest stands for; data without lines is not shown.
    is_shown = hashlib.sha256(text).hexdigest() == digest and b"\0" not in text
    return text if is_shown else None


def _is_headrace(path: str) -> bool:
    return path.startswith(_PACKAGE_PATH + os.sep) and not path.startswith(_READY_PIPELINES_PATH + os.sep)
