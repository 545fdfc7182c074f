"""JSON files as a source. Light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.sources.file_source import FileSource

if TYPE_CHECKING:
    from headrace.sources.reading import Reader


class JsonSource(FileSource):
    """Files of JSON objects.

    Args:
        rename: New names of features, by the old.
    """

    def __init__(self, rename: dict[str, str] | None = None) -> None:
        self._rename = rename or {}

    def reader(self, payload_format: int) -> Reader:
        """Return the reader of JSON."""
        from headrace.sources.json.json_reader import JsonReader

        return JsonReader(self._rename)
