"""Whether a sound's file is whole: libsndfile reads what is there of one that was cut, without a word."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_FORM_HEAD = 12
# What a writer says that did not know the length yet.
_UNKNOWN = (0, 0xFFFFFFFF)
_AU_HEAD = struct.Struct(">III")
# A page of Ogg: where its flags stand, and which says that it is the last.
_FLAGS_AT, _LAST = 5, 4


def is_cut(kind: str, data: bytes) -> bool:
    """Whether less is there than the file says of itself; of FLAC its samples tell, of MP3 nothing does.

    Args:
        kind: What `sound_kinds.kind_of` says of it.
        data: The file's bytes.
    """
    if kind in ("wav", "aiff"):
        order = ">" if data[:4] in (b"RIFX", b"FORM") else "<"
        name = b"data" if kind == "wav" else b"SSND"
        return any(
            found == name and size not in _UNKNOWN and start + size > len(data)
            for found, start, size in _chunks(data, order)
        )
    if kind == "au":
        _, start, size = _AU_HEAD.unpack_from(data.ljust(_AU_HEAD.size, b"\0"))
        return size not in _UNKNOWN and start + size > len(data)
    if kind == "ogg":
        page = data.rfind(b"OggS")
        return page + _FLAGS_AT >= len(data) or not data[page + _FLAGS_AT] & _LAST
    return False


def _chunks(data: bytes, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and size of each chunk of a RIFF or AIFF file."""
    head, at = struct.Struct(f"{order}4sI"), _FORM_HEAD
    while at + head.size <= len(data):
        name, size = head.unpack_from(data, at)
        yield name, at + head.size, size
        # Chunks begin at even places.
        at += head.size + size + (size & 1)
