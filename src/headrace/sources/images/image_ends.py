"""Whether a picture's file is whole: Pillow takes some that TensorFlow's decoders refuse, with all pixels there.

Found by cutting files at each byte and changing single ones (TensorFlow 2.16, Pillow 12): a PNG without its last chunk or
with a wrong checksum, a JPEG or GIF without its end.
"""

from __future__ import annotations

import struct
import zlib

_PNG_HEAD = 8
_CHUNK_HEAD = struct.Struct(">I4s")


def damage(kind: str, data: bytes) -> str:
    """Return what is wrong with a file that Pillow decodes, as the end of a sentence; empty where nothing is.

    Args:
        kind: `"png"` or `"jpeg"`; of others nothing is asked.
        data: The file's bytes.
    """
    if kind == "png":
        return _damage_of_png(data)
    if kind == "jpeg" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        # In the scans, which the second of these starts, a byte of ones is followed by zeros.
        return "its end is missing"
    return ""


def has_no_end(data: bytes) -> bool:
    """Whether a GIF does not end as one: its end is missing, or something stands behind it."""
    return not data.rstrip(b"\0").endswith(b";")


def _damage_of_png(data: bytes) -> str:
    view, at = memoryview(data), _PNG_HEAD
    while at + _CHUNK_HEAD.size <= len(data):
        length, name = _CHUNK_HEAD.unpack_from(data, at)
        end = at + _CHUNK_HEAD.size + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return f"the checksum of its chunk {name.decode('ascii', 'replace')} is wrong"
        if name == b"IEND":
            return ""
        at = end + 4
    return "its end is missing"
