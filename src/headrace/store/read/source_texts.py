"""The texts behind source digests, kept in the store so that a change can be shown line by line.

::

    .headrace/sources/{sha256}      zlib of a source file's bytes
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Collection, Mapping

from headrace.files import names
from headrace.files.shared_files import open_plain
from headrace.store.open.store import Store
from headrace.store.read import markers
from headrace.usercode import sources

# A text that a run has just seen may not be recorded yet: it is younger than this.
_GRACE_SECONDS = 24 * 3600
# Data files that code or parameters name are kept up to this size; larger ones are only named.
_MAX_DATA_BYTES = 256 * 1024
_MAX_SHOWN_BYTES = 16 << 20
_PACKAGE_PATH = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_READY_PIPELINES_PATH = os.path.join(_PACKAGE_PATH, "pipelines")


class SourceTexts:
    """The source texts of one store.

    Args:
        store: The store; it need not be open.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = os.path.join(store.path, "sources")
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

    def read(self, digest: str) -> str | None:
        """Return a text; `None` where the store does not have it."""
        try:
            # A store from elsewhere may say anything.
            with open_plain(os.path.join(self._path, names.slug(digest))) as file:
                text = zlib.decompressobj().decompress(file.buffer.read(_MAX_SHOWN_BYTES), _MAX_SHOWN_BYTES)
        except (OSError, zlib.error):
            return None
        return text.decode("utf-8", errors="replace")

    def unused(self, used: Collection[str], now: float) -> list[str]:
        """Return the paths of texts that are not in `used` and that no run has seen for a day."""
        if not os.path.isdir(self._path):
            return []
        with os.scandir(self._path) as entries:
            return [
                entry.path
                for entry in entries
                if entry.name not in used and entry.stat().st_mtime < now - _GRACE_SECONDS
            ]

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
