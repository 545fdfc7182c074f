"""The texts behind source digests, kept in the store so that a change can be shown line by line.

::

    .headrace/sources/{sha256}      zlib of a source file's bytes
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection

from headrace.files import names
from headrace.files.shared_files import open_plain
from headrace.store.open.store import Store

# A text that a run has just seen may not be recorded yet: it is younger than this.
_GRACE_SECONDS = 24 * 3600
_MAX_SHOWN_BYTES = 16 << 20


class SourceTexts:
    """The source texts of one store; `headrace.store.record.source_texts` adds to them.

    Args:
        store: The store; it need not be open.
    """

    def __init__(self, store: Store) -> None:
        self._path = os.path.join(store.path, "sources")

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
