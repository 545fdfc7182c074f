"""Rows shown as examples of what was found in them: where they are, what tells them apart, small pictures.

Light. They stand in the JSON files of cleaning reports and of findings, which may come from somebody else: what is
read is checked, and a picture is passed on only where it is a PNG.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Sample:
    """A row, as it is shown.

    Attributes:
        split: Its split.
        row: Its number there, the first being 1, over all files of the split in the order of their names.
        features: What tells it from others: names of features, and the beginnings of their values.
        note: What is the matter with it, such as `"6 × 6 pixels"`; may be empty.
        thumbnail: A small PNG of its picture; empty where it has none.
    """

    split: str
    row: int
    features: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    thumbnail: bytes = b""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON writes it."""
        plain: dict[str, Any] = {"split": self.split, "row": self.row, "features": dict(self.features)}
        if self.note:
            plain["note"] = self.note
        if self.thumbnail:
            plain["thumbnail"] = base64.b64encode(self.thumbnail).decode()
        return plain


def from_json(content: Any) -> Sample:
    """Return the sample that `Sample.as_json` wrote.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(content, dict) or not isinstance(content.get("features"), dict):
        raise ValueError(f"a row is {content!r:.100}")
    split, row, note = content.get("split"), content.get("row"), content.get("note", "")
    if not (isinstance(split, str) and isinstance(row, int) and isinstance(note, str)):
        raise ValueError(f"a row is {content!r:.100}")
    features = {str(name): str(value) for name, value in content["features"].items()}
    return Sample(split, row, features, note, _picture(content.get("thumbnail", "")))


def _picture(text: Any) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return b""
    return data if data.startswith(_PNG) else b""
