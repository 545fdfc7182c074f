"""A file that is one JSON array, element by element: not more than one of them, and a chunk, is held. Light."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

_CHUNK_BYTES = 1 << 20
_SPACE = " \t\r\n"


class OutsideError(ValueError):
    """What stands between the elements, before or after them, is not what stands there in an array."""


def elements(file: BinaryIO, max_bytes: int, decoder: json.JSONDecoder | None = None) -> Iterator[Any]:
    """Yield the elements of an array.

    Args:
        file: UTF-8, with a byte order mark or without, read from where it is.
        max_bytes: The size of an element, of which a longer one is a fault.
        decoder: What decodes an element.

    Raises:
        OutsideError: If something else stands around an element; the last that was yielded is the one before.
        ValueError: If an element is no JSON, is too long, or is not ended; it is the one after the last that was yielded.
        UnicodeDecodeError: If the file is not UTF-8.
        RecursionError: If an element is nested too deeply.
    """
    text = _Text(file, decoder or json.JSONDecoder())
    text.take("[")
    is_first = True
    while not (text.next() == "]" and is_first):
        is_first = False
        yield text.value(max_bytes)
        if text.next() != ",":
            break
        text.take(",")
    text.take("]")
    if text.next():
        raise OutsideError(f"more stands after the array: {text.next()!r}")


class _Text:
    """The text of a file, of which what was taken is forgotten."""

    def __init__(self, file: BinaryIO, decoder: json.JSONDecoder) -> None:
        self._file = file
        self._json = decoder
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._is_ended = False

    def _more(self, num_bytes: int = _CHUNK_BYTES) -> bool:
        data = self._file.read(num_bytes)
        self._is_ended = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=not data)
        self._at = 0
        return not self._is_ended

    def next(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_ended or not self._more():
                return ""

    def take(self, character: str) -> None:
        """Go beyond a character.

        Raises:
            OutsideError: If another is next.
        """
        found = self.next()
        if found != character:
            raise OutsideError(
                f"'{character}' is expected, and {repr(found) if found else 'the end of the file'} found"
            )
        self._at += 1

    def value(self, max_bytes: int) -> Any:
        """Return the value that begins here."""
        self.next()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except ValueError:
                if len(self._text) - self._at > max_bytes:
                    raise ValueError(f"it is longer than {max_bytes >> 20} MiB, or not ended") from None
                # Twice as much each time: what is looked at again stays in proportion.
                if self._is_ended or not self._more(max(_CHUNK_BYTES, len(self._text) - self._at)):
                    value, end = self._json.raw_decode(self._text, self._at)
                else:
                    continue
            # A number at the end of what is there may go on.
            if end == len(self._text) and not self._is_ended and self._more():
                continue
            self._at = end
            return value
